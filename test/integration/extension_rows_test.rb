# frozen_string_literal: true

require_relative "integration_helper"

# Rows that a team has put into an extension's own tables, which a backup holds without the tables. An extension of
# PostgreSQL's own stands for one that has such tables.
class ExtensionRowsTest < IntegrationTest
  # What the extension brings along.
  EXTENSION = <<~SQL
    CREATE EXTENSION pg_trgm;
    CREATE TABLE plans (id serial PRIMARY KEY, parent text UNIQUE, days int);
    CREATE TABLE notes (plan int REFERENCES plans, note json);
    INSERT INTO plans (parent, days) VALUES ('built in', 1);
    ALTER EXTENSION pg_trgm ADD TABLE plans;
    ALTER EXTENSION pg_trgm ADD TABLE notes;
    ALTER EXTENSION pg_trgm ADD SEQUENCE plans_id_seq;
    UPDATE pg_extension SET extconfig = ARRAY['plans'::regclass, 'notes'::regclass]::oid[], extcondition = ARRAY['', ''] WHERE extname = 'pg_trgm';
  SQL

  PRODUCTION = EXTENSION + <<~SQL
    INSERT INTO plans (parent, days) VALUES ('public.events', 30), ('public.logs', 90);
    INSERT INTO notes VALUES (2, '{"a": 1}'), (3, '{}');
    CREATE TABLE people (id int PRIMARY KEY, name text);
    INSERT INTO people SELECT n, 'Nora ' || n FROM generate_series(1, 20) AS n;
    CREATE INDEX people_name ON people USING gin (name public.gin_trgm_ops);
    CREATE MATERIALIZED VIEW planned AS SELECT parent FROM plans;
  SQL

  PLANS = "SELECT id || ' ' || parent || ' ' || days FROM plans ORDER BY id"

  def test_they_come_beside_what_the_extension_has_and_a_second_run_adds_nothing
    target = prepared(new_database)
    2.times do
      outcome = run!(source: archive, target: target.url)
      assert_empty outcome.warnings.grep(/plans|notes/)
      assert_equal ["1 built in 1", "2 public.events 30", "3 public.logs 90"], target.values(PLANS)
      assert_equal ["2 {\"a\": 1}", "3 {}"], target.values("SELECT plan || ' ' || note FROM notes ORDER BY plan")
    end
    assert_equal "3", target.value("SELECT count(*) FROM planned"), "what reads them waits for them"
    assert_equal "4", target.value("INSERT INTO plans (parent) VALUES ('new') RETURNING id"), "the sequence goes on behind them"
  end

  # As `topology.topology` of PostGIS, where CreateTopology fails otherwise.
  def test_a_sequence_that_has_not_begun_goes_on_behind_the_row_that_has_its_first_value
    production = new_database("first").tap { |database| database.exec(EXTENSION) }
    dump = production.dump(path("first.dump"))
    target = prepared(new_database)
    target.exec("TRUNCATE plans, notes RESTART IDENTITY")
    2.times { run!(source: dump, target: target.url) }
    assert_equal ["1 built in 1"], target.values(PLANS)
    assert_equal "2", target.value("INSERT INTO plans (parent) VALUES ('new') RETURNING id")
  end

  def test_what_the_target_has_stays_where_a_key_is_taken
    target = prepared(new_database)
    target.exec("INSERT INTO plans (parent, days) VALUES ('public.logs', 7)")
    run!(source: archive, target: target.url)
    assert_equal ["1 built in 1", "2 public.logs 7"], target.values(PLANS)
  end

  def test_where_the_role_may_not_write_them_each_table_is_named
    staging = new_staging
    database = prepared(staging.database)
    outcome = run!(source: archive, target: staging.url)
    %w[plans notes].each do |table|
      assert_equal ["TABLE DATA public.#{table} is left out: the target's role may not write to it."], outcome.warnings.grep(/public\.#{table}/)
    end
    assert_equal %w[public.notes public.plans], outcome.report[:left_out].select { |one| one[:refused] }.map { |one| one[:name] }.sort
    assert_equal "2", database.value("SELECT left_out FROM scalingo_staging_sync.runs")
    assert_equal ["1 built in 1"], database.values(PLANS)
    assert_equal "20", database.value("SELECT count(*) FROM people")
  end

  def test_without_the_extension_nothing_is_said_of_its_rows
    production = new_database("bare")
    production.exec(EXTENSION)
    target = new_database
    outcome = run!(source: production.dump(path("bare.dump")), target: target.url)
    assert_empty outcome.warnings.grep(/plans/) unless target.value("SELECT to_regclass('plans')")
    assert_equal "0", target.value("SELECT left_out FROM scalingo_staging_sync.runs")
  end

  def test_jobs_of_a_scheduler_never_come
    jobs = <<~SQL
      CREATE EXTENSION pg_trgm;
      CREATE SCHEMA cron;
      CREATE TABLE cron.job (id int PRIMARY KEY, command text);
      ALTER EXTENSION pg_trgm ADD TABLE cron.job;
      UPDATE pg_extension SET extconfig = ARRAY['cron.job'::regclass]::oid[], extcondition = ARRAY[''] WHERE extname = 'pg_trgm';
    SQL
    production = new_database("jobs")
    production.exec("#{jobs}INSERT INTO cron.job VALUES (1, 'SELECT send_invoices()')")
    target = new_database
    target.exec(jobs)
    outcome = run!(source: production.dump(path("jobs.dump")), target: target.url)
    assert_equal ["Rows of the extension's own table cron.job are left out: they are jobs, which would run here, too."], outcome.warnings.grep(/cron/)
    assert_equal "0", target.value("SELECT count(*) FROM cron.job")
  end

  def test_rows_that_claim_to_be_an_extensions_go_into_no_other_table
    target = new_database
    target.exec("CREATE EXTENSION pg_trgm; CREATE TABLE plans (id int, parent text, days int); ALTER EXTENSION pg_trgm ADD TABLE plans")
    outcome = run!(source: archive, target: target.url)
    assert_match(/plans is left out: public\.plans is no table of an extension/, outcome.warnings.grep(/public\.plans/).join)
    assert_equal "0", target.value("SELECT count(*) FROM plans")
  end

  def test_by_hand_they_stay_out
    target = prepared(new_database)
    run!(source: archive, target: target.url, options: { exclude_objects: ["TABLE DATA notes"] })
    assert_equal "0", target.value("SELECT count(*) FROM notes")
    assert_equal "3", target.value("SELECT count(*) FROM plans")
  end

  def test_a_masked_archive_has_them
    settings = Engine.settings(source: archive, target: "postgres://nowhere/x")
    file = path("masked.dump")
    ScalingoStagingSync::Native.dump(settings, { "to" => { "file" => file }, "compression" => "gzip" }) { |_| nil }
    copy = new_database("restored")
    prepared(copy)
    copy.exec("TRUNCATE plans, notes")
    copy.restore(file, "--data-only", "--table=plans", "--table=notes")
    assert_equal ["1 built in 1", "2 public.events 30", "3 public.logs 90"], copy.values(PLANS)
  end

  private

  def archive = Shared.archive_of(:extension_rows, PRODUCTION)

  # The target as its provider has prepared it: everyone may read what the extension has.
  def prepared(database) = database.tap { database.exec("#{EXTENSION}GRANT SELECT ON plans, notes TO PUBLIC") }
end

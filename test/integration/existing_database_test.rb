# frozen_string_literal: true

require_relative "integration_helper"

# `Native.anonymize`: masking a database that is already there, by way of temporary copies.
class ExistingDatabaseTest < IntegrationTest
  def test_it_masks_as_a_run_would_have
    expected = new_database("expected")
    run!(source: shop_archive, target: expected.url, rules: SHOP_RULES)
    target = raw_copy
    report = anonymize!(target)
    assert_nothing_raw target
    assert_same_text expected.canonical_dump, target.canonical_dump, "masking in place gives other rows than a run"
    assert_equal "400", report[:tables].find { |table| table[:table] == "public.users" }[:rows].to_s
    assert report[:verified]
  end

  def test_no_raw_row_stays_in_the_tables_files
    target = raw_copy
    secret = shop.value("SELECT email FROM users WHERE id = 7")
    assert_includes files_of(target), secret, "the search would find it"
    anonymize!(target)
    Postgres.exec("CHECKPOINT")
    target.exec("CHECKPOINT")
    refute_includes files_of(target, "users", "emails"), secret
  end

  def test_materialized_views_show_masked_values_afterwards
    target = raw_copy
    target.exec("CREATE MATERIALIZED VIEW people AS SELECT email FROM users")
    anonymize!(target)
    assert_empty target.values("SELECT email FROM people") & shop.values("SELECT email FROM users")
  end

  def test_triggers_and_rules_are_silent_and_come_back_as_they_were
    target = raw_copy
    target.exec(<<~SQL)
      CREATE FUNCTION shout() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'written to'; END $$;
      CREATE TRIGGER loud BEFORE INSERT OR UPDATE ON emails FOR EACH ROW EXECUTE FUNCTION shout();
      ALTER TABLE emails ENABLE ALWAYS TRIGGER loud;
      CREATE TRIGGER quiet BEFORE INSERT ON emails FOR EACH ROW EXECUTE FUNCTION shout();
      ALTER TABLE emails DISABLE TRIGGER quiet;
      CREATE RULE ignore AS ON INSERT TO addresses DO INSTEAD NOTHING;
    SQL
    anonymize!(target)
    assert_equal [%w[loud A], %w[quiet D]],
                 target.exec("SELECT tgname, tgenabled FROM pg_trigger WHERE tgname IN ('loud', 'quiet') ORDER BY 1").map(&:values)
    assert_equal shop.value("SELECT count(*) FROM addresses"), target.value("SELECT count(*) FROM addresses")
    assert_equal "O", target.value("SELECT ev_enabled FROM pg_rewrite WHERE rulename = 'ignore'")
  end

  def test_partitions_and_generated_and_identity_columns
    target = new_database
    target.exec(<<~SQL)
      CREATE TABLE people (id bigint GENERATED ALWAYS AS IDENTITY, region int, email text,
        shout text NOT NULL GENERATED ALWAYS AS (upper(email)) STORED, PRIMARY KEY (id, region)) PARTITION BY LIST (region);
      CREATE TABLE people_1 PARTITION OF people FOR VALUES IN (1);
      CREATE TABLE people_2 (region int NOT NULL, email text, id bigint NOT NULL,
        shout text NOT NULL GENERATED ALWAYS AS (upper(email)) STORED);
      ALTER TABLE people ATTACH PARTITION people_2 FOR VALUES IN (2);
      CREATE TABLE visits (person_id bigint, region int, FOREIGN KEY (person_id, region) REFERENCES people (id, region));
      INSERT INTO people (region, email) SELECT 1 + n % 2, 'p' || n || '@x.example' FROM generate_series(1, 20) AS n;
      INSERT INTO visits SELECT id, region FROM people;
    SQL
    anonymize!(target, rules: { "people" => :email_anonymization })
    assert_equal "20", target.value("SELECT count(*) FROM people WHERE email ~ '^[0-9a-f]{20}@' AND shout = upper(email)")
    assert_equal "20", target.value("SELECT count(*) FROM visits JOIN people ON id = person_id AND people.region = visits.region")
    assert_equal "1", target.value("SELECT count(*) FROM pg_constraint WHERE contype = 'f' AND conparentid = 0 AND convalidated")
  end

  def test_a_failure_leaves_every_table_as_it_was
    target = half_masked
    before = target.canonical_dump
    assert_instance_of ScalingoStagingSync::RestoreError, refused(target)
    assert_same_text before, target.canonical_dump, "a failed run changed something"
  end

  def test_without_rollback_the_other_tables_are_masked_and_the_failed_one_is_named
    target = half_masked
    error = refused(target, masking_options: { rollback_on_error: false })
    assert_match(/1 of \d+ tables .*public\.users/, error.message)
    assert_empty target.values("SELECT email FROM emails") & shop.values("SELECT email FROM emails")
    assert_equal shop.values("SELECT email FROM users ORDER BY id"), target.values("SELECT email FROM users ORDER BY id")
  end

  def test_a_wrong_rule_touches_nothing
    target = raw_copy
    before = target.canonical_dump
    assert_instance_of ScalingoStagingSync::PlanError, refused(target, rules: { "userz" => :user_anonymization })
    assert_same_text before, target.canonical_dump, "a refused run changed something"
  end

  def test_a_table_that_runs_exclude_is_masked_here
    target = raw_copy
    anonymize!(target, exclude: ["emails"])
    assert_nothing_raw target
  end

  POLICIES = <<~SQL
    CREATE TABLE teams (id int PRIMARY KEY);
    INSERT INTO teams SELECT generate_series(1, 3);
    CREATE TABLE people (id int PRIMARY KEY, team_id int REFERENCES teams, email text);
    INSERT INTO people SELECT n, n % 3 + 1, 'p' || n || '@corp.example' FROM generate_series(1, 30) AS n;
    ALTER TABLE people ENABLE ROW LEVEL SECURITY;
    ALTER TABLE people FORCE ROW LEVEL SECURITY;
    CREATE POLICY few ON people USING (id < 3);
    ALTER TABLE teams FORCE ROW LEVEL SECURITY;
  SQL

  FORCED = "SELECT relname || ' ' || relforcerowsecurity || ' ' || relrowsecurity FROM pg_class WHERE relname IN ('people', 'teams') ORDER BY relname"

  def test_policies_that_hold_for_the_owner_hide_no_row_and_hold_again_afterwards
    staging = new_staging
    as_owner(staging, POLICIES)
    report = anonymize!(staging, rules: { "people" => :email_anonymization })
    assert report[:verified]
    assert_equal "0", staging.database.value("SELECT count(*) FROM people WHERE email LIKE '%corp%'")
    assert_equal "30", staging.database.value("SELECT count(DISTINCT email) FROM people")
    assert_equal ["people true true", "teams true false"], staging.database.values(FORCED)
    assert_nil staging.database.value("SELECT to_regclass('scalingo_staging_sync.unforced')")
  end

  def test_they_hold_again_also_after_a_failure_and_after_a_job_that_was_killed
    staging = new_staging
    as_owner(staging, "#{POLICIES}ALTER TABLE people ADD CHECK (email NOT LIKE '%@demo.example.com');")
    refused(staging, rules: { "people" => :email_anonymization })
    assert_equal ["people true true", "teams true false"], staging.database.values(FORCED)

    as_owner(staging, "CREATE TABLE scalingo_staging_sync.unforced (name text PRIMARY KEY); INSERT INTO scalingo_staging_sync.unforced VALUES ('public.people'), ('public.gone');
                       ALTER TABLE people NO FORCE ROW LEVEL SECURITY")
    refused(staging, rules: { "peoples" => :email_anonymization })
    assert_equal ["people true true", "teams true false"], staging.database.values(FORCED)
  end

  private

  def as_owner(staging, sql) = staging.database.connect(staging.url) { |connection| connection.exec(sql) }

  def raw_copy = new_database.restore(shop_dump)

  # A check that the masked users cannot meet, so that their table fails after others were masked.
  def half_masked
    raw_copy.tap { |target| target.exec("ALTER TABLE users ADD CHECK (first_name <> 'Demo')") }
  end

  def anonymize!(target, rules: SHOP_RULES, **settings)
    ScalingoStagingSync::Native.anonymize(Engine.settings(source: File::NULL, target: target.url, rules:, **settings))
  end

  def refused(target, rules: SHOP_RULES, **settings)
    assert_raises(ScalingoStagingSync::Error) { anonymize!(target, rules:, **settings) }.tap { |error| assert_well_worded error }
  end

  # The bytes of the files of some tables, or of the whole database.
  def files_of(database, *tables)
    database.exec("CHECKPOINT")
    paths =
      if tables.empty?
        [database.value("SELECT 'base/' || oid FROM pg_database WHERE datname = current_database()")]
      else
        tables.map { |table| database.value("SELECT pg_relation_filepath('#{table}')") }
      end
    full = paths.map { |relative| File.join(ENV.fetch("TEST_PG_DATA"), relative) }
    full.flat_map { |one| File.directory?(one) ? Dir.glob("#{one}/*") : [one] }.map { |one| File.binread(one) }.join.b
  end
end

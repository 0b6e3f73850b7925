# frozen_string_literal: true

require_relative "integration_helper"

# What would be found out when the old data is gone is found out before, by the dry run as by the run.
class ForesightTest < IntegrationTest
  PEOPLE = <<~SQL
    CREATE TABLE people (id int PRIMARY KEY, name text, age int);
    INSERT INTO people SELECT n, 'Nora ' || n, n FROM generate_series(1, 20) AS n;
  SQL

  def test_policies_for_roles_that_are_missing_and_what_only_a_superuser_makes_are_named
    gone = Postgres.create_role("gone")
    production = new_database("foresight")
    production.exec(PEOPLE + <<~SQL)
      ALTER TABLE people ENABLE ROW LEVEL SECURITY;
      CREATE POLICY reads ON people FOR SELECT TO #{gone} USING (true);
      CREATE POLICY own ON people FOR SELECT TO CURRENT_USER, PUBLIC USING (age < 5);
      CREATE FUNCTION same(text, text) RETURNS boolean LANGUAGE internal IMMUTABLE STRICT AS 'texteq';
      CREATE FUNCTION note_ddl() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';
      CREATE EVENT TRIGGER watch ON ddl_command_end EXECUTE FUNCTION note_ddl();
    SQL
    archive = production.dump(path("roles.dump"))
    production.exec("DROP OWNED BY #{gone}")
    Postgres.exec("DROP ROLE #{gone}")
    plan = dry_run(archive, new_staging.url)
    assert_equal [
      "EVENT TRIGGER watch would be left out: only a superuser may create it.",
      "FUNCTION public.same(text, text) would be left out: only a superuser may create it.",
      "POLICY public.people reads would be left out: the target has no role #{gone}."
    ], plan[:warnings].grep(/left out/).sort
    assert plan[:would_succeed]
  end

  def test_a_restrictive_policy_for_a_missing_role_would_end_the_run
    gone = Postgres.create_role("gone")
    production = new_database("foresight")
    production.exec("#{PEOPLE}CREATE POLICY young_only ON people AS RESTRICTIVE TO #{gone} USING (age < 5);")
    archive = production.dump(path("restrictive.dump"))
    production.exec("DROP OWNED BY #{gone}")
    Postgres.exec("DROP ROLE #{gone}")
    plan = dry_run(archive, new_staging.url)
    refute plan[:would_succeed]
    assert_includes plan[:problems].first[:what], "POLICY public.people young_only cannot be created: the target has no role #{gone}"
  end

  def test_the_whole_schema_is_tried_where_that_is_asked_for
    archive = archive_of(PEOPLE + <<~SQL)
      CREATE FUNCTION lowered(t text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN nowhere.plain(t); END';
      CREATE FUNCTION same(text, text) RETURNS boolean LANGUAGE internal IMMUTABLE STRICT AS 'texteq';
      CREATE VIEW twins AS SELECT id FROM people WHERE same(name, 'Nora');
      CREATE CAST (varchar AS integer) WITH INOUT AS IMPLICIT;
    SQL
    staging = new_staging
    run!(source: archive, target: staging.url)
    assert_untouched(staging.database) do
      plan = dry_run(archive, staging.url, options: { try_schema: true })
      assert_equal ["CAST CAST (character varying AS integer)", "FUNCTION public.same(text, text)", "VIEW public.twins"],
                   plan[:left_out].select { |one| one[:refused] }.map { |one| "#{one[:kind]} #{one[:name]}" }.sort
      assert(plan[:warnings].one? { |warning| warning.start_with?("FUNCTION public.same(text, text) would be left out: ") }, plan[:warnings].inspect)
      assert plan[:would_succeed]
    end
    assert_equal "complete", staging.database.value("SELECT status FROM scalingo_staging_sync.state")
  end

  def test_what_rows_need_and_the_target_refuses_is_a_problem_of_the_trial
    archive = archive_of(<<~SQL)
      CREATE FUNCTION same(text, text) RETURNS boolean LANGUAGE internal IMMUTABLE STRICT AS 'texteq';
      CREATE TABLE notes (id int PRIMARY KEY, note text CHECK (same(note, note)));
    SQL
    plan = dry_run(archive, new_staging.url, options: { try_schema: true })
    refute plan[:would_succeed]
    assert_match(/same/, plan[:problems].first[:what])
  end

  def test_a_table_that_another_session_holds_is_no_problem_of_the_trial
    archive = archive_of(PEOPLE)
    staging = new_staging
    run!(source: archive, target: staging.url)
    staging.database.connect do |holder|
      holder.exec("BEGIN; SELECT count(*) FROM people")
      plan = dry_run(archive, staging.url, target_options: { lock_timeout: 0.1 }, options: { try_schema: true })
      assert_equal ["The schema was not tried: tables of the target are in use."], plan[:warnings].grep(/tried/)
      assert plan[:would_succeed]
    end
  end

  def test_a_role_with_few_connections_runs_with_fewer_and_says_so
    archive = archive_of(PEOPLE)
    staging = new_staging
    Postgres.exec("ALTER ROLE #{staging.role} CONNECTION LIMIT 3")
    said = "The target has no more than 2 of the connections of config.parallel_connections left, so that the run takes longer."
    assert_equal [said], dry_run(archive, staging.url, target_options: { parallel_connections: 4 })[:warnings].grep(/connections/)
    outcome = run!(source: archive, target: staging.url, target_options: { parallel_connections: 4 })
    assert_equal [said], outcome.warnings.grep(/connections/)
    assert_equal "20", staging.database.value("SELECT count(*) FROM people")
  end

  def test_a_role_with_too_few_connections_ends_the_run_before_the_old_data_goes
    archive = archive_of(PEOPLE)
    staging = new_staging
    Postgres.exec("ALTER ROLE #{staging.role} CONNECTION LIMIT 1")
    error = assert_untouched(staging.database) do
      assert_run_fails(ScalingoStagingSync::TargetConnectionError, source: archive, target: staging.url)
    end
    assert_includes error.what, "The run needs 2 at once, and had 1."
    plan = dry_run(archive, staging.url)
    refute plan[:would_succeed]
    assert_includes plan[:problems].first[:what], "may open 1 more connection, and the run needs 2 at once"
  end

  FITS = "CREATE FUNCTION fits(text) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT length($1) > 3';"

  MASK = { "scan" => true, "policy" => "mask", "sample_rows" => 1000 }.freeze

  def test_a_check_that_no_mask_meets_should_values_look_personal_is_named_in_the_dry_run
    archive = archive_of("#{FITS}CREATE TABLE parts (id int PRIMARY KEY, reference text NOT NULL CHECK (fits(reference)), other text CHECK (length(other) < 90));")
    warnings = dry_run(archive, new_staging.url, options: { pii: MASK })[:warnings].grep(/CHECK/)
    assert_equal 1, warnings.size
    assert_includes warnings.first, "Should values of public.parts.reference look personal, no mask takes their place"
    assert_empty dry_run(archive, new_staging.url)[:warnings].grep(/CHECK/), "where nothing is masked by itself nothing is said"
  end

  def test_a_check_that_no_mask_meets_is_known_before_anything_is_touched
    archive = archive_of(<<~SQL)
      #{FITS}
      CREATE TABLE people (id int PRIMARY KEY, email text NOT NULL CHECK (fits(email)));
      INSERT INTO people SELECT n, 'p' || n || '@corp.example' FROM generate_series(1, 20) AS n;
    SQL
    staging = new_staging
    asked = { source: archive, options: { pii: MASK } }
    refute ScalingoStagingSync::Native.plan(Engine.settings(target: staging.url, **asked)) { |_| nil }[:would_succeed]
    assert_untouched(staging.database) do
      assert_run_fails(ScalingoStagingSync::PersonalDataError, target: staging.url, **asked)
    end
  end

  private

  def archive_of(sql)
    database = new_database("foresight")
    database.exec(sql)
    database.dump(path("#{database.name}.dump"))
  end

  def dry_run(archive, url, **)
    ScalingoStagingSync::Native.plan(Engine.settings(source: archive, target: url, **)) { |_| nil }
  end
end

# frozen_string_literal: true

require_relative "integration_helper"

# What becomes of a run when the target refuses objects that no row needs, as the role that Scalingo hands out.
class RefusedObjectsTest < IntegrationTest
  PEOPLE = <<~SQL
    CREATE TABLE people (id int PRIMARY KEY, email text NOT NULL, name text, age int);
    INSERT INTO people SELECT n, 'p' || n || '@corp.example', 'Nora ' || n, n % 10 FROM generate_series(1, 20) AS n;
  SQL

  def test_what_only_a_superuser_makes_is_left_out_with_all_that_needs_it
    outcome = filled(PEOPLE + <<~SQL)
      CREATE CAST (varchar AS integer) WITH INOUT AS IMPLICIT;
      CREATE FUNCTION same(text, text) RETURNS boolean LANGUAGE internal IMMUTABLE STRICT AS 'texteq';
      CREATE OPERATOR ~=~~ (LEFTARG = text, RIGHTARG = text, FUNCTION = same);
      CREATE VIEW twins AS SELECT a.id FROM people a JOIN people b ON a.name OPERATOR(public.~=~~) b.name;
      CREATE VIEW twins_of_twins AS SELECT id FROM twins;
      CREATE OPERATOR CLASS by_length FOR TYPE text USING hash AS OPERATOR 1 =, FUNCTION 1 hashtext(text);
      CREATE TEXT SEARCH TEMPLATE plain_template (LEXIZE = dsimple_lexize);
      CREATE FUNCTION note_ddl() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';
      CREATE EVENT TRIGGER watch ON ddl_command_end EXECUTE FUNCTION note_ddl();
      CREATE INDEX same_name ON people (same(name, 'Nora'));
      CREATE VIEW adults AS SELECT id FROM people WHERE age > 5;
    SQL
    refused = outcome.report[:left_out].select { |one| one[:refused] }
    assert_equal [
      "CAST CAST (character varying AS integer)", "EVENT TRIGGER watch", "FUNCTION public.same(text, text)", "INDEX public.same_name",
      "OPERATOR CLASS public.by_length", "OPERATOR FAMILY public.by_length", "OPERATOR public.~=~~",
      "TEXT SEARCH TEMPLATE public.plain_template", "VIEW public.twins", "VIEW public.twins_of_twins"
    ], refused.map { |one| "#{one[:kind]} #{one[:name]}" }.sort
    assert_equal({ "VIEW public.twins" => "it needs OPERATOR public.~=~~, which is left out",
                   "INDEX public.same_name" => "it needs FUNCTION public.same(text, text), which is left out" },
                 refused.to_h { |one| ["#{one[:kind]} #{one[:name]}", one[:why]] }.slice("VIEW public.twins", "INDEX public.same_name"))
    assert_equal "9", @staging.value("SELECT 1 + count(*) FROM adults")
    assert_equal refused.size.to_s, @staging.value("SELECT left_out FROM scalingo_staging_sync.runs")
    assert_equal "complete", @staging.value("SELECT status FROM scalingo_staging_sync.state")
  end

  def test_a_policy_for_a_role_that_the_target_has_not_is_left_out_and_rows_stay_protected
    gone = Postgres.create_role("gone")
    production = source(PEOPLE + <<~SQL)
      ALTER TABLE people ENABLE ROW LEVEL SECURITY;
      CREATE POLICY reads ON people FOR SELECT TO #{gone} USING (true);
      CREATE POLICY young ON people FOR SELECT USING (age < 5);
    SQL
    archive = production.dump(path("policies.dump"))
    production.exec("DROP OWNED BY #{gone}")
    Postgres.exec("DROP ROLE #{gone}")
    outcome = fill(archive)
    assert_equal ["POLICY public.people reads is left out: role \"#{gone}\" does not exist (SQLSTATE 42704)."], outcome.warnings.grep(/POLICY/)
    assert_equal ["young"], @staging.values("SELECT polname FROM pg_policy")
    assert_equal "t", @staging.value("SELECT relrowsecurity FROM pg_class WHERE relname = 'people'")
  end

  def test_an_index_whose_function_finds_nothing_is_left_out_with_the_cure_in_production
    skip "PostgreSQL 17 and later build no such index" if Postgres.version >= 17

    outcome = filled(PEOPLE + <<~SQL)
      CREATE FUNCTION lowered(t text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN plain(t); END';
      CREATE FUNCTION plain(t text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT lower($1)';
      CREATE INDEX by_plain_name ON people (lowered(name));
      CREATE MATERIALIZED VIEW plain_names AS SELECT lowered(name) AS name FROM people;
    SQL
    if @staging.value("SELECT to_regclass('by_plain_name')")
      assert_empty outcome.warnings.grep(/by_plain_name/), "it is built where production finds the function"
    else
      cure = "in production, ALTER FUNCTION public.lowered(t text) SET search_path = public cures it"
      assert(outcome.warnings.grep(/INDEX public.by_plain_name is left out/).any? { |warning| warning.include?(cure) }, outcome.warnings.join("\n"))
    end
    assert_equal "20", @staging.value("SELECT count(*) FROM people")
  end

  def test_rows_that_productions_own_keys_refuse_leave_the_key_unchecked_and_the_index_out
    outcome = filled(PEOPLE + <<~SQL)
      CREATE TABLE visits (id int PRIMARY KEY, person_id int REFERENCES people, place text);
      INSERT INTO visits SELECT n, n, 'place ' || n FROM generate_series(1, 20) AS n;
      CREATE UNIQUE INDEX one_place ON visits (place);
      SET session_replication_role = replica;
      DELETE FROM people WHERE id = 7;
      UPDATE pg_index SET indisunique = false, indisready = false, indisvalid = false, indislive = false WHERE indexrelid = 'one_place'::regclass;
      UPDATE visits SET place = 'place 1' WHERE id = 2;
      UPDATE pg_index SET indisunique = true, indisready = true, indisvalid = true, indislive = true WHERE indexrelid = 'one_place'::regclass;
    SQL
    key = outcome.warnings.grep(/visits_person_id_fkey/).join
    assert_includes key, "is added NOT VALID: rows of production do not meet it; 1 such row: SELECT * FROM"
    assert_equal "1", @staging.value("SELECT count(*) FROM (#{key[/SELECT .*(?=\.\z)/]}) found")
    assert_equal "f", @staging.value("SELECT convalidated FROM pg_constraint WHERE conname = 'visits_person_id_fkey'")
    index = outcome.warnings.grep(/one_place/).join
    assert_match(/\AINDEX public\.one_place is left out: .*; 1 such row: SELECT/, index)
    assert_equal "place 1", @staging.value(index[/SELECT .*(?=\.\z)/])
    assert_equal "20", @staging.value("SELECT count(*) FROM visits")
  end

  def test_a_view_in_two_parts_leaves_no_shell
    outcome = filled(PEOPLE + <<~SQL)
      CREATE FUNCTION same(text, text) RETURNS boolean LANGUAGE internal IMMUTABLE STRICT AS 'texteq';
      CREATE VIEW grouped AS SELECT id, name, same(name, 'x') FROM people GROUP BY id;
    SQL
    assert_nil @staging.value("SELECT to_regclass('grouped')"), outcome.warnings.join("\n")
  end

  def test_what_an_extension_says_of_itself_is_a_refusal_of_the_object
    outcome = filled(PEOPLE + <<~SQL)
      CREATE FUNCTION lost() RETURNS int LANGUAGE plpgsql AS
        'BEGIN IF current_database() LIKE ''staging%'' THEN RAISE ''nothing found'' USING ERRCODE = ''XX000''; END IF; RETURN 1; END';
      CREATE MATERIALIZED VIEW found AS SELECT lost() AS number FROM people;
      CREATE MATERIALIZED VIEW found_again AS SELECT number FROM found;
    SQL
    assert_equal ["MATERIALIZED VIEW DATA public.found is left out: the server has an internal error (SQLSTATE XX000).",
                  "MATERIALIZED VIEW DATA public.found_again is left out: it needs MATERIALIZED VIEW DATA public.found, which is left out."],
                 outcome.warnings.grep(/found/).sort
    assert_equal "20", @staging.value("SELECT count(*) FROM people")
  end

  def test_with_fail_the_run_ends_and_nothing_is_touched
    production = source("#{PEOPLE}CREATE CAST (varchar AS integer) WITH INOUT AS IMPLICIT;")
    archive = production.dump(path("cast.dump"))
    staging = new_staging
    assert_untouched(staging.database) do
      assert_run_fails ScalingoStagingSync::PrivilegeError, source: archive, target: staging.url, options: { on_object_error: "fail" }
    end
  end

  def test_what_rows_need_still_ends_the_run
    production = source(<<~SQL)
      CREATE FUNCTION same(text, text) RETURNS boolean LANGUAGE internal IMMUTABLE STRICT AS 'texteq';
      CREATE TABLE notes (id int PRIMARY KEY, note text CHECK (same(note, note)));
    SQL
    staging = new_staging
    error = assert_run_fails(ScalingoStagingSync::PrivilegeError, source: production.dump(path("needed.dump")), target: staging.url)
    assert_includes error.what, "language internal"
  end

  def test_a_restrictive_policy_still_ends_the_run
    gone = Postgres.create_role("gone")
    production = source("#{PEOPLE}CREATE POLICY young_only ON people AS RESTRICTIVE TO #{gone} USING (age < 5);")
    archive = production.dump(path("restrictive.dump"))
    production.exec("DROP OWNED BY #{gone}")
    Postgres.exec("DROP ROLE #{gone}")
    assert_run_fails ScalingoStagingSync::RestoreError, source: archive, target: new_staging.url
  end

  def test_objects_named_by_hand_stay_out_with_what_needs_them
    archive = source(PEOPLE + <<~SQL).dump(path("by_hand.dump"))
      CREATE INDEX people_age ON people (age);
      CREATE INDEX people_name ON people (name);
      CREATE FUNCTION decade(int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT $1 / 10';
      CREATE VIEW decades AS SELECT decade(age) FROM people;
    SQL
    options = { exclude_objects: ["index PEOPLE_*", "FUNCTION decade*"] }
    outcome = fill(archive, options:)
    assert_equal ["people_pkey"], @staging.values("SELECT indexrelid::regclass::text FROM pg_index WHERE indrelid = 'people'::regclass")
    assert_nil @staging.value("SELECT to_regclass('decades')")
    reasons = outcome.report[:left_out].to_h { |one| [one[:name], one[:why]] }
    assert_equal "the configuration names it", reasons["public.people_age"]
    assert_equal "it needs FUNCTION public.decade(integer), which is left out", reasons["public.decades"]
    assert_equal "0", @staging.value("SELECT left_out FROM scalingo_staging_sync.runs")
    settings = Engine.settings(source: archive, target: @url, options:)
    assert_includes ScalingoStagingSync::Native.plan(settings) { |_| nil }[:left_out].map { |one| one[:name] }, "public.people_name"
  end

  def test_a_pattern_that_matches_nothing_or_what_rows_need_is_an_error_of_the_plan
    archive = source(PEOPLE).dump(path("pattern.dump"))
    staging = new_staging
    { "INDEX nowhere" => "nothing in the backup matches", "TABLE people" => "which rows or their protection need" }.each do |pattern, said|
      error = assert_run_fails(ScalingoStagingSync::PlanError, source: archive, target: staging.url, options: { exclude_objects: [pattern] })
      assert_includes error.what, said
    end
  end

  private

  def source(sql)
    new_database("refused").tap { |database| database.exec(sql) }
  end

  def filled(sql) = fill(source(sql).dump(path("refused.dump")))

  def fill(archive, **)
    staging = new_staging
    @staging = staging.database
    @url = staging.url
    run!(source: archive, target: staging.url, **)
  end
end

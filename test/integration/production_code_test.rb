# frozen_string_literal: true

require_relative "integration_helper"

# Functions of production's own that a load calls: in CHECKs, generated columns, index expressions and policies. They name
# others without their schema, read tables that come later, or hide rows from those who look.
class ProductionCodeTest < IntegrationTest
  def test_a_check_that_reads_a_table_which_comes_later_is_met_once_that_is_there
    outcome = filled(<<~SQL)
      CREATE TABLE zcodes (code text PRIMARY KEY);
      INSERT INTO zcodes VALUES ('a'), ('b');
      CREATE FUNCTION code_known(c text) RETURNS boolean LANGUAGE sql STABLE AS 'SELECT EXISTS (SELECT 1 FROM zcodes WHERE code = c)';
      CREATE TABLE acts (id int PRIMARY KEY, code text CHECK (code_known(code)));
      INSERT INTO acts SELECT n, 'a' FROM generate_series(1, 20) AS n;
    SQL
    assert_equal "20", @staging.value("SELECT count(*) FROM acts")
    assert_includes outcome.warnings, "The backup is streamed again for public.acts."
  end

  def test_a_generated_column_finds_functions_as_in_production
    filled(<<~SQL)
      CREATE FUNCTION plain(t text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT lower($1)';
      CREATE FUNCTION slugify(v text) RETURNS text LANGUAGE plpgsql IMMUTABLE STRICT AS 'BEGIN RETURN plain(v); END';
      CREATE TABLE pages (id int PRIMARY KEY, title text, slug text GENERATED ALWAYS AS (slugify(title)) STORED);
      INSERT INTO pages (id, title) SELECT n, 'Page ' || n FROM generate_series(1, 20) AS n;
    SQL
    assert_equal "page 7", @staging.value("SELECT slug FROM pages WHERE id = 7")
  end

  def test_a_check_that_production_itself_does_not_meet_ends_the_run
    production = source(<<~SQL)
      CREATE TABLE marks (id int PRIMARY KEY, mark int);
      INSERT INTO marks VALUES (1, -1);
      CREATE FUNCTION is_mark(m int) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT true';
      ALTER TABLE marks ADD CHECK (is_mark(mark));
      CREATE OR REPLACE FUNCTION is_mark(m int) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT m > 0';
    SQL
    staging = new_staging
    error = assert_run_fails(ScalingoStagingSync::RestoreError, source: production.dump(path("marks.dump")), target: staging.url)
    assert_equal ["public.marks", "23514"], [error.table, error.sqlstate]
  end

  def test_masked_rows_under_an_index_whose_function_names_another_are_verified
    skip "PostgreSQL 17 and later build no such index" if Postgres.version >= 17

    filled(<<~SQL, rules: { "people" => :user_anonymization })
      CREATE FUNCTION plain(t text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT lower($1)';
      CREATE FUNCTION slugify(v text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT plain(v)';
      CREATE TABLE people (id int PRIMARY KEY, email text, town text);
      INSERT INTO people SELECT n, 'p' || n || '@corp.example', 'Town ' || n FROM generate_series(1, 20) AS n;
      CREATE INDEX people_slug ON people (slugify(town));
    SQL
    assert_equal "20", @staging.value("SELECT count(*) FROM people")
  end

  def test_policies_that_hold_for_the_owner_too_hide_no_row_from_keys_and_views
    outcome = filled(<<~SQL)
      CREATE TABLE users (id int PRIMARY KEY, tenant_id int);
      INSERT INTO users SELECT n, n % 5 FROM generate_series(1, 200) AS n;
      CREATE TABLE notes (id int PRIMARY KEY, user_id int REFERENCES users);
      INSERT INTO notes SELECT n, n FROM generate_series(1, 200) AS n;
      ALTER TABLE users ENABLE ROW LEVEL SECURITY;
      ALTER TABLE users FORCE ROW LEVEL SECURITY;
      CREATE POLICY tenant ON users USING (tenant_id = current_setting('app.tenant')::int);
      CREATE MATERIALIZED VIEW per_tenant AS SELECT tenant_id, count(*) FROM users GROUP BY 1;
    SQL
    assert_empty outcome.warnings
    assert_equal "t", @staging.value("SELECT relforcerowsecurity AND relrowsecurity FROM pg_class WHERE relname = 'users'")
    assert_equal "t", @staging.value("SELECT convalidated FROM pg_constraint WHERE conname = 'notes_user_id_fkey'")
    assert_equal "200", @staging.value("SELECT sum(count) FROM per_tenant")
  end

  def test_a_second_run_clears_what_the_first_has_made_of_odd_kinds
    archive = source(<<~SQL).dump(path("odd.dump"))
      CREATE TABLE t (id int PRIMARY KEY);
      INSERT INTO t VALUES (1);
      CREATE PROCEDURE bump(OUT total int, IN a int, IN b int) LANGUAGE sql AS 'SELECT a + b';
      CREATE PROCEDURE bump(IN a int, IN b int, IN c int) LANGUAGE sql AS 'SELECT 1';
      CREATE TYPE later;
      CREATE FUNCTION read(internal) RETURNS internal LANGUAGE internal IMMUTABLE AS 'varchar_support';
      CREATE TRANSFORM FOR varchar LANGUAGE sql (FROM SQL WITH FUNCTION read(internal));
    SQL
    target = new_database("odd")
    2.times do
      outcome = run!(source: archive, target: target.url)
      assert_empty outcome.warnings
    end
    assert_equal "2", target.value("SELECT count(*) FROM pg_proc WHERE proname = 'bump'")
    assert_equal "1", target.value("SELECT count(*) FROM pg_type WHERE typname = 'later' AND NOT typisdefined")
    assert_equal "1", target.value("SELECT count(*) FROM pg_transform")
  end

  def test_an_extension_in_another_schema_than_the_backups_ends_the_run_before_anything_is_touched
    archive = source(<<~SQL).dump(path("extension.dump"))
      CREATE EXTENSION citext;
      CREATE TABLE users (id int PRIMARY KEY, email citext);
    SQL
    staging = new_staging
    staging.database.exec("DROP EXTENSION IF EXISTS citext; CREATE SCHEMA other; CREATE EXTENSION citext SCHEMA other")
    assert_untouched(staging.database) do
      error = assert_run_fails(ScalingoStagingSync::PlanError, source: archive, target: staging.url)
      assert_equal "The target has the extension citext in the schema other, and the backup wants it in public.", error.what
      @cure = error.remedy[/run (.*?) in the target/, 1]
    end
    staging.database.exec(@cure)
    run!(source: archive, target: staging.url)
  end

  private

  def source(sql)
    new_database("code").tap { |database| database.exec(sql) }
  end

  def filled(sql, **)
    archive = source(sql).dump(path("code.dump"))
    staging = new_staging
    @staging = staging.database
    run!(source: archive, target: staging.url, **)
  end
end

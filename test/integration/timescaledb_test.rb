# frozen_string_literal: true

require_relative "integration_helper"

# Hypertables of TimescaleDB: made anew in the target, with their rows through the table that a rule names.
#
# Most of this needs a server with the extension, which bin/with-postgres starts where it is installed:
#
#   bin/with-postgres --setting shared_preload_libraries=timescaledb bundle exec ruby -Itest test/integration/timescaledb_test.rb
class TimescaledbTest < IntegrationTest
  # A plain one with a foreign key and a trigger, one that a hash divides as well, one under a name that needs quotes, one
  # without chunks; more than ten chunks in all of the others.
  PRODUCTION = <<~SQL
    CREATE EXTENSION timescaledb;
    CREATE SCHEMA app;
    CREATE TABLE sensors (id int PRIMARY KEY, owner_email text);
    INSERT INTO sensors SELECT n, 's' || n || '@corp.example' FROM generate_series(1, 10) n;
    CREATE TABLE readings (at timestamptz NOT NULL, sensor_id int REFERENCES sensors, v float8, note text);
    SELECT create_hypertable('readings', 'at', chunk_time_interval => interval '3 days');
    INSERT INTO readings SELECT timestamptz '2026-06-01' + n * interval '1 hour', n % 10 + 1, n, 'n' || n || '@corp.example' FROM generate_series(1, 1000) n;
    CREATE INDEX readings_of_sensor ON readings (sensor_id, at DESC);
    CREATE FUNCTION stamp() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.v := coalesce(NEW.v, 7); RETURN NEW; END $$;
    CREATE TRIGGER stamps BEFORE INSERT OR UPDATE ON readings FOR EACH ROW EXECUTE FUNCTION stamp();
    CREATE TABLE spaced (at bigint NOT NULL, sensor_id int NOT NULL, email text, PRIMARY KEY (at, sensor_id));
    SELECT create_hypertable('spaced', 'at', 'sensor_id', 4, chunk_time_interval => 100);
    INSERT INTO spaced SELECT n, n % 10 + 1, 'n' || n || '@corp.example' FROM generate_series(1, 1000) n;
    CREATE TABLE app."Odd Name" (day date NOT NULL, sensor_id int NOT NULL REFERENCES sensors ON DELETE CASCADE, email text,
      twice int GENERATED ALWAYS AS (sensor_id * 2) STORED);
    SELECT create_hypertable('app."Odd Name"', 'day', chunk_time_interval => interval '10 days');
    INSERT INTO app."Odd Name" (day, sensor_id, email) SELECT date '2026-01-01' + n, n % 10 + 1, 'n' || n || '@corp.example' FROM generate_series(1, 100) n;
    CREATE TABLE bare (at timestamptz NOT NULL, email text);
    SELECT create_hypertable('bare', 'at');
  SQL

  # The same tables as the extension would have them, without the extension: one hypertable of two chunks.
  IMITATED = <<~SQL
    CREATE SCHEMA _timescaledb_internal;
    CREATE SCHEMA _timescaledb_functions;
    CREATE FUNCTION _timescaledb_functions.insert_blocker() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
    CREATE TABLE readings (at bigint NOT NULL, email text);
    CREATE TRIGGER ts_insert_blocker BEFORE INSERT ON readings FOR EACH ROW EXECUTE FUNCTION _timescaledb_functions.insert_blocker();
    CREATE TABLE _timescaledb_internal._hyper_1_1_chunk (CONSTRAINT constraint_1 CHECK (at >= 0 AND at < 100)) INHERITS (readings);
    CREATE TABLE _timescaledb_internal._hyper_1_2_chunk (CONSTRAINT constraint_2 CHECK (at >= 100 AND at < 200)) INHERITS (readings);
    INSERT INTO _timescaledb_internal._hyper_1_1_chunk SELECT n, 'a' || n || '@corp.example' FROM generate_series(0, 99) n;
    INSERT INTO _timescaledb_internal._hyper_1_2_chunk SELECT n, 'b' || n || '@corp.example' FROM generate_series(100, 199) n;
    CREATE INDEX readings_at ON readings (at);
    CREATE INDEX of_chunk ON _timescaledb_internal._hyper_1_1_chunk (at);
  SQL

  RULES = [
    { "table" => "readings", "columns" => { "note" => "email" } }, { "table" => "spaced", "columns" => { "email" => "email" } },
    { "table" => "sensors", "columns" => { "owner_email" => "email" } }, { "table" => "app.Odd Name", "columns" => { "email" => "email" } }
  ].freeze

  DIMENSIONS = <<~SQL
    SELECT h.schema_name || '.' || h.table_name || ' ' || d.column_name || ' ' || coalesce(d.interval_length, d.num_slices)
    FROM _timescaledb_catalog.hypertable h JOIN _timescaledb_catalog.dimension d ON d.hypertable_id = h.id ORDER BY 1
  SQL

  EXPECTED = ["app.Odd Name day 864000000000", "public.readings at 259200000000", "public.spaced at 100", "public.spaced sensor_id 4"].freeze

  def timescaledb
    known = Postgres.exec("SELECT current_setting('timescaledb.disable_load', true) AS one").first["one"]
    skip "needs a server with TimescaleDB among its shared_preload_libraries; this one is without" unless known
    yield
  end

  def archive(name, sql)
    Shared.made(name) do
      production = Postgres.create_database("hypertables").tap { |database| database.exec(sql) }
      production.dump("#{Shared.directory}/#{name}.dump").tap { production.drop }
    end
  end

  def hypertables = archive(:hypertables, PRODUCTION)

  def assert_whole(target)
    assert_equal EXPECTED, target.values(DIMENSIONS)
    { "readings" => "note", "spaced" => "email", 'app."Odd Name"' => "email" }.each do |table, column|
      count = table.start_with?("app") ? "100" : "1000"
      assert_equal count, target.value("SELECT count(DISTINCT #{column}) FROM #{table}")
      assert_equal "0", target.value("SELECT count(*) FROM #{table} WHERE #{column} LIKE '%corp.example%'")
      assert_equal "0", target.value("SELECT count(*) FROM ONLY #{table}"), "rows lie in chunks"
    end
    target.exec("INSERT INTO readings (at, sensor_id) VALUES ('2031-01-01', 1)")
    assert_equal "7", target.value("SELECT v FROM readings WHERE at = '2031-01-01'"), "a new chunk has the trigger"
    assert_raises(PG::ForeignKeyViolation) { target.exec("INSERT INTO readings (at, sensor_id) VALUES ('2031-01-02', 99)") }
    assert_raises(PG::UniqueViolation) { target.exec("INSERT INTO spaced (at, sensor_id) VALUES (1, 2)") }
  end

  def test_they_are_made_anew_and_a_run_into_its_own_result_makes_the_same
    timescaledb do
      target = new_database
      2.times do
        outcome = run!(source: hypertables, target: target.url, masking_options: { rules: RULES })
        assert_whole target
        assert_empty outcome.report[:left_out].select { |one| one[:refused] }
        rows = outcome.report[:tables].to_h { |table| [table[:table], table[:rows]] }
        assert_equal [1000, 1000, 100], rows.values_at("public.readings", "public.spaced", "app.Odd Name")
        assert_empty rows.keys.grep(/_timescaledb_/)
        assert_equal 1, outcome.warnings.grep(/come as plain tables.*public\.bare/).size
        assert outcome.report[:verified]
      end
    end
  end

  def test_a_role_that_owns_its_database_is_enough
    timescaledb do
      role = Postgres.create_role
      target = Postgres.create_database("owned", owner: role)
      later do
        target.drop
        Postgres.exec("DROP ROLE #{role}")
      end
      2.times { run!(source: hypertables, target: target.url_as(role), masking_options: { rules: RULES }) }
      assert_whole target
    end
  end

  def test_what_no_rule_covers_is_found_in_chunks
    timescaledb do
      target = new_database
      run!(source: hypertables, target: target.url, options: { pii: { "scan" => true, "policy" => "mask", "sample_rows" => 1000 } })
      assert_equal "0", target.value("SELECT count(*) FROM readings WHERE note LIKE '%corp.example%'")
      assert_equal "1000", target.value("SELECT count(*) FROM readings")
    end
  end

  def test_a_masked_archive_has_a_plain_table
    timescaledb do
      dump = path("masked.dump")
      settings = Engine.settings(source: hypertables, target: "postgres://nowhere", masking_options: { rules: RULES })
      ScalingoStagingSync::Native.dump(settings, { "to" => { "file" => dump }, "compression" => "gzip" })
      target = new_database
      run!(source: dump, target: target.url)
      assert_equal "1000", target.value("SELECT count(*) FROM ONLY readings")
    end
  end

  def test_without_the_extension_rows_come_into_a_plain_table_under_its_rules
    target = new_database
    rules = [{ "table" => "readings", "columns" => { "email" => "email" } }]
    2.times do
      outcome = run!(source: archive(:imitated, IMITATED), target: target.url, masking_options: { rules: })
      assert_equal "200", target.value("SELECT count(DISTINCT email) FROM ONLY readings")
      assert_equal "0", target.value("SELECT count(*) FROM readings WHERE email LIKE '%corp.example%'")
      assert_equal [["public.readings", 200]], outcome.report[:tables].map { |table| table.values_at(:table, :rows) }
      assert_equal ["readings_at"], target.values("SELECT indexname FROM pg_indexes WHERE schemaname IN ('public', '_timescaledb_internal')")
    end
  end

  def test_a_subset_chooses_among_the_rows_of_all_chunks
    target = new_database
    tenth = { "table" => "readings", "option" => "subset", "where" => "at % 10 = 0" }
    run!(source: archive(:imitated, IMITATED), target: target.url, options: { subset: { "tables" => [tenth], "others" => "follow", "references" => [] } })
    assert_equal "20", target.value("SELECT count(*) FROM readings")
  end

  def test_left_out_by_name_they_come_without_rows
    target = new_database
    outcome = run!(source: archive(:imitated, IMITATED), target: target.url, exclude: ["readings"])
    assert_equal "0", target.value("SELECT count(*) FROM readings")
    assert_equal ["public.readings"], outcome.report[:excluded]
  end
end

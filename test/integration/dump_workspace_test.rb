# frozen_string_literal: true

require_relative "integration_helper"

# What only SQL can say in a dump: rules in SQL, conditions and parts of production are computed in a workspace, in temporary
# tables, and come out as they would of a run.
class DumpWorkspaceTest < IntegrationTest
  PRODUCTION = <<~SQL
    CREATE TYPE state AS ENUM ('new', 'paid', 'gone');
    CREATE DOMAIN short AS text CHECK (length(VALUE) < 80);
    CREATE FUNCTION initial(name text) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT left(name, 1) || '.' $$;
    CREATE TABLE teams (id int PRIMARY KEY, name text);
    INSERT INTO teams SELECT n, 'team ' || n FROM generate_series(1, 5) n;
    CREATE TABLE users (id int PRIMARY KEY, name short NOT NULL, email text UNIQUE, team_id int REFERENCES teams, is_staff boolean,
      born date, doubled int GENERATED ALWAYS AS (id * 2) STORED);
    INSERT INTO users (id, name, email, team_id, is_staff, born)
      SELECT n, 'Lovelace ' || n, 'ada' || n || '@example.org', n % 5 + 1, n % 10 = 0, date '1980-01-01' + n FROM generate_series(1, 300) n;
    CREATE TABLE orders (id int PRIMARY KEY, user_id int REFERENCES users, state state, note text);
    INSERT INTO orders SELECT n, n % 300 + 1, (ARRAY['new', 'paid', 'gone'])[n % 3 + 1]::state, E'say \\\\ "hello"\\tto ada' || n
      FROM generate_series(1, 900) n;
    CREATE TABLE visits (at date NOT NULL, who text) PARTITION BY RANGE (at);
    CREATE TABLE visits_old PARTITION OF visits FOR VALUES FROM ('2020-01-01') TO ('2021-01-01');
    CREATE TABLE visits_new PARTITION OF visits FOR VALUES FROM ('2021-01-01') TO ('2022-01-01');
    INSERT INTO visits SELECT date '2020-06-01' + n, 'ada' || n || '@example.org' FROM generate_series(1, 400) n;
    CREATE TABLE bare ();
    INSERT INTO bare DEFAULT VALUES;
    SELECT lo_from_bytea(4001, 'a large object');
  SQL

  # Each a way of its own: an UPDATE, a function of the backup's, another table that is read, a condition, a partitioned table.
  RULES = {
    query: { sql_rules: [{ table: "users", query: "UPDATE users SET name = 'user ' || id, email = 'u' || id || '@demo.test'" }] },
    function: { sql_rules: [{ table: "users", query: "UPDATE users SET name = public.initial(name), email = doubled || '@demo.test'" }] },
    expressions: { sql_rules: [{ table: "users", columns: [["email", "'x' || id || '@demo.test'"], ["name", "'Team ' || teams.name"]] }] },
    reads: { sql_rules: [{ table: "orders", query: "UPDATE orders SET note = (SELECT email FROM users WHERE users.id = orders.user_id)" }],
             rules: [{ "table" => "users", "columns" => { "email" => "email", "name" => "last_name" } }] },
    condition: { rules: [{ "table" => "users", "columns" => { "email" => "email", "name" => "last_name" }, "condition" => "is_staff = false" }] },
    enum: { sql_rules: [{ table: "orders", query: "UPDATE orders SET state = 'gone', note = NULL WHERE state <> 'paid'" }] },
    partitions: { sql_rules: [{ table: "visits", query: "UPDATE visits SET who = 'someone'" }] },
    delete: { sql_rules: [{ table: "orders", query: "DELETE FROM orders WHERE state = 'gone'" }] }
  }.freeze

  def self.subset(table, rule, others = "follow")
    { "tables" => [{ "table" => table, "option" => "subset", **rule }], "others" => others, "references" => [] }
  end

  PARTS = {
    condition: subset("orders", "where" => "state = 'paid' AND id <= 60"),
    cap: subset("users", "rows" => 20, "order_by" => ["born"], "descending" => true),
    rest_whole: subset("orders", { "rows" => 30 }, "whole"),
    partitions: subset("visits", "rows" => 50, "order_by" => ["at"])
  }.freeze

  def subset(...) = self.class.subset(...)

  def production = Shared.made(:workspace_production) { Postgres.create_database("workspace").tap { |database| database.exec(PRODUCTION) } }

  def backup = Shared.made(:workspace_backup) { production.dump("#{Shared.directory}/workspace.dump") }

  # The workspace: a role that may do no more than in staging, in a database in use.
  def workspace
    @workspace ||= new_staging.tap { |staging| staging.database.exec("CREATE TABLE users (id int, mine text); INSERT INTO users VALUES (1, 'my own')") }
  end

  def dump!(options = {}, to: path("masked.dump"), url: workspace.url, **settings)
    place = url && { "url" => url, "parallel_connections" => 2 }
    settings = Engine.settings(source: backup, target: "postgres://none", options:, **settings)
    report = ScalingoStagingSync::Native.dump(settings, { "to" => to.is_a?(Hash) ? to : { "file" => to }, "compression" => "gzip", "workspace" => place })
    [to, report]
  end

  def run_into_database(options = {}, **settings)
    new_database("expected").tap { |target| run!(source: backup, target: target.url, options:, **settings) }
  end

  def restored(archive, stdin_data: "")
    new_database.tap { |target| Postgres.run("pg_restore", "-e", "-d", target.url, *archive, stdin_data:) }
  end

  RULES.each do |name, masking_options|
    define_method("test_a_rule_with_#{name}_comes_out_as_of_a_run") do
      expected = run_into_database(masking_options:).canonical_dump
      archive, report = dump!(masking_options:)
      assert_same_text expected, restored(archive).canonical_dump, "pg_restore made another database than a run"
      parallel = Postgres.restore_in_parallel(archive) { new_database }
      assert_same_text expected, parallel.canonical_dump, "pg_restore -j4 made another database than a run"
      assert_same_text expected, restored([], stdin_data: File.binread(archive)).canonical_dump, "of standard input"
      assert report[:verified]
    end
  end

  def test_the_report_says_what_a_run_says_of_rules_in_sql
    masking_options = RULES[:query].merge(rules: [{ "table" => "visits", "columns" => { "who" => "email" } }])
    _, report = dump!(masking_options:)
    run = run!(source: backup, target: new_database.url, masking_options:).report
    said = ->(found) { found[:tables].sort_by { |table| table[:table] }.map { |table| table.slice(:table, :rows, :columns, :sql) } }
    assert_equal said.(run), said.(report)
  end

  def test_a_workspace_is_left_as_it_was
    before = workspace.database.canonical_dump
    RULES.each_value { |masking_options| dump!(masking_options:) }
    dump!({ subset: PARTS[:condition] }, masking_options: RULES[:query])
    assert_equal before, workspace.database.canonical_dump
    assert_equal "0", workspace.database.value("SELECT count(*) FROM pg_type WHERE typname IN ('state', 'short')")
    workspace.database.wait_until_idle
  end

  def test_rules_without_a_database_are_refused_before_anything_is_written
    RULES.each_value do |masking_options|
      error = assert_raises(ScalingoStagingSync::PlanError) { dump!(url: nil, masking_options:) }
      assert_match(/take a database to compute in, and there is none\. Set config\.workspace_url/, error.message)
      assert_well_worded error
    end
    error = assert_raises(ScalingoStagingSync::PlanError) { dump!({ subset: PARTS[:condition] }, url: nil) }
    assert_match(/\AA subset takes a database/, error.message)
    assert_empty Dir.children(@directory)
  end

  def test_a_workspace_that_cannot_be_reached_ends_the_dump_before_anything_is_written
    error = assert_raises(ScalingoStagingSync::TargetConnectionError) { dump!(url: "postgres://someone@127.0.0.1:1/none", masking_options: RULES[:query]) }
    assert_well_worded error
    assert_empty Dir.children(@directory)
  end

  def test_deletes_that_others_refer_to_are_refused
    error = assert_raises(ScalingoStagingSync::PlanError) { dump!(masking_options: { sql_rules: [{ table: "users", query: "DELETE FROM users WHERE is_staff" }] }) }
    assert_includes error.message, "A rule deletes rows of public.users, to which rows of public.orders refer"
    assert_well_worded error
  end

  def test_a_rule_that_fails_leaves_nothing_and_shows_no_value
    error = assert_raises(ScalingoStagingSync::Error) { dump!(masking_options: { sql_rules: [{ table: "users", query: "UPDATE users SET born = name::date" }] }) }
    refute_includes error.message, "Lovelace"
    assert_empty Dir.children(@directory)
  end

  # -- a part of production

  def test_a_part_comes_out_as_of_a_run
    PARTS.each do |name, part|
      [{}, RULES[:query], RULES[:reads], RULES[:partitions]].each do |masking_options|
        options = { subset: part }
        expected = run_into_database(options, masking_options:)
        refute_equal production.counts, expected.counts, name
        archive, report = dump!(options, masking_options:)
        # Large objects come, whether rows that come refer to them or not.
        without = (Postgres.version >= 16) ? "--no-large-objects" : "--no-blobs"
        said = expected.canonical_dump(without)
        assert_same_text said, restored(archive).canonical_dump(without), "#{name}: pg_restore made another database than a run"
        assert_same_text said, restored([], stdin_data: File.binread(archive)).canonical_dump(without), "#{name}: of standard input"
        assert report[:verified]
      end
    end
  end

  def test_the_report_of_a_part_says_how_many_rows_the_backup_has
    options = { subset: PARTS[:condition] }
    _, report = dump!(options)
    run = run!(source: backup, target: new_database.url, options:).report
    said = ->(found) { found[:tables].to_h { |table| [table[:table], table.values_at(:rows, :backup_rows)] } }
    assert_equal said.(run), said.(report)
  end

  # Tables that are to stay in a target are none of the workspace's.
  def test_what_does_not_fit_the_backup_and_what_the_workspace_refuses_is_one_list
    workspace.database.exec("CREATE TABLE bare (other int)")
    rules = { "user" => "true", "orders" => "state > 'many'::date", "teams" => "name" }
    tables = rules.map { |table, where| { "table" => table, "option" => "subset", "where" => where } }
    options = { subset: { "tables" => tables, "others" => "follow" }, keep_tables: ["bare"] }
    error = assert_raises(ScalingoStagingSync::PlanError) { dump!(options) }
    assert_match(/\AThe configuration is wrong in 3 places:\n- .*matches "user".*\n- .*rule for public\.teams.*\n- .*rule for public\.orders.*\n/, error.message)
    assert_empty Dir.children(@directory)
    ahead = Engine.settings(source: backup, target: workspace.url, options: options.merge(alone: true, faults: ["config.limits cannot be read."]))
    assert_equal 4, ScalingoStagingSync::Native.plan(ahead) { nil }[:problems].first[:faults].size
  end

  def test_a_part_may_read_a_type_that_the_workspace_lacks
    part = subset("users", "order_by" => ["born"], "rows" => 10, "where" => "name <> 'x'")
    assert_equal 10, dump!({ subset: part }).last[:tables].find { |table| table[:table] == "public.users" }[:rows]
    production.exec("CREATE TYPE pair AS (a int, b int); CREATE TABLE pairs (id int PRIMARY KEY, pair pair); INSERT INTO pairs VALUES (1, (1, 2)), (2, NULL)")
    source = production.dump(path("pairs.dump"))
    settings = Engine.settings(source:, target: "postgres://none", options: { subset: subset("pairs", "where" => "pair = ROW(1, 2)::pair") })
    report = ScalingoStagingSync::Native.dump(settings, { "to" => { "file" => path("masked.dump") }, "compression" => "gzip",
                                                          "workspace" => { "url" => workspace.url, "parallel_connections" => 2 } })
    assert_equal 1, report[:tables].find { |table| table[:table] == "public.pairs" }[:rows]
    assert_equal "0", workspace.database.value("SELECT count(*) FROM pg_type WHERE typname = 'pair'")
  ensure
    production.exec("DROP TABLE IF EXISTS pairs; DROP TYPE IF EXISTS pair")
  end
end

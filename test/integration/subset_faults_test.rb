# frozen_string_literal: true

require_relative "integration_helper"

# What is wrong with a part of production is reported at once, before the target is touched: what Ruby cannot read, what does
# not fit the backup, and what the server refuses.
class SubsetFaultsTest < IntegrationTest
  PRODUCTION = <<~SQL
    CREATE TABLE countries (code text PRIMARY KEY);
    CREATE TABLE users (id bigint PRIMARY KEY, email text NOT NULL, manager_id bigint REFERENCES users);
    CREATE TABLE orders (id bigint PRIMARY KEY, user_id bigint NOT NULL REFERENCES users);
    CREATE TABLE visits (id bigint, user_id bigint REFERENCES users) PARTITION BY LIST (user_id);
    CREATE TABLE visits_first PARTITION OF visits FOR VALUES IN (1, 2, 3);
    CREATE TABLE visits_rest PARTITION OF visits DEFAULT;
    CREATE TABLE calls (id bigint, user_id bigint REFERENCES users, day date) PARTITION BY RANGE (day);
    CREATE TABLE calls_old PARTITION OF calls FOR VALUES FROM ('2020-01-01') TO ('2024-01-01');
    CREATE TABLE calls_new PARTITION OF calls (user_id NOT NULL) FOR VALUES FROM ('2024-01-01') TO ('2030-01-01');
    CREATE TABLE calls_notes (id bigint PRIMARY KEY, note text);
    INSERT INTO countries VALUES ('fr'), ('de');
    INSERT INTO users SELECT n, 'user' || n || '@real.example', CASE WHEN n > 5 THEN n - 5 END FROM generate_series(1, 20) n;
    INSERT INTO orders SELECT n, n FROM generate_series(1, 20) n;
    INSERT INTO visits SELECT n, n FROM generate_series(1, 20) n;
    INSERT INTO calls SELECT n, n, date '2023-12-25' + n FROM generate_series(1, 20) n;
    INSERT INTO calls_notes VALUES (1, 'one');
  SQL

  def archive = Shared.archive_of(:faults_archive, PRODUCTION)

  def entry(table, **rule) = { "table" => table, "option" => "subset", **rule.transform_keys(&:to_s) }

  def options(*tables, others: "follow", **rest) = { subset: { "tables" => tables, "others" => others }, **rest }

  def refused(target = new_database, **options)
    assert_untouched(target) { assert_run_fails ScalingoStagingSync::PlanError, source: archive, target: target.url, options: }
  end

  def lines(message) = message.lines.grep(/\A- /).map { |line| line[2, 60] }

  WRONG = [
    ["user", { where: "true" }], ["users", { where: "emial = 'a'" }], ["orders", { where: "user_id > 'many'::date" }],
    ["countries", { where: "code" }], ["countries", { rows: 3, order_by: ["kode"] }]
  ].freeze

  FAULTS = [/subset: no table of the backup matches "user"/, /has no column emial/, /"countries" and subset: "countries" are rules/,
            /has no column kode/, /rule for public\.orders/, /rule for public\.countries/, /keep_tables: public\.calls_notes is not .*note is another type/].freeze

  def wrong = options(*WRONG.map { |table, rule| entry(table, **rule) }, keep_tables: ["calls_notes"])
  def staging = new_database.tap { |database| database.exec("CREATE TABLE calls_notes (id bigint PRIMARY KEY, note integer)") }

  def test_what_does_not_fit_the_backup_and_what_the_server_refuses_is_one_list_in_a_stable_order
    message = refused(staging, **wrong).message
    assert_match(/The configuration is wrong in #{FAULTS.size} places/, message)
    FAULTS.each { |fault| assert_match fault, message }
    assert_equal lines(message), lines(refused(staging, **wrong).message)
  end

  def test_a_dry_run_lists_them_as_a_run_does_with_what_is_known_already
    target = staging
    settings = Engine.settings(source: archive, target: target.url, options: wrong.merge(faults: ["config.limits cannot be read."]))
    plan = assert_untouched(target) { ScalingoStagingSync::Native.plan(settings) { nil } }
    problem = plan[:problems].first
    assert_match(/\AThe configuration is wrong in #{FAULTS.size + 1} places:\n- config\.limits cannot be read\.\n/, problem[:what])
    FAULTS.each { |fault| assert_match fault, problem[:what] }
    assert_equal FAULTS.size + 1, problem[:faults].size
    assert_empty plan[:problems].drop(1).flat_map { |other| other[:faults] }
  end

  def test_what_the_server_alone_refuses_is_one_list_in_a_dry_run_as_in_a_run
    target = staging
    given = options(entry("orders", where: "user_id > 'many'::date"), keep_tables: ["calls_notes"])
    settings = Engine.settings(source: archive, target: target.url, options: given)
    plan = nil
    message = assert_untouched(target) do
      plan = ScalingoStagingSync::Native.plan(settings) { nil }
      assert_run_fails(ScalingoStagingSync::PlanError, source: archive, target: target.url, options: given).message
    end
    assert_match(/PostgreSQL refuses the configuration in 2 places:\n- .*rule for public\.orders.*\n- keep_tables: public\.calls_notes/, message)
    assert_equal 1, plan[:problems].size
    assert_includes message, plan[:problems].first[:what].strip
    assert_equal 2, plan[:problems].first[:faults].size
  end

  def test_a_subset_whose_tables_only_wait_to_be_referred_to_is_refused_by_the_plan
    error = refused(**options(entry("users", keep: "referenced"), include_tables: ["users"]))
    assert_match(/every table whose rows come is :referenced/, error.message)
    run!(source: archive, target: new_database.url, options: options(entry("users", keep: "referenced", allow_empty: true), include_tables: ["users"]))
  end

  def test_the_variable_tables_is_named_as_it_was_typed
    assert_match(/TABLES: no table of the backup matches "user"/, refused(include_tables: ["user"], include_tables_from: "TABLES").message)
  end

  def test_tables_that_are_named_to_come_and_to_stay_out_are_refused_before_staging_is_emptied
    message = refused(include_tables: ["orders"], include_tables_from: "TABLES", exclude_tables: ["orders"]).message
    assert_match(/TABLES names public\.orders, and so does exclude_tables: no row would come at all\. Let only one of them name a table\./, message)
    target = new_database
    run!(source: archive, target: target.url, options: { include_tables: ["orders"], exclude_tables: ["users"] })
    assert_equal %w[0 20], %w[users orders].map { |table| target.value("SELECT count(*) FROM #{table}") }
    nothing = run!(source: archive, target: new_database.url, options: { exclude_tables: ["*"] })
    assert_equal 1, nothing.warnings.grep(/No row of any table comes: the backup has rows, and all are left out by exclude_tables/).size
  end

  def test_a_column_that_decides_the_partition_or_is_not_null_in_one_cannot_become_null
    cut = entry("users", where: "id < 4")
    %w[visits calls].each do |table|
      error = refused(**options(cut, entry(table, nullify: ["user_id"])))
      assert_match(/on_missing: user_id cannot become NULL in public\.#{table}/, error.message)
    end
    target = new_database
    run!(source: archive, target: target.url, options: options(cut, entry("visits", nullify_all: true)))
    assert_equal %w[1 2 3], target.values("SELECT id FROM visits ORDER BY id"), "the rows go with those that they refer to"
  end

  def test_a_pattern_names_a_partitioned_table_and_not_its_partitions_by_themselves
    target = new_database
    run!(source: archive, target: target.url, options: options(entry("calls*", where: "id <= 2")))
    assert_equal [%w[1 2], "1"], [target.values("SELECT id FROM calls ORDER BY id"), target.value("SELECT count(*) FROM calls_notes")]
    message = refused(**options(entry("calls_*", where: "id <= 2"))).message
    assert_match(/subset: "calls_\*": public\.calls_new, public\.calls_old are partitions of public\.calls.*Name public\.calls instead/, message)
  end

  def test_a_condition_that_keeps_nothing_is_a_warning_where_another_table_keeps_rows
    rules = [entry("users", where: "id < 4"), entry("calls_notes", where: "note = 'two'"), entry("orders", where: "id = 20")]
    none = /\AThe condition on public\.calls_notes in subset kept none of 1 row\./
    outcome = run!(source: archive, target: new_database.url, options: options(*rules))
    assert_equal [1, 1], [outcome.warnings.grep(none).size, outcome.report[:warnings].grep(none).size]
    assert_empty outcome.warnings.grep(/public\.orders/), "its condition keeps a row, which goes with its user"
    settings = Engine.settings(source: archive, target: new_database.url, options: options(*rules, exact: true))
    assert_equal 1, ScalingoStagingSync::Native.plan(settings) { nil }[:warnings].grep(none).size
    rules[1]["allow_empty"] = true
    assert_empty run!(source: archive, target: new_database.url, options: options(*rules)).warnings.grep(none)
  end

  def why(table, id, *entries, **)
    settings = Engine.settings(source: archive, target: new_database.url, options: options(*entries, **))
    ScalingoStagingSync::Native.why(settings, table, id) { nil }.map { |reason| reason.values_at(:what, :table, :key).compact.map(&:to_s) }
  end

  def test_why_goes_on_to_the_reason_of_the_row_that_another_is_there_for
    limit = { "table" => "users", "option" => "limits", "rows" => 1, "order_by" => ["id"], "descending" => true }
    assert_equal [["needed", "public.users", "5"], %w[whole public.calls]], why("users", "5", limit, others: "whole")
    referred = [entry("users", keep: "referenced"), entry("orders", where: "id = 12"), *%w[visits calls].map { |table| entry(table, where: "false") }]
    assert_equal [["referred", "public.users", "7"], ["referred", "public.users", "12"], %w[kept public.orders]], why("users", "7", *referred)
  end

  CONFIGURATION = <<~RUBY
    config.clone_source_scalingo_app_name = "shop-production"
    config.anonymization_tables = [{ table: "users", strategy: :user_anonymization }]
    config.subset = { "users" => { where: "emial = 1", lst: 5, on_missing: { nosuch_id: :nulify } }, "order" => { wher: "true" }, "sessions" => { where: "id > 'x'::date" } }
    config.limits = { "carts" => :none }
    config.subset_references = { "users" => "orders", "usrs.team_id" => 5 }
    config.keep_tables = ["nothing_there", 5]
    config.include_tables = "users"
    config.exclude_tables = 5
    config.reset_counters = "perhaps"
  RUBY

  ALL = [/no key :lst/, /no key :wher/, /carts: it takes a Hash/, /"users": it names no table and column/, /on_missing: nosuch_id takes :nullify/,
         /public\.users has no column nosuch_id/, /"usrs\.team_id": what it refers to cannot be read/, /no table of the backup matches "usrs"/, /config\.keep_tables was given/,
         /config\.include_tables was given/, /config\.exclude_tables was given/, /config\.reset_counters was given/,
         /public\.users has no column emial/, /subset: no table of the backup matches "order"/, /limits: no table of the backup matches "carts"/,
         /keep_tables: no table of the backup matches "nothing_there"/, /rule for public\.sessions/].freeze

  def test_what_ruby_cannot_read_is_reported_with_what_the_plan_and_the_server_have_against_the_rest
    app, = new_app
    [["run", { "DRY_RUN" => "true" }], ["run", {}], ["dump[made.dump]", {}]].each do |task, environment|
      result = app.rake("scalingo_staging_sync:#{task}", environment:)
      refute result.success?
      ALL.each { |fault| assert_match fault, result.output }
      assert_equal 1, result.output.scan("The configuration is wrong in").size, result.output
      assert_match(/ConfigurationError/, result.output)
    end
    assert_empty Dir.glob("made.dump*", base: app.directory)
    check = app.rake("scalingo_staging_sync:check").output.gsub(/\s+/, " ")
    ALL.each { |fault| assert_match fault, check }
  end
end

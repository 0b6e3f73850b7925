# frozen_string_literal: true

require_relative "integration_helper"
require_relative "../support/foreign_archive"

# A part of production: rows that are chosen, what they need, and nothing that dangles.
class SubsetTest < IntegrationTest
  SHOP = <<~SQL
    CREATE TYPE plan AS ENUM ('free', 'paid');
    CREATE TABLE organisations (id bigint PRIMARY KEY, name text NOT NULL, plan plan NOT NULL, about jsonb);
    CREATE TABLE users (id bigint PRIMARY KEY, organisation_id bigint REFERENCES organisations, email text NOT NULL UNIQUE, manager_id bigint REFERENCES users);
    CREATE TABLE orders (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), user_email text NOT NULL REFERENCES users (email), reviewer_id bigint REFERENCES users, total numeric);
    CREATE TABLE comments (id bigint PRIMARY KEY, subject_type text, subject_id text, body text);
    CREATE TABLE events (id bigint, user_id bigint REFERENCES users, happened_at timestamptz) PARTITION BY RANGE (happened_at);
    CREATE TABLE events_old PARTITION OF events FOR VALUES FROM ('2020-01-01') TO ('2024-01-01');
    CREATE TABLE events_new PARTITION OF events FOR VALUES FROM ('2024-01-01') TO ('2030-01-01');
    CREATE TABLE countries (code text PRIMARY KEY);
    INSERT INTO organisations SELECT n, 'Org ' || n, CASE WHEN n % 2 = 0 THEN 'free' ELSE 'paid' END::plan, jsonb_build_object('size', n) FROM generate_series(1, 10) n;
    INSERT INTO users SELECT n, 1 + n % 10, 'user' || n || '@real.example', CASE WHEN n > 10 THEN n - 10 END FROM generate_series(1, 200) n;
    INSERT INTO orders (user_email, reviewer_id, total) SELECT 'user' || n || '@real.example', 201 - n, n FROM generate_series(1, 200) n;
    INSERT INTO comments SELECT n, CASE n % 3 WHEN 0 THEN 'User' WHEN 1 THEN 'Admin' ELSE 'Gone' END, n::text, 'RAW ' || n FROM generate_series(1, 200) n;
    INSERT INTO events SELECT n, 1 + n % 200, timestamptz '2023-01-01' + n * interval '1 day' FROM generate_series(1, 1000) n;
    INSERT INTO countries VALUES ('fr'), ('de');
  SQL

  # Both sides of the key are masked alike, once the rows are chosen by what production has there.
  MASKS = { rules: [{ "table" => "users", "columns" => { "email" => "email" } }, { "table" => "orders", "columns" => { "user_email" => "email" } }] }.freeze
  COMMENTS = { table: "comments", columns: ["subject_id"], references: "users", type_column: "subject_type", types: %w[User Admin] }.freeze

  def source = Shared.made(:subset_source) { Postgres.create_database("subset").tap { |database| database.exec(SHOP) } }
  def archive = Shared.made(:subset_archive) { source.dump("#{Shared.directory}/subset.dump") }

  def entry(table, **rule) = { "table" => table, "option" => "subset", **rule.transform_keys(&:to_s) }

  def options(*tables, others: "follow", references: [])
    { subset: { "tables" => tables, "others" => others, "references" => references.map { |one| one.transform_keys(&:to_s) } } }
  end

  def copy(*tables, archive: self.archive, target: new_database, **)
    [target, run!(source: archive, target: target.url, masking_options: MASKS, options: options(*tables, **))]
  end

  def assert_all_valid(target)
    assert_empty target.values("SELECT conname FROM pg_constraint WHERE NOT convalidated")
    assert_equal source.value("SELECT count(*) FROM pg_constraint WHERE contype = 'f'"), target.value("SELECT count(*) FROM pg_constraint WHERE contype = 'f'")
  end

  def test_rows_follow_what_they_refer_to_and_every_key_is_valid
    target, outcome = copy(entry("organisations", where: "id IN (2, 7) AND (about->>'size')::int < 9"), references: [COMMENTS])
    assert_all_valid(target)
    assert_equal %w[2 7], target.values("SELECT id FROM organisations ORDER BY id")
    kept = source.values("SELECT id FROM users WHERE organisation_id IN (2, 7) ORDER BY id")
    assert_equal kept, target.values("SELECT id FROM users ORDER BY id")
    assert_equal source.value("SELECT count(*) FROM events WHERE 1 + id % 200 IN (#{kept.join(",")})"), target.value("SELECT count(*) FROM events")
    comments = source.values("SELECT id FROM comments WHERE subject_type = 'Gone' OR subject_id IN (#{kept.map { |id| "'#{id}'" }.join(",")}) ORDER BY id")
    assert_equal comments, target.values("SELECT id FROM comments ORDER BY id")
    assert_equal "2", target.value("SELECT count(*) FROM countries")
    assert_equal "0", target.value("SELECT count(*) FROM users WHERE email LIKE '%real.example'")
    counts = outcome.report[:tables].to_h { |table| [table[:table], table.values_at(:rows, :backup_rows)] }
    assert_equal [kept.size, 200], counts["public.users"]
    assert_equal [2, nil], counts["public.countries"]
    assert outcome.report[:verified]
  end

  def test_a_reference_can_become_null_instead
    target, = copy(entry("users", where: "id <= 100"), entry("orders", nullify: ["reviewer_id"]))
    assert_all_valid(target)
    assert_equal "100", target.value("SELECT count(*) FROM orders")
    assert_equal "100", target.value("SELECT count(*) FROM orders WHERE reviewer_id IS NULL")
    assert_equal "100", target.value("SELECT count(*) FROM users WHERE id <= 100")
  end

  def test_a_cap_of_a_partitioned_table_is_of_the_whole_and_referenced_tables_shrink_to_it
    target, = copy(entry("events", rows: 30, order_by: ["happened_at"], descending: true), entry("users", keep: "referenced"),
                   entry("orders", where: "false"), entry("organisations", keep: "referenced"))
    assert_all_valid(target)
    assert_equal (971..1000).map(&:to_s), target.values("SELECT id FROM events ORDER BY id")
    # Managers come along, and theirs.
    wanted = source.values(<<~SQL)
      WITH RECURSIVE kept AS (SELECT id, manager_id FROM users WHERE id IN (SELECT user_id FROM events WHERE id > 970)
        UNION SELECT u.id, u.manager_id FROM kept k JOIN users u ON u.id = k.manager_id) SELECT id FROM kept ORDER BY id
    SQL
    assert_equal wanted, target.values("SELECT id FROM users ORDER BY id")
  end

  def test_limits_cap_tables_and_bring_what_others_need
    limit = ->(table, rows) { { "table" => table, "option" => "limits", "rows" => rows, "order_by" => ["id"], "descending" => true } }
    target, = copy(limit.call("users", 1), limit.call("events", 5), others: "whole")
    assert_all_valid(target)
    assert_equal "200", target.value("SELECT count(*) FROM users"), "every order needs its user"
    assert_equal "200", target.value("SELECT count(*) FROM orders")
    # The newest user's manager is beyond the cap, so downwards the user goes, and with her what refers to her.
    assert_empty target.values("SELECT id FROM events")
  end

  def test_the_demo_is_cut_with_every_key_valid
    target = new_database
    cut = options(entry("users", rows: 20, order_by: ["id"], descending: true))
    run!(source: shop_archive, target: target.url, rules: SHOP_RULES, options: cut)
    assert_empty target.values("SELECT conname FROM pg_constraint WHERE NOT convalidated")
    assert_operator target.value("SELECT count(*) FROM users").to_i, :<=, 20
  end

  def test_a_download_is_asked_for_anew_for_the_second_look
    fake = fake_scalingo(archive: Postgres.pack(archive, directory: @directory, name: "subset"))
    target = new_database
    run!(source: fake.source, target: target.url, masking_options: MASKS, options: options(entry("organisations", where: "id = 2")))
    assert_equal "20", target.value("SELECT count(*) FROM users")
  end

  # Their keys, far from one another, take more than a first look may hold, so that it is made at everything.
  def test_rows_that_refer_to_very_many_rows_come_with_them
    production = Postgres.create_database("subset_keys").tap { |database| later { database.drop } }
    production.exec(<<~SQL)
      CREATE TABLE users (id bigint PRIMARY KEY);
      CREATE TABLE visits (user_id bigint REFERENCES users);
      INSERT INTO users SELECT n::bigint << 33 FROM generate_series(1, 100000) n;
      INSERT INTO visits SELECT n::bigint << 33 FROM generate_series(1, 100000, 10) n;
    SQL
    target = new_database
    outcome = run!(source: production.dump(path("keys.dump")), target: target.url, options: options(entry("users", where: "id % 9 <> 0")))
    assert_equal production.value("SELECT count(*) FROM visits WHERE user_id % 9 <> 0"), target.value("SELECT count(*) FROM visits")
    counts = outcome.report[:tables].to_h { |table| [table[:table], table.values_at(:rows, :backup_rows)] }
    assert_equal [target.value("SELECT count(*) FROM visits").to_i, 10_000], counts["public.visits"]
  end

  def test_nothing_of_the_look_is_left
    target, = copy(entry("organisations", where: "id = 2"))
    assert_equal "0", target.value("SELECT count(*) FROM pg_class WHERE relname LIKE 'scalingo_staging_sync_keys%'")
  end

  MISTAKES = [
    [[["user", { where: "true" }]], /subset: no table of the backup matches "user".*users/],
    [[["users", { where: "emial = 'a'" }]], /public\.users has no column emial\. Did you mean email\?/],
    [[["users", { where: "id IN (SELECT user_id FROM events)" }]], /has a query in it/],
    [[["users", { where: "id >" }]], /is not an SQL condition/],
    [[["events_new", { where: "true" }]], /is a partition.*Name public\.events instead/m],
    [[["events", { rows: 5 }]], /has no primary key to order its rows by\. Name a column, such as by: "id"/],
    [[["events", { rows: 5, order_by: ["when"] }]], /public\.events has no column when/],
    [[["orders", { nullify: ["user_email"] }]], /on_missing: user_email cannot become NULL/],
    [[["orders", { nullify: ["total"] }]], /no reference of public\.orders has the column total/],
    [[["users", { where: "email > 3" }]], /the subset's rule for public\.users.*42883/m],
    [[["organisations", { rows: 3, order_by: ["about"] }], ["countries", { where: "1" }]], /the subset's rule for public\.countries/],
    [[["us*", { where: "true" }], ["use*", { where: "true" }]], /are rules for the same table/]
  ].freeze

  MISTAKES.each_with_index do |(tables, expected), at|
    define_method(:"test_a_mistake_is_reported_before_the_target_is_touched_#{at}") do
      entries = tables.map { |table, rule| entry(table, **rule) }
      target = new_database
      error = assert_untouched(target) do
        assert_run_fails ScalingoStagingSync::PlanError, source: archive, target: target.url, masking_options: MASKS, options: options(*entries)
      end
      assert_match expected, error.message
    end
  end

  def test_mistakes_are_reported_together
    target = new_database
    error = assert_run_fails ScalingoStagingSync::PlanError, source: archive, target: target.url, masking_options: MASKS,
                                                             options: options(entry("nobody"), entry("users", where: "nothing = 1"), references: [COMMENTS.merge(references: "nowhere")])
    [/nobody/, /nothing/, /subset_references.*nowhere/].each { |expected| assert_match expected, error.message }
  end

  def test_what_the_server_refuses_is_reported_together
    target = new_database
    target.exec("CREATE TABLE countries (code integer PRIMARY KEY)")
    refused = options(entry("users", where: "email > 3"), entry("orders", where: "total > 'many'::date")).merge(keep_tables: ["countries"])
    error = assert_untouched(target) do
      assert_run_fails ScalingoStagingSync::PlanError, source: archive, target: target.url, masking_options: MASKS, options: refused
    end
    [/in 3 places/, /rule for public\.users/, /rule for public\.orders/, /public\.countries is not .*code is another type/].each do |expected|
      assert_match expected, error.message
    end
  end

  def test_a_subset_without_a_row_is_an_error_before_the_target_is_touched_unless_it_is_meant
    target = new_database
    error = assert_untouched(target) do
      assert_run_fails ScalingoStagingSync::PlanError, source: archive, target: target.url, masking_options: MASKS,
                                                       options: options(entry("organisations", where: "id > 99"))
    end
    assert_match(/keeps no row/, error.message)
    target, = copy(entry("organisations", where: "id > 99", allow_empty: true))
    assert_equal "0", target.value("SELECT count(*) FROM users WHERE organisation_id IS NOT NULL")
  end

  def test_a_condition_that_fails_at_a_row_leaves_the_target_as_it_is
    target = new_database
    error = assert_untouched(target) do
      assert_run_fails ScalingoStagingSync::RestoreError, source: archive, target: target.url, masking_options: MASKS,
                                                          options: options(entry("organisations", where: "10 / (id - 3) > 1"))
    end
    assert_match(/22012/, error.message)
    refute_match(/Org 3/, error.message)
  end

  # The target has neither production's enum nor its function yet, then it has an older enum.
  def test_a_condition_over_an_enum_is_applied_before_the_backups_own_type_stands
    where = entry("organisations", where: "plan >= 'paid' AND id < 4")
    empty = new_database
    older = new_database.tap { |database| database.exec("CREATE TYPE plan AS ENUM ('paid'); CREATE TABLE old (plan plan)") }
    [empty, older].each do |target|
      copy(where, target:)
      assert_equal %w[1 3], target.values("SELECT id FROM organisations ORDER BY id")
    end
  end

  def test_a_condition_calls_productions_own_function_before_that_stands
    production = Postgres.create_database("subset_function").tap { |database| later { database.drop } }
    production.exec("#{SHOP} CREATE FUNCTION is_even(bigint) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT $1 % 2 = 0';")
    target, = copy(entry("organisations", where: "public.is_even(id)"), archive: production.dump(path("function.dump")))
    assert_equal %w[2 4 6 8 10], target.values("SELECT id FROM organisations ORDER BY id")
    assert_all_valid(target)
  end

  DOCUMENTS = <<~SQL
    CREATE TABLE documents (id bigint PRIMARY KEY, user_id bigint REFERENCES users, file oid);
    SELECT lo_from_bytea(70000 + n, convert_to('content ' || n, 'UTF8')) FROM generate_series(1, 20) n;
    INSERT INTO documents SELECT n, n, 70000 + n FROM generate_series(1, 19) n;
    CREATE SEQUENCE tickets START 42;
    SELECT nextval('tickets');
    CREATE MATERIALIZED VIEW sizes AS SELECT organisation_id, count(*) AS users FROM users GROUP BY 1;
    CREATE FUNCTION is_two(bigint) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT $1 = 2';
  SQL

  # Once by a column, once by production's own function.
  def test_large_objects_that_no_kept_row_refers_to_stay_behind_and_views_and_sequences_follow
    production = Postgres.create_database("subset_objects").tap { |database| later { database.drop } }
    production.exec("#{SHOP} #{DOCUMENTS}")
    archive = production.dump(path("objects.dump"))
    ["id = 2", "public.is_two(id)"].each do |where|
      target, outcome = copy(entry("organisations", where:), archive:)
      assert_equal %w[1 11], target.values("SELECT id FROM documents ORDER BY id")
      assert_equal %w[70001 70011], target.values("SELECT oid FROM pg_largeobject_metadata ORDER BY oid")
      assert_equal "content 11", target.value("SELECT convert_from(lo_get(70011), 'UTF8')")
      assert_equal 2, outcome.report[:large_objects]
      assert_equal ["20"], target.values("SELECT users FROM sizes")
      assert_equal "42", target.value("SELECT last_value FROM tickets")
    end
  end

  def plan_of(target, *tables, **rest)
    settings = Engine.settings(source: archive, target: target.url, masking_options: MASKS, options: options(*tables, **rest.slice(:others)).merge(rest.except(:others)))
    ScalingoStagingSync::Native.plan(settings) { nil }
  end

  def part_of(plan, table) = plan[:tables].find { |one| one[:table] == table }[:part]

  def test_a_dry_run_asks_the_server_about_conditions_and_touches_nothing
    target = new_database
    plan = assert_untouched(target) { plan_of(target, entry("users", where: "email > 3"), entry("countries", where: "code")) }
    refute plan[:would_succeed]
    problems = plan[:problems].map { |problem| problem[:what].to_s }.join
    assert_match(/public\.users.*42883/m, problems)
    assert_match(/public\.countries/, problems)
  end

  def test_the_plan_counts_rows_as_of_the_last_run_or_exactly_and_names_the_way
    target, = copy(entry("organisations", where: "id IN (2, 7)"))
    cut = entry("organisations", where: "id = 2")
    last = part_of(plan_of(target, cut), "public.users")
    assert_equal [{ kept: 40, total: 200, added: 0 }, true], last.values_at(:counts, :of_last_run)
    before = target.canonical_dump
    exact = plan_of(target, cut, exact: true)
    assert_equal before, target.canonical_dump
    assert_equal [{ kept: 20, total: 200, added: 0 }, false], part_of(exact, "public.users").values_at(:counts, :of_last_run)
    way = part_of(exact, "public.orders")[:through].find { |one| one[:reference] == "orders.user_email" }
    assert_equal [["users.organisation_id"], "public.organisations"], way.values_at(:then, :table)
  end

  def test_the_report_says_how_many_rows_were_added_because_others_need_them
    limit = { "table" => "users", "option" => "limits", "rows" => 50, "order_by" => ["id"], "descending" => true }
    _, outcome = copy(limit, others: "whole")
    users = outcome.report[:part].find { |one| one[:table] == "public.users" }
    assert_equal 200, users[:counts][:kept]
    assert_operator users[:counts][:added], :>=, 150
    assert_includes users[:needed_by], "public.orders"
    text = ScalingoStagingSync::Report::Part.of(users).to_s
    assert_match(/public\.users: the last 50 by id; through users\.manager_id.*; 200 of 200 rows, \d+ of them because .*public\.orders.* need them/, text)
  end

  def why(target, table, id, *entries, **rest)
    settings = Engine.settings(source: archive, target: target.url, masking_options: MASKS, options: options(*entries, **rest))
    ScalingoStagingSync::Native.why(settings, table, id) { nil }.map { |reason| reason.values_at(:what, :table, :reference, :key).compact.map(&:to_s) }
  end

  def test_a_row_says_why_it_comes_or_by_which_missing_row_it_does_not
    target = new_database
    cut = entry("organisations", where: "id = 2")
    before = target.canonical_dump
    assert_equal [%w[kept public.organisations]], why(target, "organisations", "2", cut)
    assert_equal [%w[not_kept public.organisations]], why(target, "organisations", "3", cut)
    assert_equal [%w[follows public.users]], why(target, "users", "11", cut)
    assert_equal [["missing", "public.users", "users.organisation_id", "3"], %w[not_kept public.organisations]], why(target, "users", "2", cut)
    assert_equal [%w[whole public.countries]], why(target, "countries", "fr", cut)
    assert_equal [%w[unknown public.users]], why(target, "users", "999", cut)
    assert_equal before, target.canonical_dump
    limit = { "table" => "users", "option" => "limits", "rows" => 1, "order_by" => ["id"], "descending" => true }
    assert_equal "needed", why(target, "users", "5", limit, others: "whole").first.first
    error = assert_raises(ScalingoStagingSync::PlanError) { why(target, "user", "5", cut) }
    assert_match(/public\.users/, error.message)
  end

  def test_a_dump_refuses_what_only_a_database_can_choose
    settings = Engine.settings(source: archive, target: "postgres://nowhere", masking_options: MASKS, options: options(entry("users", where: "id = 1")))
    error = assert_raises(ScalingoStagingSync::PlanError) do
      ScalingoStagingSync::Native.dump(settings, { "to" => { "file" => path("masked.dump") }, "compression" => "gzip" }) { nil }
    end
    assert_match(/A subset takes a database to compute in/, error.message)
    refute_path_exists path("masked.dump")
  end

  def test_include_tables_leaves_the_others_without_rows
    target = new_database
    outcome = run!(source: archive, target: target.url, masking_options: MASKS, options: { include_tables: ["users", "organ*"] })
    assert_equal %w[200 10 0 0], %w[users organisations orders events].map { |table| target.value("SELECT count(*) FROM #{table}") }
    assert_includes outcome.report[:excluded], "public.orders"
    error = assert_run_fails ScalingoStagingSync::PlanError, source: archive, target: new_database.url, masking_options: MASKS, options: { include_tables: ["user"] }
    assert_match(/include_tables: no table of the backup matches "user"/, error.message)
  end

  CONFIGURATION = <<~RUBY
    config.clone_source_scalingo_app_name = "shop-production"
    config.anonymization_tables = [{ table: "users", strategy: :user_anonymization }]
    config.subset = { users: { where: "id > 100", last: 20 }, "orders" => { on_missing: :nullify } }
    config.limits = { "sessions" => { max_rows: 5 } }
  RUBY

  def test_a_team_writes_it_in_the_configuration_and_reads_it_in_the_plan_and_the_audit
    app, staging, = new_app
    plan = app.rake("scalingo_staging_sync:run", environment: { "DRY_RUN" => "true" })
    assert plan.success?, plan.output
    [/^public\.users /, /^    rows where id > 100$/, /^    the last 20 by id$/, /^    the last 5 by id$/, /^    through \w+\.user_id, with rows of public\.users$/]
      .each { |line| assert_match line, plan.output }
    result = app.rake("scalingo_staging_sync:run", environment: { "TABLES" => "users,sessions,addresses" })
    assert result.success?, result.output
    rows = %w[users sessions orders].map { |table| staging.database.value("SELECT count(*) FROM #{table}").to_i }
    assert_operator rows[0], :<=, 20
    assert_operator rows[1], :<=, 5
    assert_equal 0, rows[2]
  end
end

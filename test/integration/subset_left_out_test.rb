# frozen_string_literal: true

require_relative "integration_helper"

# Tables that are left out while they have a rule of the subset: they decide which rows of others come, and stay out themselves.
class SubsetLeftOutTest < IntegrationTest
  PRODUCTION = <<~SQL
    CREATE TYPE plan AS ENUM ('free', 'paid');
    CREATE TABLE organisations (id bigint PRIMARY KEY, plan plan NOT NULL, name text);
    CREATE TABLE users (id bigint PRIMARY KEY, organisation_id bigint REFERENCES organisations, email text);
    CREATE TABLE orders (id bigint PRIMARY KEY, user_id bigint NOT NULL REFERENCES users, total numeric);
    CREATE TABLE audit_logs (id bigint PRIMARY KEY, user_id bigint REFERENCES users, line text);
    INSERT INTO organisations SELECT n, (CASE WHEN n % 2 = 0 THEN 'free' ELSE 'paid' END)::plan, 'Org ' || n FROM generate_series(1, 10) n;
    INSERT INTO users SELECT n, n % 10 + 1, 'user' || n || '@real.example' FROM generate_series(1, 100) n;
    INSERT INTO users VALUES (101, NULL, 'alone@real.example');
    INSERT INTO orders SELECT n, n % 100 + 1, n FROM generate_series(1, 300) n;
    INSERT INTO audit_logs SELECT n, n % 100 + 1, 'line ' || n FROM generate_series(1, 300) n;
  SQL

  CHOSEN = { "table" => "organisations", "option" => "subset", "where" => "id IN (2, 7) AND plan IS NOT NULL" }.freeze
  KEPT = "organisation_id IN (2, 7) OR organisation_id IS NULL"

  def source = Shared.made(:left_out_source) { Postgres.create_database("left_out").tap { |database| database.exec(PRODUCTION) } }
  def archive = Shared.made(:left_out_archive) { source.dump("#{Shared.directory}/left_out.dump") }

  def options(*rules, include: ["users"], **more)
    { subset: { "tables" => [CHOSEN, *rules], "others" => "follow" }, include_tables: include, **more }
  end

  def copy(*rules, **)
    target = new_database
    [target, run!(source: archive, target: target.url, options: options(*rules, **))]
  end

  def settings(target, **) = Engine.settings(source: archive, target: target.url, options: options(**))

  def users(where = KEPT) = source.values("SELECT id FROM users WHERE #{where} ORDER BY id")
  def ids(target, table) = target.values("SELECT id FROM #{table} ORDER BY id")

  def test_the_users_of_the_chosen_organisations_come_and_no_organisation
    target, outcome = copy
    assert_equal 21, users.size
    assert_equal [users, [], [], []], %w[users organisations orders audit_logs].map { |table| ids(target, table) }
    assert_equal %w[users_organisation_id_fkey], target.values("SELECT conname FROM pg_constraint WHERE NOT convalidated")
    report = outcome.report
    assert_equal(%w[public.users], report[:tables].map { |table| table[:table] })
    assert_equal 21, report[:tables].sum { |table| table[:rows] }
    assert_includes report[:excluded], "public.organisations"
    parts = report[:part].to_h { |part| [part[:table], part.values_at(:counts, :decides)] }
    assert_equal({ "public.organisations" => [nil, ["public.users"]], "public.users" => [{ kept: 21, total: 101, added: 0 }, []] }, parts)
    assert_empty outcome.warnings.grep(/no effect/)
  end

  def test_the_way_leads_through_other_tables_that_are_left_out
    target, outcome = copy(include: ["orders"])
    wanted = source.values("SELECT id FROM orders WHERE user_id IN (#{users.join(",")}) ORDER BY id")
    assert_equal [wanted, [], []], %w[orders users organisations].map { |table| ids(target, table) }
    decides = outcome.report[:part].to_h { |part| [part[:table], part[:decides]] }
    assert_equal({ "public.organisations" => ["public.orders"], "public.users" => ["public.orders"], "public.orders" => [] }, decides)
  end

  def test_a_reference_becomes_null_where_the_rules_do_not_choose_its_row
    target, = copy({ "table" => "users", "option" => "subset", "nullify" => ["organisation_id"] })
    assert_equal users("true"), ids(target, "users")
    assert_equal %w[2 7], target.values("SELECT DISTINCT organisation_id FROM users WHERE organisation_id IS NOT NULL ORDER BY 1")
  end

  def test_the_plan_says_that_its_rows_stay_out_and_decide_and_counts_exactly
    target = new_database
    plan = assert_untouched(target) { ScalingoStagingSync::Native.plan(settings(target, exact: true)) { nil } }
    assert_empty plan[:problems]
    tables = plan[:tables].to_h { |table| [table[:table], table] }
    part = ScalingoStagingSync::Report::Part.of(tables["public.organisations"][:part])
    assert_equal "without_rows", tables["public.organisations"][:action].to_s
    assert_equal ["its rows stay out, and decide which rows of public.users come", "rows where #{CHOSEN["where"]}"], part.lines
    assert_equal({ kept: 21, total: 101, added: 0 }, tables["public.users"][:part][:counts])
    assert_nil tables["public.audit_logs"][:part]
  end

  def why(table, id, **)
    target = new_database
    ScalingoStagingSync::Native.why(settings(target, **), table, id) { nil }.map { |reason| reason.values_at(:what, :table, :key).compact.map(&:to_s) }
  end

  def test_why_names_the_row_that_the_rule_does_not_choose_and_of_that_table_that_it_comes_without_rows
    assert_equal [%w[follows public.users]], why("users", "6")
    assert_equal [["unchosen", "public.users", "6"], %w[not_kept public.organisations]], why("users", "5")
    assert_equal [%w[without_rows public.organisations]], why("organisations", "2")
    assert_equal [["unchosen", "public.orders", "5"], ["unchosen", "public.users", "6"], %w[not_kept public.organisations]], why("orders", "4", include: ["orders"])
  end

  def test_a_masked_archive_has_the_same_rows
    settings = Engine.settings(source: archive, target: "postgres://none", options:)
    to = path("left_out.dump")
    workspace = { "url" => new_staging.url, "parallel_connections" => 2 }
    ScalingoStagingSync::Native.dump(settings, { "to" => { "file" => to }, "compression" => "gzip", "workspace" => workspace }) { nil }
    restored = new_database
    Postgres.run("pg_restore", "-e", "-d", restored.url, to)
    assert_equal [users, []], [ids(restored, "users"), ids(restored, "organisations")]
  end

  def test_a_rule_that_chooses_nothing_is_named_and_one_that_decides_nothing_is_a_warning
    none = { subset: { "tables" => [CHOSEN.merge("where" => "id > 99")], "others" => "follow" }, include_tables: ["users"] }
    error = assert_run_fails ScalingoStagingSync::PlanError, source: archive, target: new_database.url, options: none
    assert_match(/the condition on public\.organisations keeps none of 10 rows/, error.message)
    _, outcome = copy({ "table" => "audit_logs", "option" => "subset", "where" => "id > 3" })
    assert_equal ['subset: "audit_logs" has no effect: the rows of public.audit_logs do not come at all.'], outcome.warnings.grep(/no effect/)
  end
end

# frozen_string_literal: true

require_relative "integration_helper"

# Rules of a subset that need production's own functions and types are answered before the target is touched, whatever of them
# the target has, and nothing of what is made for it stays.
class SubsetFunctionsTest < IntegrationTest
  MADE = <<~SQL
    CREATE SCHEMA tools;
    CREATE TYPE mood AS ENUM ('low', 'high');
    CREATE TYPE pair AS (a int, b int);
    CREATE DOMAIN short AS text CHECK (length(VALUE) < 20);
    CREATE FUNCTION tools.lowered(text) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT lower($1) $$;
    CREATE FUNCTION slug_of(name text) RETURNS text LANGUAGE plpgsql AS $$ BEGIN RETURN replace(tools.lowered(name), ' ', '-'); END $$;
    CREATE FUNCTION is_high(mood) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$ SELECT $1 = 'high' $$;
    CREATE FUNCTION sum_of(pair) RETURNS int LANGUAGE sql IMMUTABLE AS $$ SELECT ($1).a + ($1).b $$;
    CREATE FUNCTION given(text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN IF $1 IS NULL THEN RAISE 'none'; END IF; RETURN $1; END $$;
    CREATE FUNCTION is_far(bigint, bigint) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$ SELECT abs($1 - $2) > 7 $$;
    CREATE OPERATOR <~> (LEFTARG = bigint, RIGHTARG = bigint, FUNCTION = is_far);
  SQL

  PRODUCTION = <<~SQL.freeze
    #{MADE}
    CREATE TABLE users (id bigint PRIMARY KEY, name short, mood mood, moods mood[], pair pair);
    CREATE TABLE orders (id bigint PRIMARY KEY, user_id bigint NOT NULL REFERENCES users);
    CREATE FUNCTION is_first(bigint, orders DEFAULT NULL) RETURNS boolean LANGUAGE sql AS $$ SELECT $1 = 1 $$;
    CREATE FUNCTION has_orders(bigint) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RETURN EXISTS (SELECT FROM public.orders WHERE user_id = $1); END $$;
    INSERT INTO users SELECT n, 'User ' || n, CASE WHEN n > 6 THEN 'high' ELSE 'low' END::mood, ARRAY['low']::mood[], (n, 1)::pair
      FROM generate_series(1, 10) n;
    INSERT INTO orders SELECT n, n FROM generate_series(1, 10) n;
  SQL

  # What a target may have before: nothing, an older version of everything, or what production has.
  OLDER = <<~SQL
    CREATE TYPE mood AS ENUM ('high', 'odd'); CREATE TYPE pair AS (b int); CREATE DOMAIN short AS text CHECK (length(VALUE) < 3);
    CREATE TABLE drawer (mood mood, pair pair, short short);
    CREATE FUNCTION slug_of(old text) RETURNS text LANGUAGE sql AS $$ SELECT 'nobody'::text $$;
    CREATE FUNCTION is_high(mood) RETURNS text LANGUAGE sql AS $$ SELECT 'no'::text $$;
    CREATE VIEW slugs AS SELECT slug_of('x') AS slug;
  SQL

  STATES = { empty: "", older: OLDER, same: PRODUCTION }.freeze

  # Each with the users that it keeps.
  CONDITIONS = {
    "slug_of(name) = 'user-3'" => %w[3], "public.is_high(mood) AND id < 9" => %w[7 8], "mood > 'low' AND id > 9" => %w[10],
    "sum_of(pair) = 5" => %w[4], "pair = ROW(6, 1)::pair" => %w[6], "'low' = ANY (moods) AND id = 2" => %w[2], "id <~> 10" => %w[1 2],
    "given(name) = 'User 9'" => %w[9],
    "name::short = 'User 1' AND Slug_Of (name) IS NOT NULL" => %w[1]
  }.freeze

  def archive = Shared.archive_of(:functions_archive, PRODUCTION)

  def entry(where, **rest) = { "table" => "users", "option" => "subset", "where" => where, **rest.transform_keys(&:to_s) }

  def options(where, **rest) = { subset: { "tables" => [entry(where, **rest)], "others" => "follow" } }

  def settings(target, where, **rest) = Engine.settings(source: archive, target: target.url, options: options(where).merge(rest))

  def target(state) = new_database.tap { |database| database.exec(STATES.fetch(state)) }

  def plan(target, where, **rest) = assert_untouched(target) { ScalingoStagingSync::Native.plan(settings(target, where, **rest)) { nil } }

  def refused(state, where, error = ScalingoStagingSync::PlanError)
    target = target(state)
    assert_untouched(target) { assert_run_fails error, source: archive, target: target.url, options: options(where) }.message
  end

  STATES.each_key do |state|
    define_method(:"test_the_rows_are_those_of_the_backups_own_functions_and_types_where_the_target_is_#{state}") do
      target = target(state)
      CONDITIONS.each do |where, ids|
        counts = plan(target, where, exact: true).tap { |plan| assert plan[:would_succeed], "#{where}: #{plan[:problems]}" }
        users = counts[:tables].find { |table| table[:table] == "public.users" }
        assert_equal({ kept: ids.size, total: 10, added: 0 }, users[:part][:counts], where)
        target.exec("DROP TABLE kept")
      end
      where, ids = CONDITIONS.first
      run!(source: archive, target: target.url, options: options(where))
      assert_equal [ids, ids], %w[users orders].map { |table| target.values("SELECT id FROM #{table} ORDER BY id") }
    end

    define_method(:"test_a_rule_that_keeps_nothing_or_fails_at_a_row_leaves_the_target_alone_where_it_is_#{state}") do
      assert_match(/The subset keeps no row/, refused(state, "slug_of(name) = 'nobody'"))
      assert_match(/rule for public\.users: .*22012/, refused(state, "1 / (sum_of(pair) - 5) > 0", ScalingoStagingSync::RestoreError))
    end

    define_method(:"test_a_wrong_call_is_reported_at_once_where_the_target_is_#{state}") do
      { "slug_of(id) = 'x'" => /42883, near `slug_of\(id\)/, "slug_off(name) = 'x'" => /42883, near `slug_off\(name\)/,
        "slug_of(name) = nofn(name)" => /42883, near `nofn\(name\)/ }.each do |where, fault|
        assert_match fault, refused(state, where), where
        assert_match fault, plan(target(state), where, exact: true)[:problems].first[:what], where
      end
    end

    define_method(:"test_a_function_that_needs_a_table_of_the_backups_is_#{(state == :same) ? "called" : "refused_with_the_reason"}_where_the_target_is_#{state}") do
      next assert_equal([], plan(target(state), "is_first(id)", exact: true)[:problems]) if state == :same

      assert_match(/42883, near `is_first\(id\).*\)\. FUNCTION public\.is_first\(bigint, public\.orders\), which it needs of the backup, could not be made there before the target is touched: .*orders.* Create it in that database/m,
                   refused(state, "is_first(id)"))
      both = refused(state, "is_first(id) AND nofn(name) = 'x'")
      [/FUNCTION public\.is_first/, /42883, near `nofn\(name\)/].each { |fault| assert_match fault, both }
    end
  end

  def test_a_function_that_reads_a_table_is_refused_whether_or_not_the_target_has_it
    { same: [ScalingoStagingSync::PlanError, /condition on public\.users in subset calls a function that reads public\.orders.*own columns alone/m],
      empty: [ScalingoStagingSync::RestoreError, /42P01.*Read the table's own columns alone, also in functions/m] }.each do |state, (error, expected)|
      assert_match expected, refused(state, "has_orders(id)", error)
    end
  end

  def why(target, id, where) = ScalingoStagingSync::Native.why(settings(target, where), "users", id) { nil }.map { |reason| reason[:what].to_s }

  def test_a_row_says_why_it_comes_by_a_function_that_the_target_lacks
    target = new_database
    assert_equal %w[kept], why(target, "3", "slug_of(name) = 'user-3'")
    assert_equal %w[not_kept], why(target, "4", "slug_of(name) = 'user-3'")
  end

  def test_a_condition_and_the_functions_that_it_calls_write_nothing
    production = new_database("functions")
    production.exec("CREATE TABLE users (id bigint PRIMARY KEY); INSERT INTO users VALUES (1); CREATE TABLE marks (note text);
      CREATE FUNCTION mark(bigint) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN INSERT INTO marks VALUES ('x'); RETURN true; END $$;")
    target = new_database.tap { |database| database.exec("CREATE TABLE marks (note text)") }
    assert_untouched(target) do
      error = assert_run_fails ScalingoStagingSync::RestoreError, source: production.dump(path("marks.dump")), target: target.url, options: options("mark(id)")
      assert_match(/25006/, error.message)
    end
  end

  def test_an_extension_that_the_target_lacks_serves_a_condition
    production = new_database("extensions")
    production.exec("CREATE EXTENSION citext; CREATE EXTENSION unaccent; CREATE TABLE users (id bigint PRIMARY KEY, name citext); INSERT INTO users VALUES (1, 'Zoé'), (2, 'Bob')")
    backup = production.dump(path("extensions.dump"))
    { "name = 'ZOÉ'" => %w[1], "unaccent(name::text) = 'Zoe'" => %w[1] }.each do |where, ids|
      target = new_database
      run!(source: backup, target: target.url, options: options(where))
      assert_equal ids, target.values("SELECT id FROM users"), where
    end
  end

  def test_a_dump_chooses_by_functions_and_types_that_its_workspace_lacks
    workspace = new_staging
    before = workspace.database.canonical_dump
    CONDITIONS.each do |where, ids|
      place = { "to" => { "file" => path("made#{ids.join}.dump") }, "compression" => "gzip", "workspace" => { "url" => workspace.url, "parallel_connections" => 1 } }
      report = ScalingoStagingSync::Native.dump(settings(workspace, where), place) { nil }
      assert_equal ids.size, report[:tables].find { |table| table[:table] == "public.users" }[:rows], where
    end
    assert_equal before, workspace.database.canonical_dump
  end
end

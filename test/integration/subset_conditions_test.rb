# frozen_string_literal: true

require_relative "integration_helper"

# A condition of a subset decides about rows and does nothing else, and each fault of a rule ends with what to do about it.
class SubsetConditionsTest < IntegrationTest
  PRODUCTION = <<~SQL
    CREATE TABLE users (id bigint PRIMARY KEY, email text, about json, code text);
    CREATE TABLE orders (id bigint PRIMARY KEY, user_id bigint NOT NULL REFERENCES users);
    CREATE TABLE logs (line text, about json);
    INSERT INTO users SELECT n, 'user' || n || '@real.example', '{}', 'c' || n FROM generate_series(1, 20) n;
    INSERT INTO orders SELECT n, n FROM generate_series(1, 20) n;
    INSERT INTO logs SELECT 'line ' || n FROM generate_series(1, 5) n;
  SQL

  # What a condition may call in the target: it would leave something, by each way there is.
  WRITING = <<~SQL
    CREATE TABLE marks (note text); CREATE SEQUENCE ticks;
    CREATE FUNCTION mark(note text) RETURNS boolean LANGUAGE plpgsql VOLATILE AS $$ BEGIN INSERT INTO marks VALUES (note); RETURN true; END $$;
    CREATE FUNCTION lo_make() RETURNS oid LANGUAGE sql VOLATILE AS $$ SELECT lo_create(0) $$;
    CREATE FUNCTION tick() RETURNS bigint LANGUAGE sql VOLATILE AS $$ SELECT nextval('public.ticks') $$;
    CREATE FUNCTION jump() RETURNS bigint LANGUAGE sql VOLATILE AS $$ SELECT setval('public.ticks', 99) $$;
    CREATE FUNCTION by_xml() RETURNS xml LANGUAGE sql VOLATILE AS $$ SELECT query_to_xml('SELECT public.mark(''xml'')', true, false, '') $$;
    CREATE FUNCTION marked() RETURNS boolean LANGUAGE sql STABLE AS $$ SELECT NOT EXISTS (SELECT FROM public.marks) $$;
  SQL

  CONDITIONS = ["lo_make() > 0", "mark(email)", "tick() > 0", "by_xml() IS NOT NULL", "jump() > 0"].freeze

  # What is PostgreSQL's own is known by its name.
  BY_NAME = {
    "lo_create(id::int) > 0" => /its where calls lo_create, which writes, and a condition may only read\. Leave that out/,
    "id > 0 AND pg_catalog.nextval('ticks') > 0" => /calls nextval, which writes/,
    "pg_terminate_backend(id::int)" => /calls pg_terminate_backend, which acts on the server/,
    "pg_try_advisory_lock(id) AND id > 0" => /calls pg_try_advisory_lock, which acts on the server/,
    "query_to_xml('SELECT 1 FROM logs', true, false, '') IS NOT NULL" => /calls query_to_xml, which runs a query.*Write values as a list, such as/
  }.freeze

  def archive = Shared.archive_of(:conditions_archive, PRODUCTION)

  def entry(table, **rule) = { "table" => table, "option" => "subset", **rule.transform_keys(&:to_s) }

  def options(*tables, others: "follow", **rest) = { subset: { "tables" => tables, "others" => others }, **rest }

  def target = @target ||= new_database.tap { |database| database.exec(WRITING) }

  def left = target.values("SELECT count(*) FROM marks UNION ALL SELECT count(*) FROM pg_largeobject_metadata UNION ALL SELECT last_value FROM ticks")

  def settings(condition, **) = Engine.settings(source: archive, target: target.url, options: options(entry("users", where: condition), **))

  # Since 16, making a large object is refused where a transaction may only read; before, it is undone.
  def assert_refused(condition, message)
    return if message.nil? && Postgres.version < 16 && condition.start_with?("lo_")

    assert_match(/applying the subset's rule for public\.users: the session may only read \(SQLSTATE 25006.*Leave out what writes, such as nextval and lo_create/,
                 message, condition)
  end

  def test_a_condition_reads_times_in_utc_whatever_the_targets_time_zone_is
    archive = Shared.archive_of(:times_archive, <<~SQL)
      CREATE TABLE visits (id bigint PRIMARY KEY, at timestamptz NOT NULL);
      INSERT INTO visits SELECT n, timestamptz '2026-03-01 00:00:00Z' + n * interval '1 hour' FROM generate_series(1, 48) n;
    SQL
    target.exec("ALTER DATABASE \"#{target.name}\" SET timezone TO 'Asia/Tokyo'")
    rule = entry("visits", where: "at >= '2026-03-02' AND at::time < '12:00'")
    ScalingoStagingSync::Native.run(Engine.settings(source: archive, target: target.url, options: options(rule))) { nil }
    assert_equal [*24..35, 48].join(","), target.value("SELECT string_agg(id::text, ',' ORDER BY id) FROM visits")
  end

  CONDITIONS.each_with_index do |condition, at|
    define_method(:"test_a_condition_that_writes_leaves_nothing_where_rows_are_only_counted_#{at}") do
      before = left
      plan = ScalingoStagingSync::Native.plan(settings(condition, exact: true)) { nil }
      assert_refused condition, plan[:problems].first&.then { |problem| "#{problem[:what]} #{problem[:remedy]}" }
      assert_equal before, left
    end

    define_method(:"test_a_condition_that_writes_leaves_nothing_in_the_workspace_of_a_dump_#{at}") do
      before = left
      place = { "to" => { "file" => path("made.dump") }, "compression" => "gzip", "workspace" => { "url" => target.url, "parallel_connections" => 1 } }
      error = begin
        ScalingoStagingSync::Native.dump(settings(condition), place) { nil } && nil
      rescue ScalingoStagingSync::Error => error
        error
      end
      assert_refused condition, error&.message
      assert_equal before, left
    end

    define_method(:"test_a_condition_that_writes_ends_a_run_before_the_target_is_touched_#{at}") do
      skip "making a large object is undone before 16" if Postgres.version < 16 && condition.start_with?("lo_")
      target
      assert_untouched(target) do
        assert_run_fails ScalingoStagingSync::RestoreError, source: archive, target: target.url, options: options(entry("users", where: condition))
      end
    end
  end

  def test_what_writes_or_runs_a_query_is_refused_by_its_name
    BY_NAME.each { |where, expected| assert_match expected, refused(**options(entry("users", where:))).message }
  end

  def test_a_function_of_the_targets_own_that_reads_its_tables_is_refused
    error = assert_run_fails ScalingoStagingSync::PlanError, source: archive, target: target.url, options: options(entry("users", where: "marked()"))
    assert_match(/calls a function that reads public\.marks, whose rows in the database are not those of the backup/, error.message)
  end

  def test_a_condition_keeps_the_same_rows_as_ever
    { "id <= 3 AND code LIKE 'c%'" => %w[1 2 3], "code ~ E'^c\\\\d$' AND email <> 'it''s'" => %w[1 2 3 4 5 6 7 8 9],
      "code = 'c5' -- and no more" => ["5"] }.each do |where, ids|
      database = new_database
      run!(source: archive, target: database.url, options: options(entry("users", where:)))
      assert_equal ids, database.values("SELECT id FROM users ORDER BY id"), where
      assert_equal ids, database.values("SELECT id FROM orders ORDER BY id"), where
    end
    database = new_database
    limit = { "table" => "users", "option" => "limits", "rows" => 2, "order_by" => ["id"], "descending" => true }
    run!(source: archive, target: database.url, options: options(entry("users", where: "id < 10"), limit))
    assert_equal %w[8 9], database.values("SELECT id FROM users ORDER BY id")
  end

  def refused(target = new_database, **options)
    assert_untouched(target) { assert_run_fails ScalingoStagingSync::PlanError, source: archive, target: target.url, options: }
  end

  def test_a_condition_and_an_order_that_are_both_refused_are_two_faults_with_what_to_do_about_each
    message = refused(**options(entry("users", where: "id > email", rows: 3, order_by: ["about"]), entry("logs", where: "line"))).message
    ["PostgreSQL refuses the configuration in 3 places:",
     /^- PostgreSQL refused the condition of the subset's rule for public\.users: .*\(SQLSTATE 42883.*\)\. Compare values of one type/,
     /^- PostgreSQL refused the order by about in the rule for public\.users: .*\(SQLSTATE 42883.*\)\. Order by a column whose values have an order/,
     /^- PostgreSQL refused the condition of the subset's rule for public\.logs: .*\(SQLSTATE 42804.*\)\. Write a condition that is true or false/]
      .each { |expected| assert_match expected, message }
  end

  def test_each_part_of_a_condition_that_the_server_refuses_is_a_fault_and_what_it_accepts_is_none
    where = "id > 3 AND (code > 5 OR nosuch(code)) AND id BETWEEN 1 AND 'x'"
    message = refused(**options(entry("users", where:))).message
    assert_match(/refuses the configuration in 3 places:/, message)
    assert_equal [/near `> 5/, /near `nosuch/, /near `'…'`/].map { |near| message.lines.grep(near).size }, [1, 1, 1], message
  end

  # Each gives a text in another way, and the server refuses each for another reason.
  TEXTS = ["email = 'Marie'::int", "id = 'Marie''s'", "id = $$Marie$$", "id = $a$Marie$a$", "id = U&'Marie'", "id = E'Marie\\n'", "nosuch('Marie', id)", "id > 3 AND code::uuid = 'Marie'",
           "email = 'x' 'Marie'", "(email = 'Marie'", "email = $$x$$ $$Marie$$", "email = 'O'Marie''", "email = 'x' \"Marie\"", "id = 'x'::\"Marie\"", "code = 'x' -- Marie\n AND id = nosuch(1)", "id ~ 'Marie'"].freeze

  def test_no_text_of_a_condition_is_repeated_however_it_is_quoted_and_whoever_refuses_it
    TEXTS.each do |where|
      message = refused(**options(entry("users", where:))).message
      refute_includes message, "Marie", where
      refute_match(/near `(?!nosuch)[^`]*\)`/, message)
    end
    assert_match(/near `'…'::int`/, refused(**options(entry("users", where: TEXTS.first))).message)
    assert_match(/near `nosuch\('…', id\)`/, refused(**options(entry("users", where: "nosuch('Marie', id)"))).message)
  end

  def test_a_condition_that_changes_the_session_is_refused_with_what_to_leave_out
    where = "set_config('transaction_read_only', 'off', false) = 'off' OR id < 3"
    error = assert_run_fails ScalingoStagingSync::RestoreError, source: archive, target: new_database.url, options: options(entry("users", where:))
    assert_match(/for public\.users: .*\(SQLSTATE 25001.*Leave out what changes the session, such as set_config/, error.message)
    refute_match(/the transaction cannot go on/, error.message)
  end

  def test_rules_without_effect_and_kept_tables_are_refused_in_one_list_with_the_rest
    staging = new_database
    staging.exec("CREATE TABLE logs (line integer, about json)")
    given = options(entry("users", where: "id > 'many'::date"), entry("logs", where: "lin = 'x'"), include_tables: ["ordrs"], keep_tables: ["logs"])
    message = refused(staging, **given).message
    [/in 5 places/, /include_tables: no table of the backup matches "ordrs"/, /public\.logs has no column lin\b/, /keep_tables: public\.logs has subset, too/,
     /condition of the subset's rule for public\.users/, /keep_tables: public\.logs is not .*line is another type.*Migrate the target/].each { |expected| assert_match expected, message }
  end

  def test_a_condition_that_fails_at_a_row_says_how_it_can_pass_over_it
    error = assert_run_fails ScalingoStagingSync::RestoreError, source: archive, target: new_database.url, options: options(entry("users", where: "code::int > 3"))
    assert_match(/SQLSTATE 22P02.*\)\. Keep such values from it by CASE, such as "CASE WHEN code ~ /, error.message)
    passing = "CASE WHEN code ~ '^[0-9]{1,9}$' THEN code::integer > 5 ELSE false END OR id = 1"
    run!(source: archive, target: new_database.url, options: options(entry("users", where: passing)))
  end

  def test_a_subset_that_keeps_nothing_names_the_rule_that_empties_it
    rules = [entry("users", where: "id > 99"), entry("orders", where: "id < 5")]
    message = refused(**options(*rules)).message
    assert_includes message, "The subset keeps no row of any table that it names. The reason: "
    assert_includes message, "the condition on public.users keeps none of 20 rows"
    assert_includes message, "every row of public.orders that its rule keeps refers to one that does not come, of public.users (orders.user_id)"
    assert_includes message, "Correct the condition on public.users, or put allow_empty: true beside one of the rules, and run it again."
    rules[0]["allow_empty"] = true
    run!(source: archive, target: new_database.url, options: options(*rules))
  end
end

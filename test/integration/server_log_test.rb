# frozen_string_literal: true

require_relative "integration_helper"
require_relative "../support/foreign_archive"

# What a run leaves in the target server's log: nothing of a row that a rule in SQL or a condition covers, however the run
# ends. The archive is another cluster's, so any of its values in this one's log was written there by a run.
class ServerLogTest < IntegrationTest
  # Where trouble is, a function of the backup does it in a target only: its name begins with "target".
  CLINIC = <<~SQL
    CREATE SCHEMA odd;
    CREATE FUNCTION odd.say(given text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$
      BEGIN
        RAISE WARNING 'a function speaks of %', length(given);
        RAISE EXCEPTION 'no such person as %', given USING DETAIL = given, TABLE = given, COLUMN = given, HINT = given;
      END $$;
    CREATE FUNCTION odd.in_a_target(kind text, given text) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$
      BEGIN
        IF current_database() NOT LIKE 'target%' THEN RETURN true; END IF;
        IF current_database() LIKE 'target_slow%' THEN PERFORM pg_sleep(0.2); END IF;
        IF current_database() LIKE 'target_' || kind || '%' THEN PERFORM odd.say(given); END IF;
        RETURN true;
      END $$;
    CREATE FUNCTION odd.of(given text) RETURNS integer LANGUAGE sql IMMUTABLE AS
      $$ SELECT CASE WHEN odd.in_a_target('generated', given) THEN 1 END $$;
    CREATE TYPE odd.mood AS ENUM ('good', 'blue');
    CREATE DOMAIN odd.name AS varchar(40) CHECK (odd.in_a_target('domain', VALUE)) NOT NULL;
    CREATE TABLE public.plain (id bigint PRIMARY KEY, age integer, phone text NOT NULL, word varchar(30) CHECK (word <> 'wrong'),
      born date, seen timestamp with time zone, price numeric(8, 2), photo bytea, key uuid);
    CREATE TABLE public.strange (id bigint PRIMARY KEY, called odd.name, mood odd.mood, about jsonb, notes json, tags varchar(20)[],
      address inet, span daterange, wait interval, code "char", doc xml, length integer GENERATED ALWAYS AS (odd.of(called)) STORED,
      bits bit(3), padded character(8), names name, search tsvector, noise text);
    INSERT INTO public.plain SELECT n, n, 'RAW phone ' || n, 'RAW word ' || n, date '1970-01-01' + n, now(), n, 'RAW photo', gen_random_uuid()
      FROM generate_series(1, 4000) n;
    INSERT INTO public.strange (id, called, mood, about, notes, tags, address, span, wait, code, doc, bits, padded, names, search, noise) SELECT n, 'RAW name ' || n, 'blue', jsonb_build_object('RAW key', e'RAW \\\\ "value"\\n' || n),
      '{"a": "RAW \\u00e9"}', ARRAY['RAW tag ' || n, NULL, 'a,b', ''], '10.0.0.1', daterange(date '2020-01-01', date '2020-01-01' + n), n * interval '1 hour',
      'R', '<a>RAW</a>', b'101', 'RAW', 'RAW name', to_tsvector('simple', 'RAW ' || n), 'RAW ' || gen_random_uuid()
      FROM generate_series(1, 3000) n;
  SQL

  PLAIN = { "table" => "plain", "query" => "UPDATE plain SET phone = 'none', word = 'none'" }.freeze
  STRANGE = { "table" => "strange", "query" => "UPDATE strange SET called = 'none', about = '{}'" }.freeze

  # Rules over raw rows that the server refuses in the middle, each after some rows.
  REFUSED = {
    "plain" => ["age = phone::integer", "word = (phone::regclass)::text", "age = nextval(phone)", "word = ('x' ~ ('(' || phone))::text",
                "born = phone::date", "price = phone::numeric", "key = phone::uuid", "word = odd.say(phone)", "word = repeat(phone, 9)",
                "word = to_date(phone, 'YYYY')::text", "word = set_config('work_mem', phone, true)", "phone = NULLIF(phone, phone)",
                "word = CASE WHEN id > 3 THEN 'wrong' END", "price = id * 1000000.5", "photo = decode(phone, 'hex')", "age = 1 / (id - 100)",
                "seen = word::timestamptz", "word = xmlparse(document phone)::text", "word = (phone::json ->> 'a')"],
    "strange" => ["called = odd.say(called)", "mood = called::odd.mood", "about = called::text::jsonb", "tags = called::text::text[]",
                  "address = called::text::inet", "span = called::text::daterange", "called = NULLIF(called, called)"]
  }.freeze

  REFUSED.each do |table, settings|
    settings.each_with_index do |setting, at|
      define_method(:"test_a_rule_that_is_refused_over_rows_of_#{table}_leaves_none_in_the_log_#{at}") do
        rule = { "table" => table, "query" => "UPDATE #{table} SET #{setting}" }
        error = nil
        logged = nothing_logged { |target, source| error = failed(target, source, rule) }
        assert_match(/a statement over rows failed/, logged)
        assert_match(/\(SQLSTATE [0-9A-Z]{5}/, error.message)
        refute_match(/gazelle|no such person/, error.message)
      end
    end
  end

  # Conditions of a subset that meet, in the middle of raw rows, a value that they cannot work with.
  {
    "plain" => ["phone::integer > 3", "word::date > now()", "odd.say(phone)::text = 'x'", "1 / (id - 100) > 0", "decode(phone, 'hex') <> ''"],
    "strange" => ["called::text::inet IS NOT NULL", "(about ->> 'a')::text::odd.mood = 'good' OR called::text::odd.mood = 'good'", "odd.say(called) <> 'x'",
                  "xmlparse(document called::text) IS NOT NULL AND notes ->> 'a' = 'b'"]
  }.each do |table, conditions|
    conditions.each_with_index do |condition, at|
      define_method(:"test_a_condition_of_a_subset_that_fails_over_rows_of_#{table}_leaves_none_in_the_log_#{at}") do
        error = nil
        logged = nothing_logged do |target, source|
          error = assert_run_fails(ScalingoStagingSync::RestoreError, **options_for(target, source, [PLAIN, STRANGE]), options: subset(table, condition))
        end
        assert_match(/a statement over rows failed/, logged)
        assert_match(/applying the subset's rule for public\.#{table}.*\(SQLSTATE [0-9A-Z]{5}/, error.message)
        refute_match(/gazelle|no such person/, error.message)
      end
    end
  end

  def test_a_session_that_is_ended_while_keys_come_leaves_no_row_in_the_log
    logged = nothing_logged do |target, source|
      fake = held(source, 0.4)
      settings = Engine.settings(**options_for(target, fake.source, [PLAIN, STRANGE]), options: subset("plain", "phone LIKE '%7' AND word <> ''"))
      thread = Thread.new { Engine.run(settings) }
      fake.wait_until_held
      Postgres.exec("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid = #{copy_in(target)}")
      fake.release
      assert_instance_of ScalingoStagingSync::TargetConnectionError, thread.value.error
    end
    assert_match(/CONTEXT:  COPY scalingo_staging_sync_rows_\d+, line \d+/, logged)
  end

  # The target's name, and the rule that makes rows go where trouble waits.
  { "target_domain" => STRANGE, "target_generated" => STRANGE }.each do |name, rule|
    define_method(:"test_rows_that_a_#{name.delete_prefix("target_")}_of_the_target_refuses_are_not_in_the_log") do
      error = nil
      assert_match(/a statement over rows failed/, nothing_logged(name) { |target, source| error = failed(target, source, rule) })
      assert_match(/reading the rows of public\.strange.*P0001/, error.message)
      refute_match(/gazelle|no such person/, error.message)
    end
  end

  def test_values_of_every_type_arrive_as_they_were
    target = new_database("goal")
    source = ForeignArchive.make(CLINIC, "gazelle")
    rules = [{ "table" => "plain", "query" => "UPDATE plain SET age = age + 1" },
             { "table" => "strange", "query" => "UPDATE strange SET id = id + 10000" }]
    run!(source:, target: target.url, masking_options: { sql_rules: rules, allow_unmasked_copy: false })
    expected = new_database("expected")
    run!(source:, target: expected.url)
    expected.exec("UPDATE plain SET age = age + 1; UPDATE strange SET id = id + 10000")
    %w[plain strange].each do |table|
      # The search vector of a table with a rule is emptied.
      rows = [expected, target].map { |database| database.values("SELECT to_jsonb(t) - 'search' FROM (SELECT * FROM #{table} ORDER BY id) t") }
      assert_equal rows[0].size, rows[1].size
      assert_empty rows[0] - rows[1]
    end
  end

  # How a session ends while raw rows are in it, and by whom.
  ENDS = { "ended" => "SELECT pg_terminate_backend(pid)", "cancelled" => "SELECT pg_cancel_backend(pid)" }.freeze

  ENDS.each do |how, sql|
    { "plain" => PLAIN, "strange" => STRANGE }.each do |table, rule|
      define_method(:"test_a_session_that_is_#{how}_while_rows_of_#{table}_come_leaves_none_in_the_log") do
        logged = nothing_logged do |target, source|
          hold(source, target, rule, (table == "plain") ? 0.4 : 0.9) { |copy| Postgres.exec("#{sql} FROM pg_stat_activity WHERE pid = #{copy}") }
        end
        assert_match(/CONTEXT:  COPY \w+, line \d+/, logged) if how == "ended"
      end
    end

    define_method(:"test_a_session_that_is_#{how}_in_a_rule_leaves_no_row_in_the_log") do
      slow = { "table" => "plain", "query" => "UPDATE plain SET word = pg_sleep(0.01)::text || phone" }
      nothing_logged do |target, source|
        ended_in(target, source, slow, "%discreetly%", sql)
      end
    end

    define_method(:"test_a_session_that_is_#{how}_as_rows_move_leaves_none_in_the_log") do
      nothing_logged("target_slow") { |target, source| ended_in(target, source, STRANGE, "%discreetly%", sql) }
    end
  end

  def test_a_run_that_is_killed_while_rows_come_leaves_none_in_the_log
    logged = nothing_logged do |target, source|
      fake = held(source, 0.4)
      process = Engine.start(settings_for(target, fake.source, PLAIN))
      fake.wait_until_held
      copy_in(target)
      process.kill(:KILL)
      process.wait(30)
      target.wait_until_idle(10)
    end
    assert_match(/unexpected EOF on client connection/, logged)
  end

  def test_an_operator_who_logs_every_statement_and_its_parameters_reads_no_row
    nothing_logged do |target, source|
      Postgres.exec("ALTER DATABASE #{target.name} SET log_statement = 'all'; ALTER DATABASE #{target.name} SET log_min_duration_statement = 0; " \
                    "ALTER DATABASE #{target.name} SET log_error_verbosity = 'verbose'")
      run!(**options_for(target, source, [PLAIN, STRANGE]))
      failed(target, source, { "table" => "plain", "query" => "UPDATE plain SET age = phone::integer" })
    end
  end

  private

  # Yields a target of a role that may no more than Scalingo's, and an archive whose values hold "gazelle"; expects no gazelle
  # in what the server logged meanwhile, which it returns.
  def nothing_logged(name = "target")
    staging = Postgres.create_staging(name).tap { |made| later { made.drop } }
    @role = staging.role
    at = File.size(log)
    yield staging.database, ForeignArchive.make(CLINIC, "gazelle")
    logged = File.binread(log, nil, at)
    assert_empty logged.lines.grep(/gazelle/)
    logged
  end

  def log = "#{ENV.fetch("TEST_PG_DIR")}/server.log"

  def options_for(target, source, rules)
    { source:, target: target.url_as(@role), target_options: { retry_attempts: 0 },
      masking_options: { sql_rules: rules, allow_unmasked_copy: false } }
  end

  def subset(table, condition)
    { subset: { "tables" => [{ "table" => table, "option" => "subset", "where" => condition }], "others" => "follow" } }
  end

  def settings_for(target, source, rule) = Engine.settings(**options_for(target, source, [rule]))

  def failed(target, source, rule) = assert_run_fails(ScalingoStagingSync::RestoreError, **options_for(target, source, [rule]))

  # A server that stops after a part of the archive.
  def held(source, part)
    packed = Postgres.pack(source, directory: @directory)
    fake_scalingo(archive: packed, hold_at: (File.size(packed) * part).to_i, piece: 4096)
  end

  # Starts a run that stands still in the middle of a COPY; yields that session's process.
  def hold(source, target, rule, part)
    fake = held(source, part)
    thread = Thread.new { Engine.run(settings_for(target, fake.source, rule)) }
    fake.wait_until_held
    yield copy_in(target)
    fake.release
    thread.join
  end

  # The process of a session that is in a COPY of raw rows.
  def copy_in(target)
    waited = 0
    loop do
      found = Postgres.exec("SELECT pid FROM pg_stat_activity WHERE datname = '#{target.name}' AND state = 'active' AND query LIKE 'COPY %pg_temp%'").first
      return found["pid"] if found
      raise "no COPY of raw rows is under way" if (waited += 1) > 200

      sleep 0.02
    end
  end

  # Runs, and does `sql` to the session that is in a statement like this.
  def ended_in(target, source, rule, statement, sql)
    thread = Thread.new { Engine.run(settings_for(target, source, rule)) }
    touched = []
    500.times do
      touched = Postgres.exec("#{sql} FROM pg_stat_activity WHERE datname = '#{target.name}' AND state = 'active' AND query LIKE '#{statement}' " \
                              "AND wait_event = 'PgSleep'")
      break if touched.any?

      sleep 0.02
    end
    assert_equal 1, touched.size
    assert_kind_of ScalingoStagingSync::Error, thread.value.error
  end
end

# frozen_string_literal: true

require_relative "integration_helper"
require_relative "../support/trouble"

# Rules in SQL that meet trouble which may pass: deadlocks, serialization failures and lock timeouts are tried again
# from a savepoint, and after a lost connection the backup is streamed again.
class SqlRetryTest < IntegrationTest
  WARD = Trouble::FUNCTION + <<~SQL
    CREATE FUNCTION public.two_locks(given text) RETURNS text LANGUAGE plpgsql AS $$
      BEGIN
        PERFORM nextval('counter.tries'), pg_catalog.pg_advisory_xact_lock(101), pg_catalog.pg_advisory_xact_lock(102);
        RETURN 'masked ' || md5(given);
      END $$;
    CREATE FUNCTION public.fragile(given text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$
      BEGIN
        IF nextval('counter.letters') = 150 THEN
          PERFORM pg_catalog.pg_terminate_backend(pg_catalog.pg_backend_pid());
          PERFORM pg_catalog.pg_sleep(10);
        END IF;
        RETURN upper(given);
      END $$;
    CREATE TABLE public.wards (id bigint PRIMARY KEY, title text);
    CREATE TABLE public.patients (id bigint PRIMARY KEY, ward_id bigint REFERENCES public.wards (id), name text);
    CREATE TABLE public.notes (id bigint PRIMARY KEY, body text);
    CREATE TABLE public.letters (id bigint PRIMARY KEY, body text, loud text GENERATED ALWAYS AS (public.fragile(body)) STORED);
    CREATE TABLE public.plain (id bigint PRIMARY KEY, word text);
    CREATE TABLE public.pages (id bigint PRIMARY KEY, body text, loud text GENERATED ALWAYS AS (public.fragile(body)) STORED);
    CREATE VIEW public.names AS SELECT p.name, w.title FROM public.patients p JOIN public.wards w ON w.id = p.ward_id;
    INSERT INTO public.wards SELECT n, 'RAW ward ' || n FROM generate_series(1, 20) n;
    INSERT INTO public.patients SELECT n, 1 + n % 20, 'RAW patient ' || n FROM generate_series(1, 300) n;
    INSERT INTO public.notes SELECT n, 'RAW note ' || n FROM generate_series(1, 300) n;
    INSERT INTO public.letters SELECT n, 'RAW letter ' || n FROM generate_series(1, 300) n;
    INSERT INTO public.plain SELECT n, 'word ' || n FROM generate_series(1, 300) n;
    -- More than one connection gets some of it.
    INSERT INTO public.pages SELECT n, repeat('page ' || n || ' ', 150) FROM generate_series(1, 9000) n;
  SQL

  # Made once per process.
  def self.archive
    @archive ||= begin
      database = Postgres.create_database("ward")
      database.exec(Trouble::COUNTER + WARD)
      database.dump("#{Shared.directory}/ward.dump", "--exclude-schema=counter")
    ensure
      database&.drop
    end
  end

  CODES = { "a serialization failure" => "40001", "a deadlock" => "40P01", "a lock timeout" => "55P03" }.freeze

  CODES.each do |name, code|
    define_method(:"test_#{name.tr(" ", "_")}_that_passes_is_tried_again_from_the_savepoint") do
      staging = loaded(trouble("patients", code, 1, 2))
      assert_equal 300, count(staging, "patients WHERE name LIKE 'masked %' AND id = 1 OR name = 'x'")
      assert_equal 3, tries(staging), "two failures and a success, each on the one row"
      assert_equal 300, count(staging, "notes WHERE body = 'x'")
    end

    define_method(:"test_#{name.tr(" ", "_")}_that_lasts_ends_the_run_after_the_configured_attempts") do
      staging = new_ward
      error = failed(ScalingoStagingSync::LockTimeoutError, staging, trouble("patients", code, 1, 99), retry_attempts: 2)
      assert_match(/patients.*#{code}.*tried 3 times/m, error.message)
      assert_equal 3, tries(staging)
      %w[patients notes].each { |table| assert_equal 0, count(staging, table) if there?(staging, table) }
    end

    define_method(:"test_without_rollback_#{name.tr(" ", "_")}_that_lasts_leaves_only_its_own_tables_empty") do
      staging = new_ward
      error = failed(ScalingoStagingSync::LockTimeoutError, staging, trouble("patients", code, 1, 99),
                     retry_attempts: 1, rollback_on_error: false)
      assert_match(/these tables are empty: public\.patients\./, error.message)
      assert_equal [0, 300, 300], [count(staging, "patients"), count(staging, "notes WHERE body = 'x'"), count(staging, "plain")]
    end
  end

  def test_any_other_error_is_not_tried_again
    staging = new_ward
    failed(ScalingoStagingSync::RestoreError, staging, trouble("patients", "22012", 1, 99))
    assert_equal 1, tries(staging)
  end

  def test_without_retries_the_first_failure_is_the_last
    staging = new_ward
    error = failed(ScalingoStagingSync::LockTimeoutError, staging, trouble("patients", "40001", 1, 1), retry_attempts: 0)
    assert_equal 1, tries(staging)
    refute_match(/tried/, error.message)
  end

  # The other session holds one lock and asks for the one that the rule holds, which waits for the first.
  def test_two_sessions_that_block_each_other_get_by
    staging = new_ward
    other = PG.connect(staging.database.url)
    # Only the rule's session looks for deadlocks, so it is the one that the server picks.
    other.exec("SET deadlock_timeout = '1h'; SELECT pg_advisory_lock(102)")
    rival = Thread.new do
      wait_until { staging.database.value("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = 102 AND NOT granted") == "1" }
      other.exec("SELECT pg_advisory_lock(101)")
      other.exec("SELECT pg_advisory_unlock_all()")
    end
    run!(**settings(staging, rules("patients", "UPDATE patients SET name = two_locks(name)")))
    rival.join
    assert_equal 300, count(staging, "patients WHERE name LIKE 'masked %'")
    assert_equal 301, tries(staging), "the first row's call failed once"
  ensure
    other&.close
  end

  def test_a_lock_that_is_held_for_too_long_times_out_and_is_tried_again
    staging = new_ward
    other = PG.connect(staging.database.url)
    other.exec("SELECT pg_advisory_lock(102)")
    rival = Thread.new do
      wait_until { tries(staging) == 2 }
      other.exec("SELECT pg_advisory_unlock_all()")
    end
    run!(**settings(staging, rules("patients", "UPDATE patients SET name = two_locks(name)"), lock_timeout: 0.3))
    rival.join
    assert_equal 300, count(staging, "patients WHERE name LIKE 'masked %'")
    assert_operator tries(staging), :>=, 301
  ensure
    other&.close
  end

  def test_after_a_lost_connection_the_backup_is_streamed_again_for_its_tables
    whole = loaded(trouble("patients", "lost", 0, 0))
    staging = new_ward
    outcome = run!(**settings(staging, trouble("patients", "lost", 1, 2)))
    assert outcome.report[:verified]
    assert_equal 3, tries(staging)
    assert_equal(*[whole, staging].map { |each| each.database.canonical_dump("--exclude-schema=counter") })
    again = outcome.warnings.grep(/streamed again for/)
    assert_equal ["The backup is streamed again for public.patients."] * 2, again
    assert_equal({ "public.patients" => 300, "public.notes" => 300 },
                 outcome.report[:tables].to_h { |table| [table[:table], table[:rows]] }.slice("public.patients", "public.notes"))
  end

  def test_one_connection_is_replaced_when_it_is_lost
    staging = new_ward
    run!(**settings(staging, trouble("patients", "lost", 1, 1), parallel_connections: 1))
    assert_equal [0, 300], [count(staging, "patients WHERE name LIKE 'RAW%'"), count(staging, "plain")]
  end

  def test_a_connection_lost_among_the_rows_of_a_table_is_made_good_too
    [1, 2].each do |parallel_connections|
      staging = new_ward
      staging.database.exec("SELECT setval('counter.letters', 1)")
      rules = rules("letters", "UPDATE letters SET body = 'x' || id; UPDATE letters SET body = body || '!'")
      run!(**settings(staging, rules, parallel_connections:))
      assert_equal 300, count(staging, "letters WHERE body = 'x' || id || '!' AND loud = upper(body)")
    end
  end

  # Tables that name one another are one session's, and an index of one of them cannot come before the other's rows.
  def test_all_tables_of_the_session_come_again
    staging = new_ward
    rules = [*rules("wards", "UPDATE wards SET title = 'Ward ' || id"),
             *rules("patients", "UPDATE patients SET name = (SELECT title FROM wards WHERE wards.id = ward_id) || trouble(name, 'lost', 200, 200)")]
    outcome = run!(**settings(staging, rules))
    assert_match(/for public\.patients, public\.wards\./, outcome.warnings.grep(/streamed again/).first)
    assert_equal 300, count(staging, "patients WHERE name ~ '^Ward [0-9]+masked [0-9a-f]{32}$'")
    assert_equal 20, count(staging, "wards WHERE title = 'Ward ' || id")
    assert_equal 1, count(staging, "pg_constraint WHERE contype = 'f' AND convalidated")
  end

  # The pseudonyms come with the rows, so they come again, and are chosen again.
  def test_columns_under_a_condition_come_again
    config = ScalingoStagingSync::Configuration.new
    config.anonymization_secret = SECRET
    config.anonymization_tables = [{ table: "patients", columns: { name: :name }, keep: { name: ["raw patient 7*"] },
                                     condition: "trouble(name, 'lost', 1, 2) IS NOT NULL AND id <= 100" }]
    staging = new_ward
    outcome = run!(**settings(staging, []), masking_options: ScalingoStagingSync::EngineSettings.new(config).masking)
    assert_equal 2, outcome.warnings.grep(/streamed again for public\.patients\./).size
    kept = "name = 'RAW patient ' || id"
    assert_equal [89, 11, 200], [count(staging, "patients WHERE id <= 100 AND NOT #{kept}"), count(staging, "patients WHERE id <= 100 AND #{kept}"),
                                 count(staging, "patients WHERE id > 100 AND #{kept}")]
    column = outcome.report[:tables].find { |table| table[:table] == "public.patients" }[:columns].first
    assert_equal [89, 211, 0], column.values_at(:masked, :kept, :violations)
  end

  # Other connections may have committed rows of the table, which must not be there twice.
  def test_a_table_without_rules_in_sql_is_emptied_and_streamed_again
    { 1 => -8850, 3 => -8850, 2 => 100 }.each do |parallel_connections, first_call|
      staging = new_ward
      staging.database.exec("ALTER SEQUENCE counter.letters MINVALUE -10000; SELECT setval('counter.letters', #{first_call})")
      outcome = run!(**settings(staging, rules("notes", "UPDATE notes SET body = 'x'"), parallel_connections:))
      assert_equal 1, outcome.warnings.grep(/streamed again for public\.(pages|letters)\./).size
      assert outcome.report[:verified]
      assert_equal [9000, 300], [count(staging, "pages WHERE loud = upper(body)"), count(staging, "letters WHERE loud = upper(body)")]
      assert_equal 300, count(staging, "notes WHERE body = 'x'")
    end
  end

  def test_a_table_whose_connection_is_lost_each_time_ends_the_run
    staging = new_ward
    # Every second row is one too many.
    staging.database.exec("ALTER SEQUENCE counter.letters MINVALUE 149 MAXVALUE 150 START 149 RESTART 149 CYCLE")
    error = failed(ScalingoStagingSync::TargetConnectionError, staging, rules("notes", "UPDATE notes SET body = 'x'"), retry_attempts: 2)
    assert_match(/loading the rows of public\.(pages|letters).*lost 3 times/, error.message)
  end

  def test_a_connection_that_is_lost_each_time_ends_the_run_with_nothing_raw
    staging = new_ward
    error = failed(ScalingoStagingSync::TargetConnectionError, staging, trouble("patients", "lost", 1, 99), retry_attempts: 2)
    assert_match(/lost 3 times/, error.message)
    assert_equal 3, tries(staging)
    %w[patients notes].each { |table| assert_equal 0, count(staging, table) if there?(staging, table) }
    assert_equal "failed", staging.database.value("SELECT status FROM scalingo_staging_sync.runs ORDER BY started_at DESC LIMIT 1")
  end

  def test_without_rollback_the_other_tables_are_complete_all_the_same
    staging = new_ward
    error = failed(ScalingoStagingSync::TargetConnectionError, staging, trouble("patients", "lost", 1, 99),
                   retry_attempts: 1, rollback_on_error: false)
    assert_match(/these tables are empty: public\.patients\..*lost 2 times/, error.message)
    assert_equal [0, 300, 300], [count(staging, "patients"), count(staging, "notes WHERE body = 'x'"), count(staging, "plain")]
    assert_equal 6, count(staging, "pg_index i JOIN pg_class c ON c.oid = i.indrelid WHERE c.relnamespace = 'public'::regnamespace")
  end

  # What came through a pipe is gone.
  def test_a_source_that_cannot_be_read_twice_says_so
    staging = new_ward
    pipe = path("pipe")
    File.mkfifo(pipe)
    writer = Thread.new { File.open(pipe, "wb") { |out| IO.copy_stream(self.class.archive, out) } }
    outcome = Engine.run(Engine.settings(**settings(staging, trouble("patients", "lost", 1, 1)), source: pipe))
    writer.join
    assert_instance_of ScalingoStagingSync::TargetConnectionError, outcome.error
    assert_match(/could not be streamed again: .*cannot be read a second time/m, outcome.error.message)
    assert_well_worded outcome.error
  end

  def test_scalingo_is_asked_for_a_new_link_to_the_same_backup
    staging = new_ward
    fake = fake_scalingo(archive: Postgres.pack(self.class.archive, directory: @directory))
    newer = nil
    outcome = run!(**settings(staging, trouble("patients", "lost", 1, 1), retry_delay: 1.0), source: fake.source) do |event|
      # A newer one is there by then.
      next if newer || event[:event].to_s != "table_loaded"

      newer = fake.backup(age: 0)
      fake.backups.unshift(newer)
    end
    links = fake.requests_of(:archive).map(&:path)
    assert_equal 2, links.size
    assert_equal 1, links.uniq.size
    assert_includes links.first, outcome.report[:backup][:id]
    refute_equal newer.id, outcome.report[:backup][:id]
    assert_equal 300, count(staging, "notes WHERE body = 'x'")
  end

  private

  def new_ward = new_staging(before: Trouble::COUNTER)

  def rules(table, *queries) = queries.map { |query| { "table" => table, "query" => query } }

  # Two independent rules; the one for `table` meets trouble of a kind from one call to another.
  def trouble(table, kind, first, last)
    [*rules("notes", "UPDATE notes SET body = 'x'"),
     *rules(table, "UPDATE #{table} SET name = CASE WHEN id = 1 THEN trouble(name, '#{kind}', #{first}, #{last}) ELSE 'x' END")]
  end

  def settings(staging, sql_rules, rollback_on_error: true, **target_options)
    { source: self.class.archive, target: staging.url, target_options: { retry_delay: 0.01, **target_options },
      masking_options: { sql_rules:, allow_unmasked_copy: false, rollback_on_error: } }
  end

  def loaded(sql_rules)
    new_ward.tap { |staging| run!(**settings(staging, sql_rules)) }
  end

  def failed(error_class, staging, sql_rules, **options)
    assert_run_fails(error_class, **settings(staging, sql_rules, **options))
  end

  def count(staging, from) = Integer(staging.database.value("SELECT count(*) FROM #{from}"))

  def there?(staging, table) = staging.database.value("SELECT to_regclass('#{table}')")

  def tries(staging)
    Integer(staging.database.value("SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM counter.tries"))
  end

  def wait_until(seconds = 30)
    deadline = Process.clock_gettime(Process::CLOCK_MONOTONIC) + seconds
    until yield
      raise "it did not happen within #{seconds} s" if Process.clock_gettime(Process::CLOCK_MONOTONIC) > deadline

      sleep 0.01
    end
  end
end

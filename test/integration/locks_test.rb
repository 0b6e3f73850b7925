# frozen_string_literal: true

require_relative "integration_helper"
require_relative "../soak/breaking_proxy"

# Another session takes a lock just before a statement of the run needs it. A proxy holds that statement meanwhile.
class LocksTest < IntegrationTest
  PRODUCTION = <<~SQL
    CREATE TABLE people (id int PRIMARY KEY, email text NOT NULL UNIQUE);
    CREATE TABLE orders (id int PRIMARY KEY, person_id int REFERENCES people, note text);
    CREATE INDEX orders_note ON orders (note);
    CREATE MATERIALIZED VIEW totals AS SELECT p.id, count(*) AS n FROM orders o JOIN people p ON p.id = o.person_id GROUP BY 1;
    CREATE POLICY own ON orders USING (true);
    ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
    INSERT INTO people SELECT n, 'raw' || n || '@production.example' FROM generate_series(1, 40) n;
    INSERT INTO orders SELECT n, 1 + n % 40, 'raw note ' || n FROM generate_series(1, 400) n;
    REFRESH MATERIALIZED VIEW totals;
  SQL

  RULES = [{ "table" => "people", "columns" => { "email" => "email" } }, { "table" => "orders", "columns" => { "note" => "redact" } }].freeze

  Errors = ScalingoStagingSync

  # Each step of a run: the statement, and the error where its lock stays. Rows are sent again, and what comes before that has
  # a time limit of its own.
  STEPS = {
    "the_reset" => [/LOCK TABLE ONLY/, Errors::LockTimeoutError],
    "rows" => [/COPY "public"."orders"/, Errors::LockTimeoutError],
    "an_index" => [/CREATE INDEX orders_note/, Errors::TargetConnectionError],
    "a_primary_key" => [/ADD CONSTRAINT orders_pkey/, Errors::TargetConnectionError],
    "a_foreign_key" => [/ADD CONSTRAINT orders_person_id_fkey/, Errors::TargetConnectionError],
    "row_level_security" => [/ENABLE ROW LEVEL/, Errors::TargetConnectionError],
    "a_materialized_view" => [/REFRESH MATERIALIZED/, Errors::TargetConnectionError],
    "statistics" => [/ANALYZE "public"."orders"/, Errors::TargetConnectionError],
    "verification" => [/SELECT count.* FROM ONLY "public"."orders"/m, Errors::TargetConnectionError]
  }.freeze

  # Deadlocks, below, are waits that end, too.
  STEPS.slice("rows", "a_primary_key", "row_level_security", "statistics", "verification").each do |step, (statement, _)|
    define_method(:"test_a_lock_that_is_let_go_delays_#{step}") do
      staging = staging_for(step)
      outcome = beside(staging, statement) { |other, waits| let_go(other, waits) }
      assert_nil outcome.error, outcome.error&.message
      assert outcome.report[:verified]
      assert_whole(staging)
    end
  end

  STEPS.each do |step, (statement, error_class)|
    define_method(:"test_a_lock_that_stays_ends_#{step}_and_the_next_run_completes") do
      staging = staging_for(step)
      outcome = beside(staging, statement, lock_timeout: 0.3)
      assert_instance_of error_class, outcome.error, outcome.error&.message
      assert_well_worded outcome.error
      staging.database.wait_until_idle(10)
      assert_equal (step == "the_reset") ? "complete" : "incomplete", state(staging)
      assert_nothing_raw_in staging.database
      run!(**settings(staging))
      assert_whole(staging)
    end
  end

  # The statement locks another table first, which the other session then asks for.
  { "the_reset" => [/LOCK TABLE ONLY/, "orders", "people"], "a_foreign_key" => [/ADD CONSTRAINT orders_person_id_fkey/, "people", "orders"],
    "a_materialized_view" => [/REFRESH MATERIALIZED/, "people", "orders"] }.each do |step, (statement, first, second)|
    define_method(:"test_a_deadlock_in_#{step}_is_tried_again") do
      staging = staging_for(step)
      deadlocks = deadlocks_in(staging)
      outcome = beside(staging, statement, lock: lock_of(first)) { |other, waits| let_go(other, waits, second) }
      assert_nil outcome.error, outcome.error&.message
      assert_whole(staging)
      assert_equal deadlocks + 1, deadlocks_in(staging)
    end
  end

  # Masking in place: the statement, what another session does first, and the error where its lock stays.
  IN_PLACE = {
    "locking" => [/LOCK TABLE "public"."orders"/, "LOCK TABLE orders IN ROW EXCLUSIVE MODE", Errors::LockTimeoutError],
    "replacing_rows" => [/DROP CONSTRAINT orders_person_id_fkey/, "LOCK TABLE orders IN ACCESS SHARE MODE", Errors::LockTimeoutError],
    "a_materialized_view" => [/REFRESH MATERIALIZED/, "REFRESH MATERIALIZED VIEW totals", Errors::TargetConnectionError]
  }.freeze

  IN_PLACE.each do |step, (statement, lock, error_class)|
    define_method(:"test_in_place_a_lock_that_is_let_go_delays_#{step}") do
      target = raw_database
      outcome = beside(target, statement, lock:, in_place: true) { |other, waits| let_go(other, waits) }
      assert outcome.report&.fetch(:verified), outcome.error&.message
      assert_nothing_raw_in target.database
    end

    define_method(:"test_in_place_a_lock_that_stays_ends_#{step}_and_the_next_one_completes") do
      target = raw_database
      outcome = beside(target, statement, lock:, in_place: true, lock_timeout: 0.3)
      assert_instance_of error_class, outcome.error, outcome.error&.message
      assert_well_worded outcome.error
      target.database.wait_until_idle(10)
      assert_equal "400", target.database.value("SELECT count(*) FROM people JOIN orders ON person_id = people.id")
      assert mask(target.url)[:verified]
      assert_nothing_raw_in target.database
    end
  end

  def test_in_place_a_deadlock_is_tried_again
    target = raw_database
    outcome = beside(target, /LOCK TABLE "public"."orders"/, lock: lock_of("people"), in_place: true) { |other, waits| let_go(other, waits, "orders") }
    assert outcome.report&.fetch(:verified), outcome.error&.message
    assert_nothing_raw_in target.database
  end

  private

  def archive = Shared.archive_of(:locks_archive, PRODUCTION)

  def settings(staging, url: staging&.url, **target_options)
    { source: archive, target: url, target_options: { stall_timeout: 1.0, retry_attempts: 3, **target_options }, masking_options: { rules: RULES } }
  end

  # Only the reset needs what another run has left.
  def staging_for(step) = new_staging.tap { |staging| run!(**settings(staging)) if step == "the_reset" }

  # A database with production's rows, and its URL.
  def raw_database
    new_database.then do |database|
      database.exec(PRODUCTION)
      Struct.new(:database, :url).new(database, database.url)
    end
  end

  def mask(url, **target_options)
    ScalingoStagingSync::Native.anonymize(Engine.settings(**settings(nil, url:, **target_options))) { |_| nil }
  end

  def lock_of(table) = "LOCK TABLE public.#{table} IN ACCESS EXCLUSIVE MODE"

  # A run that has another session beside it, which takes a lock when this statement comes. The block lets it go.
  def beside(staging, statement, lock: lock_of("orders"), in_place: false, **target_options)
    other = PG.connect(staging.database.url)
    other.exec("SET deadlock_timeout = '1h'")
    follower = nil
    proxy = Soak::BreakingProxy.new(Postgres.port, :postgres, at: statement, way: Soak::BreakingProxy::HOLD) do
      other.exec("BEGIN; #{lock}")
      follower = Thread.new { yield other, -> { waiting?(staging, other) } } if block_given?
    end
    url = "#{staging.url.sub(":#{Postgres.port}/", ":#{proxy.port}/")}?sslmode=disable"
    work(url, in_place, target_options).tap { assert proxy.happened, "the statement did not come" }
  ensure
    follower&.join
    other&.close
    proxy&.stop
  end

  def work(url, in_place, target_options)
    return Engine.run(Engine.settings(**settings(nil, url:, **target_options))) unless in_place

    Engine::Outcome.new(mask(url, **target_options), nil, [])
  rescue ScalingoStagingSync::Error => error
    Engine::Outcome.new(nil, error, [])
  end

  # Lets the table go once the run waits for it; before that it asks for a second one, so that each waits for the other.
  def let_go(other, waits, second = nil)
    Timeout.timeout(30) { sleep 0.02 until waits.call }
    other.exec(lock_of(second)) if second
    other.exec("COMMIT")
  end

  def waiting?(staging, other)
    staging.database.value("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND #{other.backend_pid} = ANY (pg_blocking_pids(pid))") != "0"
  end

  def deadlocks_in(staging)
    staging.database.wait_until_idle
    staging.database.value("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()").to_i
  end

  def state(staging) = staging.database.value("SELECT status FROM scalingo_staging_sync.state")

  def assert_whole(staging)
    assert_equal({ "public.people" => 40, "public.orders" => 400 }, staging.database.counts)
    assert_equal "complete", state(staging)
    assert_equal "t", staging.database.value("SELECT bool_and(convalidated) AND count(*) = 4 FROM pg_constraint WHERE connamespace = 'public'::regnamespace")
    assert_nothing_raw_in staging.database
  end

  def assert_nothing_raw_in(database)
    { "people" => "email", "orders" => "note" }.each do |table, column|
      next unless database.value("SELECT to_regclass('public.#{table}')")

      assert_equal "0", database.value("SELECT count(*) FROM #{table} WHERE #{column} LIKE 'raw%'"), table
    end
  end
end

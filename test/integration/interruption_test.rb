# frozen_string_literal: true

require_relative "integration_helper"

# A run that is stopped half-way leaves nothing raw, no connection, and a target that the next run takes over.
class InterruptionTest < IntegrationTest
  SIGNALS = %i[INT TERM KILL].freeze

  # Byte counts of the download at which a run stands still, and the event that shows how far it has come.
  POINTS = {
    "before_the_plan" => [1000, /"event":"phase"/],
    "while_rows_stream" => [0.7, /"event":"table_loaded"/],
    "while_indexes_are_built" => [0.7, /"event":"step_done"/]
  }.freeze

  POINTS.each do |point, (bytes, event)|
    SIGNALS.each do |signal|
      define_method(:"test_sig#{signal.downcase}_#{point}") { stop_at(bytes, event, signal) }
    end
  end

  # The index takes minutes; the statement must not go on at the server.
  SIGNALS.each do |signal|
    define_method(:"test_sig#{signal.downcase}_during_a_long_index_ends_the_statement_too") do
      staging = new_staging
      process = Engine.start(Engine.settings(source: slow_index_dump, target: staging.url))
      process.wait_for(/"event":"table_loaded"/)
      wait_for_statement(staging, "CREATE INDEX%")
      assert_stopped(process, signal)
      staging.database.wait_until_idle(10)
    end
  end

  def test_a_target_is_marked_incomplete_until_a_run_comes_to_its_end
    staging = new_staging
    stop_at(0.7, /"event":"table_loaded"/, :KILL, staging:)
    assert_equal "complete", state(staging)
  end

  def test_a_broken_download_that_never_comes_back_leaves_nothing_raw
    staging = new_staging
    archive = shop_archive
    truncated = file("truncated.tar.gz", File.binread(archive, File.size(archive) * 7 / 10))
    error = assert_run_fails ScalingoStagingSync::ArchiveError, source: truncated, target: staging.url, rules: SHOP_RULES
    assert_match(/\S/, error.remedy)
    assert_nothing_raw staging.database
    assert_equal "incomplete", state(staging)
    run!(source: archive, target: staging.url, rules: SHOP_RULES)
    assert_equal shop.counts, staging.database.counts
  end

  private

  # Stops a run at a point and looks at what it has left; then runs it to its end.
  def stop_at(bytes, event, signal, staging: new_staging)
    archive = Shared.large_archive
    bytes = (File.size(archive) * bytes).to_i if bytes.is_a?(Float)
    fake = fake_scalingo(archive:, hold_at: bytes, piece: 8192)
    settings = Engine.settings(source: fake.source, target: staging.url, rules: SHOP_RULES)
    process = Engine.start(settings)
    fake.wait_until_held
    assert process.wait_for(event), process.output
    touched = process.output.include?("table_loaded")

    assert_stopped(process, signal)
    staging.database.wait_until_idle(10)
    assert_nothing_raw staging.database, source: large_shop
    assert_equal "incomplete", state(staging) if touched

    fake.release
    outcome = Engine.run(settings)
    assert_nil outcome.error
    assert_equal large_shop.counts, staging.database.counts
    assert_nothing_raw staging.database, source: large_shop
    assert_equal "complete", state(staging)
  end

  # The process ends by the signal, and soon: within a second, and another for a busy machine.
  def assert_stopped(process, signal)
    started = Process.clock_gettime(Process::CLOCK_MONOTONIC)
    process.kill(signal)
    result = process.wait(30)
    took = Process.clock_gettime(Process::CLOCK_MONOTONIC) - started
    assert_equal Signal.list[signal.to_s], result.signal, result.output
    assert_operator took, :<, 2.0
    refute_match(%r{tk-us-|postgres://}, result.output)
  end

  def large_shop = Shared.large_shop

  def state(staging) = staging.database.value("SELECT status FROM scalingo_staging_sync.state")

  # A table with an index over a function that sleeps.
  def slow_index_dump
    source = new_database("slow")
    source.exec(<<~SQL)
      CREATE TABLE waiting (id int);
      INSERT INTO waiting SELECT generate_series(1, 1);
      CREATE FUNCTION slow(int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN
        IF current_database() NOT LIKE 'slow%' THEN PERFORM pg_catalog.pg_sleep(0.05) FROM pg_catalog.generate_series(1, 4000); END IF; RETURN $1; END $$;
      CREATE INDEX slow_index ON waiting (slow(id));
    SQL
    source.dump(path("slow.dump"))
  end

  def wait_for_statement(staging, pattern)
    Timeout.timeout(30) do
      sleep 0.05 until Postgres.exec("SELECT 1 FROM pg_stat_activity WHERE datname = '#{staging.database.name}' AND state = 'active' AND query ILIKE '#{pattern}'").any?
    end
  end
end

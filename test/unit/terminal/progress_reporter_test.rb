# frozen_string_literal: true

require "test_helper"
require "active_support/tagged_logging"

class ProgressReporterTest < Minitest::Test
  def setup
    ScalingoStagingSync.configuration.logger = Logger.new(log)
  end

  def test_events_become_lines_for_the_terminal_and_the_log
    reporter.call(event: "table_loaded", table: "public.users", rows: 50_000, bytes: 9_000_000, masked: 49_000, seconds: 1.25)
    line = "public.users: 50,000 rows, 9.0 MB, 49,000 values masked in 1.3 s, 40,000 rows/s."
    assert_equal "#{line}\n", terminal.string
    assert_includes log.string, "[SCALINGO_STAGING_SYNC] #{line}"
  end

  def test_of_many_tables_the_quick_ones_are_small_steps
    teller = reporter
    teller.call(event: "planned", tables: 400, steps: 900, last_rows: {})
    teller.call(event: "table_loaded", table: "public.small", rows: 5, bytes: 90, masked: 0, seconds: 0.02)
    teller.call(event: "table_loaded", table: "public.large", rows: 50_000, bytes: 9_000_000, masked: 0, seconds: 1.25)
    assert_match(/\Apublic\.large/, terminal.string)
  end

  def test_a_terminal_that_was_closed_fails_nothing
    closed = Object.new
    def closed.puts(*) = raise(Errno::EIO)
    def closed.tty? = false
    teller = ScalingoStagingSync::Terminal::ProgressReporter.new(terminal: closed)
    2.times { teller.say("Hello.") }
    assert_equal 2, log.string.scan("Hello.").size
  end

  def test_a_warning_stands_out_from_other_lines_also_where_the_logger_prints_no_level
    ScalingoStagingSync.configuration.logger = ActiveSupport::Logger.new(log)
    reporter.warn("Look at this.")
    assert_equal "[SCALINGO_STAGING_SYNC] Warning: Look at this.\n", log.string
  end

  def test_a_tagged_logger_gets_a_tag
    ScalingoStagingSync.configuration.logger = ActiveSupport::TaggedLogging.new(Logger.new(log))
    reporter.say("Hello.")
    assert_includes log.string, "[SCALINGO_STAGING_SYNC] Hello."
  end

  def test_every_event_of_the_engine_has_a_handler
    rust = File.read(File.expand_path("../../../ext/engine/src/event.rs", __dir__))
    names = rust[/pub enum Event \{(.*?)^\}/m, 1].scan(/^    (\w+) \{/).flatten
    refute_empty names
    names.map { |name| name.gsub(/(?<!\A)([A-Z])/, '_\1').downcase }.each do |name|
      assert reporter.respond_to?(:"on_#{name}", true), "#{name} has no handler"
    end
  end

  def test_an_unknown_event_is_kept_for_the_debug_log
    reporter.call(event: "something_new", table: "users")
    assert_empty terminal.string
    assert_includes log.string, "something_new"
  end

  def test_small_steps_are_shown_only_when_asked_for
    event = { event: "step_done", kind: "INDEX", name: "users_email", seconds: 0.5 }
    reporter.call(event)
    assert_empty terminal.string
    reporter(verbose: true).call(event)
    assert_includes terminal.string, "INDEX users_email"
  end

  def test_a_download_is_said_now_and_then_and_its_end_once
    teller = reporter
    3.times { |count| teller.call(event: "downloaded", bytes: count * 1000, total: 4000) }
    assert_equal "Downloaded 0 B of 4.0 kB (0%).\n", terminal.string
    2.times { teller.call(event: "downloaded", bytes: 4000, total: 4000) }
    assert_equal "Downloaded 0 B of 4.0 kB (0%).\nDownloaded 4.0 kB of 4.0 kB (100%).\n", terminal.string
  end

  def test_a_warning_stands_out
    reporter.call(event: "warning", message: "Left out.")
    assert_equal "Warning: Left out.\n", terminal.string
    assert_includes log.string, "WARN"
  end

  def test_a_silent_run_gives_signs_of_life
    said = Queue.new
    terminal.define_singleton_method(:puts) { |text| said << text }
    reporter(heartbeat_every: 0.02).with_heartbeat { assert_includes said.pop(timeout: 5), "Still working" }
  end

  def test_a_heartbeat_ends_with_its_block_also_when_that_fails
    before = Thread.list.size
    assert_raises(RuntimeError) { reporter.with_heartbeat { raise "x" } }
    assert_equal before, Thread.list.size
  end

  def test_every_event_goes_out_as_a_notification_with_its_fields
    heard = []
    listener = ActiveSupport::Notifications.subscribe(/\.scalingo_staging_sync\z/) { |name, *, payload| heard << [name, payload] }
    reporter.call(event: "table_loaded", table: "public.users", rows: 4_000, bytes: 10, masked: 3, seconds: 2.0)
    reporter.call(event: "phase", phase: "rows")
    reporter.say("By the way.")
    assert_equal %w[table phase message].map { |name| "#{name}.scalingo_staging_sync" }, heard.map(&:first)
    assert_equal ["public.users", 4_000, :info], heard[0][1].values_at(:table, :rows, :level)
    assert_includes log.string, "public.users: 4,000 rows, 10 B, 3 values masked in 2.0 s, 2,000 rows/s."
    assert_equal 3, log.string.lines.size
  ensure
    ActiveSupport::Notifications.unsubscribe(listener)
  end

  def test_the_log_gets_a_line_at_least_every_half_minute
    assert_operator ScalingoStagingSync::Terminal::ProgressReporter::HEARTBEAT_EVERY, :<, 30
  end

  def test_the_terminal_is_left_alone_when_the_log_goes_there
    ScalingoStagingSync.configuration.logger = Logger.new(terminal)
    reporter.say("Once.")
    assert_equal 1, terminal.string.scan("Once.").size
  end
end

# frozen_string_literal: true

require "test_helper"
require "json"
require "minitest/mock"
require "active_support/tagged_logging"

class FiguresTest < Minitest::Test
  Figures = ScalingoStagingSync::Support::Figures

  def test_numbers_read_as_people_read_them
    assert_equal %w[0 999 1,000 1,234,567], [0, 999, 1000, 1_234_567].map { |number| Figures.count(number) }
    assert_equal ["0 B", "999 B", "1.0 kB", "1.2 GB", "340 GB", "5000 TB"],
                 [0, 999, 1000, 1_200_000_000, 340_000_000_000, 5 * (10**15)].map { |number| Figures.bytes(number) }
    assert_equal ["0.0 s", "40 ms", "0.4 s", "12 s", "3 min 20 s", "2 h 5 min"], [0, 0.04, 0.42, 12, 200, 7500].map { |number|
                                                                                   Figures.seconds(number)
                                                                                 }
    assert_equal ["1 row", "2 rows", "0 rows"], [1, 2, 0].map { |number| Figures.counted(number, "row") }
  end

  def test_moments_read_as_people_read_them_and_what_is_no_moment_stays
    assert_equal ["2026-11-21 01:21 UTC", "last night"], ["2026-11-21T02:21:30.193+01:00", "last night"].map { |time| Figures.moment(time) }
    now = Time.utc(2026, 11, 21, 8)
    assert_equal ["6 h old", "4 days old", nil], ["2026-11-21T02:00:00Z", "2026-11-17T02:00:00Z", "?"].map { |time| Figures.age(time, now:) }
  end
end

class CommandTest < Minitest::Test
  # A run that ends with an error in some phase, while the target is in some state.
  def told(error, state, phase: "rows")
    errors = StringIO.new
    command = ScalingoStagingSync::Services::Command.new(config: staging_config, errors:)
    command.define_singleton_method(:work) do
      watching_phases do
        ActiveSupport::Notifications.instrument("phase.scalingo_staging_sync", phase:)
        raise error
      end
    end
    history = Struct.new(:answer) { def state = answer.is_a?(Symbol) ? answer : raise("down") }.new(state)
    status = ScalingoStagingSync::Database::History.stub(:new, history) { command.run }
    [status, errors.string]
  end

  def test_what_is_left_is_said_once
    failure = ScalingoStagingSync::RestoreError.new("PostgreSQL said no.", "Do this.")
    assert_equal [1, "ScalingoStagingSync::RestoreError: PostgreSQL said no. Do this. The target is incomplete, and holds no raw value " \
                     "of a masked column. The next run starts clean.\n"], told(failure, :incomplete)
    mistyped = ScalingoStagingSync::ConfirmationError.new("It is not, so nothing was touched.", "Again.")
    assert_equal [1, "ScalingoStagingSync::ConfirmationError: It is not, so nothing was touched. Again.\n"], told(mistyped, :complete)
    refused = ScalingoStagingSync::Support::EnvironmentValidator::TargetUrlError.new("DATABASE_URL is a mysql2 URL.", "Set it.")
    adapter = ScalingoStagingSync::ConfigurationError.new("There is no adapter.", "Add it. Nothing was touched.")
    assert_equal [1, "ScalingoStagingSync::ConfigurationError: There is no adapter. Add it. Nothing was touched.\n"], told(adapter, nil)
    assert_equal 1, told(refused, :complete).last.scan(/nothing was touched/i).length
    assert_equal [143, "The run was stopped (SIGTERM). The target was not touched: its old data is still there.\n"],
                 told(SignalException.new("TERM"), :complete)
    assert_equal 129, told(SignalException.new("HUP"), :complete).first
  end

  def test_what_an_earlier_run_has_left_is_not_said_of_one_that_touched_nothing
    missing = ScalingoStagingSync::Integrations::ScalingoApiClient::BackupNotFoundError.new("There is none.", "Make one.")
    assert_includes told(missing, :incomplete, phase: "plan").last,
                    "Make one. Nothing was touched. The target is incomplete, as an earlier run has left it.\n"
    wrong = ScalingoStagingSync::ConfigurationError.new("It is wrong.", "Correct it. Nothing was touched.")
    assert_includes told(wrong, :incomplete, phase: "backup").last,
                    "Correct it. Nothing was touched. The target is incomplete, as an earlier run has left it.\n"
    silent = ScalingoStagingSync::TargetConnectionError.new("It cannot be reached.", "Check the host.")
    assert_includes told(silent, nil, phase: "plan").last, "Check the host. Nothing was touched.\n"
    assert_includes told(silent, nil).last, "The state of the target could not be asked"
  end
end

class CommandFormatTest < Minitest::Test
  def test_json_is_asked_for_in_a_dry_run_only
    errors = StringIO.new
    ENV["FORMAT"] = "json"
    ScalingoStagingSync::Services::Coordinator.stub(:new, ->(**) { flunk "it ran" }) do
      assert_equal 1, ScalingoStagingSync::Services::Command.new(config: staging_config, errors:).run
    end
    assert_includes errors.string, "The variable FORMAT is \"json\", which has no effect on a real run. Set DRY_RUN=true"
    assert_equal 1, errors.string.scan(/touched/).size
  ensure
    ENV.delete("FORMAT")
  end
end

class ErrorTextTest < Minitest::Test
  # What the engine says of several problems ends with the last one's line.
  def test_after_a_list_the_remedy_begins_its_line
    error = ScalingoStagingSync::PlanError.new("It does not fit:\n- one\n", "Correct this.")
    assert_equal "It does not fit:\n- one\nCorrect this.", error.message
    assert_equal "It failed. Do this.", ScalingoStagingSync::Error.new("It failed.", "Do this.").message
    assert_equal "It failed.", ScalingoStagingSync::Error.new("It failed.").message
  end

  def test_what_to_do_names_what_the_target_comes_from
    remedy = "Check the host and the port in DATABASE_URL, and whether it runs. Correct DATABASE_URL."
    said = lambda do |**variables|
      %w[DATABASE_URL SCALINGO_POSTGRESQL_URL].each { |name| ENV[name] = variables[name.to_sym] }
      ScalingoStagingSync::TargetConnectionError.new("It failed.", remedy).then { |error| error.remedy if error.message == "It failed. #{error.remedy}" }
    end
    assert_equal remedy, said.call(DATABASE_URL: STAGING_URL, SCALINGO_POSTGRESQL_URL: STAGING_URL)
    assert_equal remedy.gsub("DATABASE_URL", "SCALINGO_POSTGRESQL_URL"), said.call(SCALINGO_POSTGRESQL_URL: STAGING_URL)
    assert_equal remedy.gsub("DATABASE_URL", "config/database.yml"), said.call
    set = "Set DATABASE_URL, or give this environment a database in config/database.yml."
    assert_equal set, ScalingoStagingSync::ConfigurationError.new("There is none.", set).remedy
  end

  def test_a_list_in_a_plan_ends_with_its_line
    preview = FakeNative::PREVIEW.merge(problems: [{ error: "PlanError", what: "It does not fit:\n- one\n", remedy: "Correct this." }])
    refute_match(/^ Correct/, ScalingoStagingSync::Terminal::PreviewText.new(ScalingoStagingSync::Preview::Plan.of(preview)).to_s)
  end
end

class MaskListTest < Minitest::Test
  def test_as_json_each_mask_has_its_options_by_name
    masks = [{ name: "email", doc: "A pseudonym.", options: [%w[domain Another.]], from: "a@b.fr", to: "x@demo.example.com" }]
    told = JSON.parse(ScalingoStagingSync::Terminal::MaskList.new(masks).json)
    assert_equal 1, told["schema_version"]
    assert_equal [{ "name" => "email", "doc" => "A pseudonym.", "options" => { "domain" => "Another." }, "from" => "a@b.fr",
                    "to" => "x@demo.example.com" }], told["masks"]
  end
end

class RemainsTest < Minitest::Test
  Remains = ScalingoStagingSync::Database::Remains

  def of(error, state = -> { :complete }, **) = Remains.of(error, history: Struct.new(:ask) { def state = ask.call }.new(state), **)

  def test_a_failure_says_what_is_left
    failure = ScalingoStagingSync::PlanError.new
    assert_equal %i[untouched incomplete incomplete unknown],
                 [-> { :complete }, -> { :incomplete }, -> { :syncing }, -> { raise "down" }].map { |state| of(failure, state) }
  end

  def test_a_failure_before_anything_was_touched_is_not_blamed_for_what_an_earlier_run_has_left
    failure = ScalingoStagingSync::PlanError.new
    assert_equal %i[untouched still unreached],
                 [-> { :complete }, -> { :incomplete }, -> { raise "down" }].map { |state| of(failure, state, touched: false) }
    assert_equal :unreached, of(ScalingoStagingSync::TargetConnectionError.new, touched: false)
    assert_equal [false, false, true, true], %i[backup plan schema rows].map { |phase| Remains.touches?(phase) }
  end

  def test_the_state_of_another_database_than_the_target_is_not_asked
    asked = -> { flunk }
    ScalingoStagingSync::Guard::TargetProblem.stub(:of_two, ["It names another.", "Let both name the same."]) do
      assert_equal :unreached, of(ScalingoStagingSync::ConfigurationError.new, asked, touched: false)
    end
  end

  def test_a_run_that_met_another_one_leaves_the_data_to_that
    busy = ScalingoStagingSync::TargetBusyError.new
    assert_equal %i[other untouched incomplete], %i[syncing complete incomplete].map { |state| of(busy, -> { state }) }
    assert_equal :other, of(ScalingoStagingSync::ConfigurationError.new, -> { :syncing }, touched: false)
    assert_match(/Another run/, Remains.sentence(:other))
  end

  def test_what_the_guard_has_refused_and_what_cannot_be_reached_is_not_asked
    asked = -> { flunk }
    assert_equal :refused, of(ScalingoStagingSync::Support::EnvironmentValidator::ProductionEnvironmentError.new, asked)
    assert_equal :unknown, of(ScalingoStagingSync::TargetConnectionError.new, asked)
  end
end

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

  def test_a_warning_is_told_from_other_lines_also_where_the_logger_prints_no_level
    ScalingoStagingSync.configuration.logger = ActiveSupport::Logger.new(log)
    reporter.warn("Look at this.")
    assert_equal "[SCALINGO_STAGING_SYNC] Warning: Look at this.\n", log.string
  end

  def test_a_tagged_logger_gets_a_tag
    ScalingoStagingSync.configuration.logger = ActiveSupport::TaggedLogging.new(Logger.new(log))
    reporter.say("Hello.")
    assert_includes log.string, "[SCALINGO_STAGING_SYNC] Hello."
  end

  def test_every_event_of_the_engine_is_told
    rust = File.read(File.expand_path("../../ext/engine/src/event.rs", __dir__))
    names = rust[/pub enum Event \{(.*?)^\}/m, 1].scan(/^    (\w+) \{/).flatten
    refute_empty names
    names.map { |name| name.gsub(/(?<!\A)([A-Z])/, '_\1').downcase }.each do |name|
      assert reporter.respond_to?(:"tell_#{name}", true), "#{name} is not told"
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

  def test_the_log_is_told_at_least_every_half_minute
    assert_operator ScalingoStagingSync::Terminal::ProgressReporter::HEARTBEAT_EVERY, :<, 30
  end

  def test_the_terminal_is_left_alone_when_the_log_goes_there
    ScalingoStagingSync.configuration.logger = Logger.new(terminal)
    reporter.say("Once.")
    assert_equal 1, terminal.string.scan("Once.").size
  end
end

class ConfirmationTest < Minitest::Test
  # Input as of a terminal.
  class Keyboard < StringIO
    def tty? = true
  end

  # What is in the target, as far as a test says it.
  Facts = Data.define(:sentences)
  FACTS = Facts.new(["It holds 42 tables, 1.2 GB.", "No run has filled it."])

  def confirm(typed, environment: { "APP" => "my-app-staging" }, input: Keyboard.new(typed), required: true, rails_env: "staging", deed: :replace)
    config = ScalingoStagingSync.configuration
    config.require_confirmation = required
    ScalingoStagingSync::Terminal::Confirmation
      .new(config:, input:, output: terminal, environment:, rails_env:, facts: FACTS).require!(deed)
  end

  def in_development(typed, rails_env: "development", **)
    ENV["DATABASE_URL"] = STAGING_URL
    confirm(typed, required: false, rails_env:, **)
  end

  def test_the_right_name_goes_on
    assert_nil confirm("my-app-staging\n")
    assert_equal "[CONFIRMATION REQUIRED] Type 'my-app-staging' to continue: ", terminal.string.lines.last
  end

  def test_another_name_ends_the_run
    ["", "my-app", "y\n"].each { |typed| assert_raises(ScalingoStagingSync::ConfirmationError) { confirm(typed) } }
  end

  def test_continuous_integration_is_not_asked
    %w[CI CONTINUOUS_INTEGRATION FORCE].each { |name| assert_nil confirm("", environment: { name => "1" }, input: nil) }
    assert_raises(ScalingoStagingSync::ConfirmationError) { confirm("", environment: { "CI" => "false", "APP" => "a" }) }
  end

  def test_an_odd_value_of_ci_is_an_error_where_a_question_would_be_asked
    error = assert_raises(ScalingoStagingSync::ConfigurationError) { confirm("", environment: { "CI" => "woodpecker", "APP" => "a" }) }
    assert_includes error.message, "The variable CI is \"woodpecker\""
  end

  def test_without_a_terminal_it_fails_at_once
    error = assert_raises(ScalingoStagingSync::ConfirmationError) { confirm("", input: StringIO.new("my-app-staging\n")) }
    assert_includes error.what, "no terminal"
    assert_empty terminal.string
  end

  def test_without_an_app_the_databases_name_is_asked_for
    ENV["DATABASE_URL"] = STAGING_URL
    assert_nil confirm("app_staging\n", environment: {})
  end

  def test_it_asks_only_when_configured
    ["staging", "demo", nil].each { |rails_env| assert_nil in_development("", rails_env:, input: nil) }
    assert_empty terminal.string
  end

  def test_in_development_and_test_the_databases_name_is_asked_for
    %w[development test].each do |rails_env|
      assert_nil in_development("app_staging\n", rails_env:)
      assert_raises(ScalingoStagingSync::ConfirmationError) { in_development("my-app-staging\n", rails_env:) }
    end
  end

  def test_the_question_says_what_would_be_replaced_and_why_it_is_asked
    in_development("app_staging\n")
    assert_equal <<~TEXT.chomp, terminal.string.rstrip
      This replaces everything in the database app_staging on staging-db.example.com.
      It holds 42 tables, 1.2 GB.
      No run has filled it.
      Rails.env is development, and config.allowed_environments is not set.
      [CONFIRMATION REQUIRED] Type 'app_staging' to continue:
    TEXT
    refute_includes terminal.string, "pw-of-staging"
  end

  def test_masking_in_place_is_asked_for_in_its_own_words
    in_development("app_staging\n", deed: :mask)
    assert_includes terminal.string, "This masks the rows of the database app_staging on staging-db.example.com, where they are."
  end

  def test_in_development_a_run_without_a_terminal_is_refused_and_says_what_to_do
    error = assert_raises(ScalingoStagingSync::ConfirmationError) { in_development("", input: StringIO.new("app_staging\n")) }
    assert_includes error.what, "Rails.env is development, and config.allowed_environments is not set."
    assert_includes error.what, "app_staging on staging-db.example.com"
    %w[RAILS_ENV config.allowed_environments FORCE=true].each { |way| assert_includes error.remedy, way }
  end

  def test_in_development_the_variables_answer_and_so_does_the_list
    %w[CI FORCE].each { |name| assert_nil in_development("", environment: { name => "yes" }, input: nil) }
    ScalingoStagingSync.configuration.allowed_environments = %i[development]
    assert_nil in_development("", input: nil)
  end
end

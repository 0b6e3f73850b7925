# frozen_string_literal: true

require "test_helper"

module ServiceHelpers
  Services = ScalingoStagingSync::Services

  def doors(native)
    { config: ScalingoStagingSync.configuration, reporter: reporter(verbose: false), native: }
  end

  # Slack's service, which records the calls instead of posting.
  class FakeSlack
    attr_reader :calls

    def initialize = @calls = []
    def started = @calls << :started
    def step(_phase) = nil
    def succeeded(report) = @calls << [:succeeded, report]
    def failed(error, _state) = @calls << [:failed, error]
    def flush(**) = @calls << :flushed
  end
end

class CoordinatorTest < Minitest::Test
  include ServiceHelpers

  def setup
    @config = staging_config
    @slack = FakeSlack.new
  end

  def execute(native)
    Services::Coordinator.new(**doors(native), slack: @slack).execute!
  end

  def test_it_hands_the_settings_to_the_engine_and_returns_the_report
    native = FakeNative.new(events: [{ event: "phase", phase: "rows" }])
    assert_equal FakeNative::REPORT, execute(native)
    assert_equal [[:run, to_engine(@config)]], native.calls
    assert_includes terminal.string, "Loading rows, masked."
    assert_includes terminal.string, "2 tables, 50,002 rows, 49,000 values masked; 1 table without rows; verified."
    assert_equal [:started, [:succeeded, FakeNative::REPORT], :flushed], @slack.calls
  end

  def test_the_guard_comes_before_everything_else
    ENV["APP"] = "my-app-production"
    @config.dry_run = true
    native = FakeNative.new
    assert_raises(ScalingoStagingSync::Support::EnvironmentValidator::ProductionEnvironmentError) { execute(native) }
    assert_empty native.calls
  end

  def test_a_configuration_that_contradicts_itself_ends_the_run_before_the_engine_is_called
    native = FakeNative.new
    @config.anonymization_tables = []
    assert_raises(ScalingoStagingSync::ConfigurationError) { execute(native) }
    assert_empty native.calls
  end

  def test_without_a_confirmation_the_engine_is_not_called
    @config.require_confirmation = true
    native = FakeNative.new
    confirmation = ScalingoStagingSync::Terminal::Confirmation.new(config: @config, input: StringIO.new, output: terminal)
    assert_raises(ScalingoStagingSync::ConfirmationError) do
      Services::Coordinator.new(**doors(native), slack: @slack, confirmation:).execute!
    end
    assert_empty native.calls
  end

  def test_a_failure_is_posted_to_slack_and_raised_as_it_is
    error = ScalingoStagingSync::RestoreError.new("What.", "Remedy.")
    assert_same error, assert_raises(ScalingoStagingSync::RestoreError) { execute(FakeNative.new(error:)) }
    assert_equal [:started, [:failed, error], :flushed], @slack.calls
  end

  def test_an_interrupt_is_posted_to_slack_and_raised_as_it_is
    error = SignalException.new("TERM")
    assert_same error, assert_raises(SignalException) { execute(FakeNative.new(error:)) }
    assert_equal [:failed, error], @slack.calls[1]
  end

  def test_a_dry_run_that_is_configured_touches_nothing_through_any_door
    @config.dry_run = true
    native = FakeNative.new
    assert_output(/A run would go through/) { assert execute(native)[:would_succeed] }
    assert_equal [:plan], native.calls.map(&:first)
    assert_equal [:flushed], @slack.calls
    [-> { Services::DatabaseRestoreService.new(**doors(native)).restore!(__FILE__) },
     -> { Services::DatabaseAnonymizerService.new(**doors(native)).anonymize! }].each do |door|
      assert_match(/would change the target.*Nothing was touched/, assert_raises(ScalingoStagingSync::ConfigurationError, &door).message)
    end
    error = assert_raises(ScalingoStagingSync::ConfigurationError) { Services::DatabaseBackupService.new(**doors(native)).download_and_extract! }
    assert_includes error.what, "DatabaseBackupService would write production's data to disk"
    assert_equal 1, native.calls.size
  end

  def test_a_variable_that_says_yes_in_any_spelling_is_a_dry_run
    %w[1 yes TRUE True on t].each do |word|
      ENV["DRY_RUN"] = word
      native = FakeNative.new
      assert_output(/A run would go through/) { execute(native) }
      assert_equal [:plan], native.calls.map(&:first), word
    end
  end

  def test_a_variable_that_is_not_understood_ends_every_door_before_anything_is_touched
    { "DRY_RUN" => "perhaps", "VERBOSE" => "perhaps", "FORMAT" => "yaml", "DRYRUN" => "1", "BACKUPFILE" => "a" }.each do |name, word|
      native = FakeNative.new
      with_env(name => word) do
        [-> { execute(native) }, -> { Services::DatabaseRestoreService.new(**doors(native)).restore!(__FILE__) },
         -> { Services::DatabaseAnonymizerService.new(**doors(native)).anonymize! },
         -> { Services::DatabaseBackupService.new(**doors(native)).download_and_extract! },
         -> { Services::Cleanup.new(**doors(native)).call }].each do |door|
          assert_includes assert_raises(ScalingoStagingSync::ConfigurationError, &door).message, "The variable #{name} "
        end
      end
      assert_empty native.calls
    end
  end

  def test_a_dry_run_clears_nothing_either
    ENV["DRY_RUN"] = "1"
    native = FakeNative.new
    error = assert_raises(ScalingoStagingSync::ConfigurationError) { Services::Cleanup.new(**doors(native)).call }
    assert_includes error.remedy, "remove DRY_RUN and set config.dry_run = false"
    assert_empty native.calls
  end

  def test_the_audit_file_is_written_after_a_run_and_only_then
    Dir.mktmpdir do |directory|
      @config.anonymization_audit_file = "#{directory}/reports/audit.json"
      assert_raises(RuntimeError) { execute(FakeNative.new(error: RuntimeError.new("x"))) }
      refute_path_exists "#{directory}/reports"
      execute(FakeNative.new)
      assert_equal %w[audit.html audit.json audit.txt], Dir.children("#{directory}/reports").sort
    end
  end

  def test_a_failed_verification_is_shown
    execute(FakeNative.new(report: FakeNative::REPORT.merge(verified: false)))
    assert_includes terminal.string, "VERIFICATION FAILED"
  end

  def test_what_has_no_effect_is_logged_once
    @config.run_pii_scan = false
    @config.pii_policy = :fail
    execute(FakeNative.new)
    assert_equal 1, log.string.scan("have no effect").size
  end

  def test_neither_terminal_nor_log_hold_a_secret
    execute(FakeNative.new(events: [{ event: "backup_chosen", id: "bk-1", created_at: nil, size: nil }]))
    ["pw-of-staging", "tk-us-secret-token", SECRET].each do |secret|
      refute_includes terminal.string + log.string, secret
    end
  end
end

class SeedsTest < Minitest::Test
  def run_seeds(code)
    Dir.mktmpdir do |directory|
      file = "#{directory}/seeds.rb"
      File.write(file, code)
      config = ScalingoStagingSync.configuration
      config.seeds_file_path = file
      ScalingoStagingSync::Services::Seeds.new(config:, reporter:).load
    end
  end

  def setup
    ScalingoStagingSync.configuration.logger = Logger.new(log)
  end

  def test_the_file_is_run
    $seeded = nil # rubocop:disable Style/GlobalVars
    run_seeds("$seeded = true")
    assert $seeded # rubocop:disable Style/GlobalVars
  end

  def test_a_failure_names_class_and_place_and_keeps_the_rest_for_the_cause
    error = assert_raises(ScalingoStagingSync::SeedsError) { run_seeds("\nraise ArgumentError, 'ada@lovelace.example'") }
    assert_match(/ArgumentError at .*seeds\.rb:2/, error.message)
    refute_includes error.message, "ada@lovelace.example"
    assert_equal "ada@lovelace.example", error.cause.message
  end

  def test_a_syntax_error_is_a_failure_too
    assert_raises(ScalingoStagingSync::SeedsError) { run_seeds("def") }
  end
end

class DoorsTest < Minitest::Test
  include ServiceHelpers

  ProductionEnvironmentError = ScalingoStagingSync::Support::EnvironmentValidator::ProductionEnvironmentError

  def setup
    @config = staging_config
    @native = FakeNative.new
  end

  def test_a_backup_is_fetched_to_the_temporary_directory
    Dir.mktmpdir do |directory|
      @config.temp_dir = "#{directory}/new"
      path = Services::DatabaseBackupService.new(**doors(@native)).download_and_extract!
      assert_equal "#{directory}/new/backup.pgsql", path
      assert_path_exists "#{directory}/new"
      assert_equal [[:fetch, to_engine(@config)["source"]["scalingo"], "#{directory}/new"]], @native.calls
    end
  end

  def test_a_configured_backup_file_needs_no_download
    @config.backup_file = "/data/backup.tar.gz"
    assert_equal "/data/backup.tar.gz", Services::DatabaseBackupService.new(**doors(@native)).download_and_extract!
    assert_empty @native.calls
  end

  def test_a_local_archive_is_restored_with_the_configured_rules
    @config.scalingo_api_token = nil
    report = Services::DatabaseRestoreService.new(**doors(@native)).restore!("/data/b.pgsql", exclude_tables: [:sessions])
    assert_equal FakeNative::REPORT, report
    _, settings = @native.calls.fetch(0)
    assert_equal({ "file" => "/data/b.pgsql" }, settings["source"])
    assert_equal ["sessions"], settings["exclude_tables"]
    assert_equal ["user_anonymization"], settings["masking"]["rules"].map { |rule| rule["strategy"] }
  end

  def test_a_restore_takes_the_configured_exclusions_by_default
    deliberately_mistyped
    @config.exclude_tables = ["audit_logs"]
    Services::DatabaseRestoreService.new(**doors(@native)).restore!(Pathname("/data/b.pgsql"))
    assert_equal ["audit_logs"], @native.calls.dig(0, 1, "exclude_tables")
    assert_raises(ArgumentError) { Services::DatabaseRestoreService.new(**doors(@native)).restore!("x", exclude_tables: "a") }
  end

  def test_a_restore_without_rules_is_refused
    @config.anonymization_tables = []
    assert_raises(ScalingoStagingSync::ConfigurationError) do
      Services::DatabaseRestoreService.new(**doors(@native)).restore!("/data/b.pgsql")
    end
    assert_empty @native.calls
  end

  def test_masking_in_place_hands_over_no_token
    Services::DatabaseAnonymizerService.new(**doors(@native)).anonymize!
    name, settings = @native.calls.fetch(0)
    assert_equal :anonymize, name
    assert_equal({ "file" => File::NULL }, settings["source"])
    refute_includes settings.inspect, "tk-us-secret-token"
  end

  def test_every_door_has_the_guard
    ENV["APP"] = "my-app-production"
    [
      -> { Services::DatabaseBackupService.new(**doors(@native)).download_and_extract! },
      -> { Services::DatabaseRestoreService.new(**doors(@native)).restore!("x") },
      -> { Services::DatabaseAnonymizerService.new(**doors(@native)).anonymize! }
    ].each { |door| assert_raises(ProductionEnvironmentError, &door) }
    assert_empty @native.calls
  end
end

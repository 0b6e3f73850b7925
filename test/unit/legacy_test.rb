# frozen_string_literal: true

require "test_helper"

# What apps of 0.1 do: it works, and each use says in one line what to write instead.
class LegacyTest < Minitest::Test
  Services = ScalingoStagingSync::Services

  def setup
    @config = staging_config
    @warnings = []
    @behavior = ScalingoStagingSync.deprecator.behavior
    ScalingoStagingSync.deprecator.behavior = ->(message, *) { @warnings << message }
  end

  def teardown
    ScalingoStagingSync.deprecator.behavior = @behavior
  end

  # Expects exactly one line, that names the file of the app's own code and says this.
  def assert_warned(*parts, lines: 1)
    assert_equal lines, @warnings.size, @warnings.inspect
    parts.each { |part| assert_includes @warnings.join, part }
    here = /\ADEPRECATION WARNING: .*\(called from .* at #{Regexp.escape(__FILE__)}:\d+\)\z/
    @warnings.each { |line| assert_match(here, line) } unless defined?(RBS::Test)
    @warnings.clear
  end

  def doors(native = FakeNative.new) = { reporter: reporter(verbose: false), native: }

  def test_nothing_is_said_of_what_is_written_today
    Services::Coordinator.new(**doors)
    Services::DatabaseBackupService.new(**doors)
    Services::DatabaseRestoreService.new(config: @config)
    ScalingoStagingSync::Testing::Tester.new(output: terminal)
    @config.parallel_connections = "8"
    @config.verify_anonymization = false
    @config.dry_run = "no"
    assert_empty @warnings
  end

  def test_the_app_and_the_directory_as_arguments_are_settings_of_that_service_alone
    native = FakeNative.new
    Dir.mktmpdir do |directory|
      service = Services::DatabaseBackupService.new("other-production", Pathname(directory), **doors(native))
      assert_warned "DatabaseBackupService.new(app, directory)", "config.clone_source_scalingo_app_name and config.temp_dir"
      assert_equal "#{directory}/backup.pgsql", service.download_and_extract!
      assert_equal ["other-production", directory], [native.calls[0][1]["app"], native.calls[0][2]]
    end
    assert_equal "my-app-production", @config.clone_source_scalingo_app_name
  end

  def test_a_download_can_be_forced
    native = FakeNative.new
    service = Services::DatabaseBackupService.new(**doors(native))
    [false, true].each { |force_download| service.download_and_extract!(force_download:) }
    service.download_and_extract!
    assert_equal([false, true, false], native.calls.map { |call| call[1]["force_download"] })
  end

  def test_the_targets_url_as_an_argument_is_taken_where_it_is_the_targets
    [Services::DatabaseAnonymizerService, Services::DatabaseRestoreService].each do |service|
      service.new(STAGING_URL, **doors)
      assert_warned "takes its database from DATABASE_URL"
    end
  end

  def test_another_databases_url_is_refused_and_not_shown
    ["postgres://u:hush@elsewhere/other", "hush"].each do |url|
      [Services::DatabaseAnonymizerService, Services::DatabaseRestoreService].each do |service|
        error = assert_raises(ScalingoStagingSync::ConfigurationError) { service.new(url, **doors) }
        assert_includes error.what, "a database that is not the target"
        refute_includes error.message, "hush"
      end
    end
  end

  def test_connections_as_an_argument
    native = FakeNative.new
    Services::DatabaseAnonymizerService.new(STAGING_URL, parallel_connections: 6, **doors(native)).anonymize!
    assert_warned "config.parallel_connections", lines: 2
    assert_equal 6, native.calls[0][1]["target"]["parallel_connections"]
  end

  def test_a_list_for_pg_restore_is_refused_since_more_rows_would_come_without_it
    native = FakeNative.new
    error = assert_raises(ScalingoStagingSync::ConfigurationError) do
      Services::DatabaseRestoreService.new(**doors(native)).restore!(__FILE__, toc_file: "toc.list", exclude_tables: [])
    end
    assert_includes error.remedy, "exclude_tables"
    assert_empty native.calls
  end

  def test_a_logger_as_an_argument_is_the_log
    mine = StringIO.new
    Services::Coordinator.new(logger: Logger.new(mine), **doors).execute!
    assert_warned "Coordinator.new(logger:)", "config.logger"
    assert_includes mine.string, "verified."
    [Services::SlackNotificationService, ScalingoStagingSync::Testing::Tester].each do |klass|
      klass.new(logger: Logger.new(mine))
      assert_warned "config.logger"
    end
  end

  def test_the_helpers_of_the_coordinator_can_be_included
    helped = Class.new { include ScalingoStagingSync::Support::CoordinatorHelpers }
    assert_warned "Support::CoordinatorHelpers goes"
    assert_empty helped.instance_methods - Object.instance_methods
    assert_raises(NameError) { ScalingoStagingSync::Support::CoordinatorHelper }
  end

  def test_settings_in_a_former_argument_are_named_with_what_they_are_now
    Services::DatabaseBackupService.new("shop", "/tmp", **doors)
    assert_warned "takes config.clone_source_scalingo_app_name and config.temp_dir from the configuration; set them there."
    ScalingoStagingSync::Integrations::ScalingoApiClient.new("shop", native: FakeNative.new)
    assert_warned "from the configuration; set it there."
  end

  def test_run_tests
    tester = ScalingoStagingSync::Testing::Tester.new(output: terminal, native: FakeNative.new)
    assert tester.run_tests!
    assert_warned "Testing::Tester#run"
    assert_includes terminal.string, "passed  Plan"
  end

  def test_a_configuration_can_be_put_in_place
    deliberately_mistyped
    mine = ScalingoStagingSync::Configuration.new
    ScalingoStagingSync.configuration = mine
    assert_warned "ScalingoStagingSync.configuration= goes"
    assert_same mine, ScalingoStagingSync.configuration
    assert_raises(TypeError) { ScalingoStagingSync.configuration = 7 }
  end

  def test_strategies_can_be_asked_for
    strategies = ScalingoStagingSync::Database::AnonymizationStrategies
    strategies.register_strategy(:mine) { |table, condition| "UPDATE #{table} SET a = NULL#{" WHERE #{condition}" if condition}" }
    assert strategies.strategy_exists?(:mine)
    assert strategies.strategy_exists?(:user_anonymization)
    refute strategies.strategy_exists?(:yours)
    assert_warned "names.include?", lines: 3
    assert_equal "UPDATE users SET a = NULL WHERE id = 1", strategies.get_strategy(:mine).call("users", "id = 1")
    assert_nil strategies.get_strategy(:yours)
    error = assert_raises(ScalingoStagingSync::ConfigurationError) { strategies.get_strategy(:user_anonymization).call("users", nil) }
    assert_includes error.what, "not SQL any more"
  end

  def test_the_default_patterns_are_a_hash_to_add_to
    @config.pii_detection_patterns = ScalingoStagingSync::Database::PiiScanner::DEFAULT_PII_PATTERNS.merge(legal: /\bcase\b/)
    assert_warned "DEFAULT_PII_PATTERNS"
    patterns = ScalingoStagingSync::PersonalData::OwnPatterns.new(@config.pii_detection_patterns)
    { "user_email" => :contact, "ssn" => :identity, "last_name" => :personal, "iban" => :financial, "api_key" => :auth,
      "diagnosis" => :medical, "fingerprint" => :biometric, "case_number" => :personal }.each do |column, heading|
      assert_equal heading, patterns.heading(column), column
    end
    assert_nil patterns.heading("quantity")
  end

  def test_the_former_modules_can_be_included
    guard = Class.new { include ScalingoStagingSync::Support::EnvironmentValidator }
    assert_warned "Support::ProductionGuard"
    assert_nil guard.new.validate_environment!
    ENV["APP"] = "my-app-production"
    assert_raises(ScalingoStagingSync::Support::EnvironmentValidator::ProductionEnvironmentError) { guard.new.validate_environment! }
    scanner = Class.new { include ScalingoStagingSync::Database::PiiScanner }
    assert_warned "Database::PiiScanner.new.scan"
    refute_nil scanner.const_get(:DEFAULT_PII_PATTERNS)
    assert_raises(NameError) { scanner.const_get(:OTHER) }
  end

  # A connection, as far as it is looked at.
  Connection = Data.define(:db)

  def test_the_scanners_former_method_answers_as_it_did
    scanner = Class.new { include ScalingoStagingSync::Database::PiiScanner }.new
    finding = FakeNative::FOUND[:findings].first
    database = Object.new
    database.define_singleton_method(:scan) { [finding] }
    ScalingoStagingSync::PersonalData::ColumnScanner.stub(:new, database) do
      found = scanner.scan_for_unanonymized_pii(Connection.new("app_staging"))
      assert_equal({ "users" => { "email" => [:contact] } }, found[:potential_pii])
      assert_equal ["users looks personal: email."], found[:warnings]
      assert_empty scanner.scan_for_unanonymized_pii(Connection.new("app_staging"), ["users"])[:potential_pii]
    end
    assert_raises(ScalingoStagingSync::ConfigurationError) { scanner.scan_for_unanonymized_pii(Connection.new("other")) }
  end

  def test_errors_are_found_where_they_were
    client = ScalingoStagingSync::Integrations::ScalingoApiClient
    assert_equal client::DownloadError, Services::DatabaseBackupService::DownloadError
    assert_equal client::BackupError, ScalingoStagingSync::Integrations::BackupService::BackupError
    assert_warned "ScalingoApiClient", lines: 2
    assert_raises(NameError) { Services::DatabaseBackupService::OtherError }
    assert_raises(NameError) { ScalingoStagingSync::Integrations::Other }
  end

  def test_more_connections_than_there_can_be_are_as_many_as_there_can_be
    [9, 16, "32"].each do |many|
      @config.parallel_connections = many
      assert_equal 8, @config.parallel_connections
      assert_warned "config.parallel_connections = #{many} is taken as 8"
    end
  end

  def test_what_turned_something_off_by_the_way_is_said
    @config.verify_anonymization = nil
    assert_warned "config.verify_anonymization = nil was false in 0.1; it is the default now, true."
    assert @config.verify_anonymization
    @config.run_pii_scan = "false"
    assert_warned 'config.run_pii_scan = "false" was true in 0.1'
    refute @config.run_pii_scan
  end
end

# frozen_string_literal: true

require "test_helper"
require "open3"

# The documented names, and what ties them to the Rust side.
class InterfaceTest < Minitest::Test
  ROOT = File.expand_path("../..", __dir__)

  def test_the_documented_error_classes_exist_with_their_ancestry
    error = ScalingoStagingSync::Error
    assert_operator error, :<, StandardError
    %w[
      ConfigurationError ConfirmationError PlanError ArchiveError TargetConnectionError PrivilegeError TargetBusyError
      LockTimeoutError RestoreError VerificationError MigrationError SeedsError NativeLibraryError InternalError
      Integrations::ScalingoApiClient::BackupError Support::EnvironmentValidator::ProductionEnvironmentError
    ].each { |name| assert_equal error, ScalingoStagingSync.const_get(name).superclass, name }
    assert_equal ScalingoStagingSync::ArchiveError, ScalingoStagingSync::UnsupportedArchiveError.superclass
    client = ScalingoStagingSync::Integrations::ScalingoApiClient
    %i[AddonNotFoundError BackupNotFoundError DownloadError AuthenticationError].each do |name|
      assert_equal client::BackupError, client.const_get(name).superclass
    end
  end

  def test_an_error_says_what_happened_and_what_to_do
    error = ScalingoStagingSync::PlanError.new("What.", "Remedy.")
    assert_equal ["What.", "Remedy.", "What. Remedy."], [error.what, error.remedy, error.message]
  end

  def test_the_documented_doors_exist
    {
      "Services::Coordinator" => :execute!, "Services::DatabaseBackupService" => :download_and_extract!,
      "Services::DatabaseRestoreService" => :restore!, "Services::DatabaseAnonymizerService" => :anonymize!,
      "Services::SlackNotificationService" => :started, "Testing::Tester" => :run
    }.each { |name, door| assert_includes ScalingoStagingSync.const_get(name).public_instance_methods, door }
  end

  def test_strategies_can_be_registered_under_names_of_their_own
    deliberately_mistyped
    strategies = ScalingoStagingSync::Database::AnonymizationStrategies
    assert_equal :mine, strategies.register_strategy("mine") { |table, condition| "UPDATE #{table} #{condition}" }
    assert strategies.custom?(:mine)
    assert_includes strategies.names, :mine
    assert_raises(ArgumentError) { strategies.register_strategy(:mine) }
    strategies.register_strategy(:user_anonymization) { "UPDATE users SET email = NULL" }
    assert strategies.custom?(:user_anonymization)
    assert_equal 1, strategies.names.count(:user_anonymization)
    assert_raises(ArgumentError) { strategies.register_strategy(3) { "" } }
  end

  def test_the_native_library_is_looked_for_precompiled_first
    minor = RUBY_VERSION[/\A\d+\.\d+/]
    assert_equal ["scalingo_staging_sync/#{minor}/scalingo_staging_sync", "scalingo_staging_sync/scalingo_staging_sync"],
                 ScalingoStagingSync::NativeLoader.candidates
  end

  def test_a_library_that_is_not_there_ends_in_a_sentence_that_says_what_to_do
    error = assert_raises(ScalingoStagingSync::NativeLibraryError) { ScalingoStagingSync::NativeLoader.load(["no/such/file"]) }
    assert_includes error.remedy, "rake compile"
    assert_includes error.remedy, ".buildpacks"
  end

  def test_a_library_that_cannot_be_loaded_says_why
    Dir.mktmpdir do |directory|
      File.write("#{directory}/broken.#{RbConfig::CONFIG["DLEXT"]}", "not a library")
      error = assert_raises(ScalingoStagingSync::NativeLibraryError) do
        ScalingoStagingSync::NativeLoader.load(["no/such/file", "#{directory}/broken"])
      end
      assert_includes error.what, "could not be loaded"
    end
  end

  def test_everything_loads_without_a_warning_of_ruby
    code = 'require "scalingo-staging-sync"; require "support/everything"; Everything.load'
    _, errors, status = Open3.capture3(RbConfig.ruby, "-w", "-I#{ROOT}/lib", "-I#{ROOT}/test", "-e", code)
    assert_predicate status, :success?, errors
    assert_empty(errors.lines.select { |line| line.include?(ROOT) })
  end
end

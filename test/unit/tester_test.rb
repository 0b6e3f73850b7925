# frozen_string_literal: true

require "test_helper"

class TesterTest < Minitest::Test
  def check(config, native: FakeNative.new)
    ScalingoStagingSync::Testing::Tester.new(config:, output: terminal, native:).run
  end

  def test_a_sound_installation_passes
    assert check(staging_config), terminal.string
    refute_includes terminal.string, "FAILED"
    assert_includes terminal.string, "passed  Native library: version 0.2.0."
  end

  def test_each_check_fails_for_its_own_reason
    {
      "Production guard" => ->(_) { ENV["APP"] = "shop-production" },
      "Configuration" => ->(config) { config.anonymization_tables = [] },
      "Source" => ->(config) { config.scalingo_api_token = nil },
      "Key for pseudonyms" => ->(config) { config.anonymization_secret = nil },
      "Slack" => ->(config) { config.slack_enabled = true }
    }.each do |name, spoil|
      config = staging_config
      spoil.call(config)
      terminal.truncate(0)
      refute check(config), name
      assert_equal [name], terminal.string.scan(/^FAILED  ([^:]+):/).flatten
      assert_includes terminal.string, "1 check failed."
      ScalingoStagingSync.reset_configuration!
    end
  end

  def test_a_backup_file_stands_for_the_api
    config = staging_config
    config.scalingo_api_token = nil
    config.backup_file = __FILE__
    assert check(config), terminal.string
    config.backup_file = "/nowhere"
    refute check(config)
  end

  def test_a_missing_native_library_is_a_failed_check
    native = FakeNative.new
    def native.engine_version = raise(ScalingoStagingSync::NativeLibraryError.new("It is not there.", "Compile it."))
    refute check(staging_config, native:)
    assert_includes terminal.string, "FAILED  Native library: It is not there. Compile it."
  end

  def test_no_secret_is_printed
    check(staging_config)
    ["pw-of-staging", "tk-us-secret-token", SECRET].each { |secret| refute_includes terminal.string, secret }
  end
end

# frozen_string_literal: true

require "test_helper"

class AllowedEnvironmentsTest < Minitest::Test
  # Says no, and remembers to what.
  class Refusal < ScalingoStagingSync::Terminal::Confirmation
    def asked = @asked ||= []

    def require!(deed)
      asked << deed
      raise ScalingoStagingSync::ConfirmationError
    end
  end

  def allowed(list, rails_env)
    config = staging_config
    config.allowed_environments = list
    ScalingoStagingSync::Guard::AllowedEnvironments.new(config:, rails_env:)
  end

  def test_without_a_list_every_environment_is_allowed_and_peoples_own_ask
    %w[staging demo development test].push(nil).each { |name| assert_nil allowed(nil, name).check! }
    assert_equal %w[development test], %w[staging demo development test].push(nil).select { |name| allowed(nil, name).ask? }
  end

  def test_spaces_around_a_name_count_for_nothing
    assert_nil allowed(["development ", :staging], "development").check!
    assert_nil allowed([" staging\n"], "staging").check!
    assert_predicate allowed(nil, "Development "), :ask?
    assert_raises(ArgumentError) { allowed([" "], "staging") }
  end

  def test_a_list_means_exactly_these_and_none_asks
    assert_nil allowed(%w[staging development], "development").check!
    refute_predicate allowed(%w[development], "development"), :ask?
    ["demo", "production", "", nil].each do |name|
      assert_raises(ScalingoStagingSync::ConfigurationError) { allowed(%w[staging development], name).check! }
    end
    error = assert_raises(ScalingoStagingSync::ConfigurationError) { allowed(%w[staging], "development").check! }
    assert_equal "Rails.env is development, and config.allowed_environments allows only staging.", error.what
    assert_includes error.remedy, "RAILS_ENV"
    assert_includes assert_raises(ScalingoStagingSync::ConfigurationError) { allowed([], "staging").check! }.what, "allows none"
  end

  def test_every_door_to_the_target_is_closed_outside_the_list
    config = staging_config
    config.allowed_environments = %w[staging]
    native = FakeNative.new
    services = ScalingoStagingSync::Services
    doors = { config:, reporter: reporter(verbose: false), native: }
    [-> { services::Coordinator.new(**doors).execute! }, -> { services::DatabaseRestoreService.new(**doors).restore!(__FILE__) },
     -> { services::DatabaseAnonymizerService.new(**doors).anonymize! }, -> { services::Cleanup.new(**doors).call },
     -> { services::DryRun.new(config:, output: terminal, native:).execute! }].each do |door|
      assert_includes assert_raises(ScalingoStagingSync::ConfigurationError, &door).message, "config.allowed_environments"
    end
    assert_empty native.calls
  end

  def test_every_door_to_the_target_asks
    config = staging_config
    confirmation = Refusal.new
    native = FakeNative.new
    services = ScalingoStagingSync::Services
    doors = { config:, reporter: reporter(verbose: false), native:, confirmation: }
    [-> { services::Coordinator.new(**doors).execute! }, -> { services::DatabaseRestoreService.new(**doors).restore!(__FILE__) },
     -> { services::DatabaseAnonymizerService.new(**doors).anonymize! }].each { |door| assert_raises(ScalingoStagingSync::ConfirmationError, &door) }
    assert_equal %i[replace replace mask], confirmation.asked
    assert_empty native.calls
  end
end

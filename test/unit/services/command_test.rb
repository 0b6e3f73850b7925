# frozen_string_literal: true

require "test_helper"
require "minitest/mock"

class CommandTest < Minitest::Test
  # A run that ends with an error in some phase, while the target is in some state.
  def ending(error, state, phase: "rows")
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
                     "of a masked column. The next run starts clean.\n"], ending(failure, :incomplete)
    mistyped = ScalingoStagingSync::ConfirmationError.new("It is not, so nothing was touched.", "Again.")
    assert_equal [1, "ScalingoStagingSync::ConfirmationError: It is not, so nothing was touched. Again.\n"], ending(mistyped, :complete)
    refused = ScalingoStagingSync::Support::EnvironmentValidator::TargetUrlError.new("DATABASE_URL is a mysql2 URL.", "Set it.")
    adapter = ScalingoStagingSync::ConfigurationError.new("There is no adapter.", "Add it. Nothing was touched.")
    assert_equal [1, "ScalingoStagingSync::ConfigurationError: There is no adapter. Add it. Nothing was touched.\n"], ending(adapter, nil)
    assert_equal 1, ending(refused, :complete).last.scan(/nothing was touched/i).length
    assert_equal [143, "The run was stopped (SIGTERM). The target was not touched: its old data is still there.\n"],
                 ending(SignalException.new("TERM"), :complete)
    assert_equal 129, ending(SignalException.new("HUP"), :complete).first
  end

  def test_what_an_earlier_run_has_left_is_not_said_of_one_that_touched_nothing
    missing = ScalingoStagingSync::Integrations::ScalingoApiClient::BackupNotFoundError.new("There is none.", "Make one.")
    assert_includes ending(missing, :incomplete, phase: "plan").last,
                    "Make one. Nothing was touched. The target is incomplete, as an earlier run has left it.\n"
    wrong = ScalingoStagingSync::ConfigurationError.new("It is wrong.", "Correct it. Nothing was touched.")
    assert_includes ending(wrong, :incomplete, phase: "backup").last,
                    "Correct it. Nothing was touched. The target is incomplete, as an earlier run has left it.\n"
    silent = ScalingoStagingSync::TargetConnectionError.new("It cannot be reached.", "Check the host.")
    assert_includes ending(silent, nil, phase: "plan").last, "Check the host. Nothing was touched.\n"
    assert_includes ending(silent, nil).last, "The state of the target could not be read"
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

  def test_the_schema_is_tried_and_rows_are_counted_in_a_dry_run_only
    { "TRY_SCHEMA" => "Set DRY_RUN=true beside it", "EXACT" => "Set DRY_RUN=true beside it to have the rows counted" }.each do |name, remedy|
      errors = StringIO.new
      ENV[name] = "yes"
      ScalingoStagingSync::Services::Coordinator.stub(:new, ->(**) { flunk "it ran" }) do
        assert_equal 1, ScalingoStagingSync::Services::Command.new(config: staging_config, errors:).run
      end
      assert_includes errors.string, "The variable #{name} has no effect on a real run. #{remedy}"
    ensure
      ENV.delete(name)
    end
  end
end

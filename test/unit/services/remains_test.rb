# frozen_string_literal: true

require "test_helper"
require "minitest/mock"

class RemainsTest < Minitest::Test
  Remains = ScalingoStagingSync::Services::Remains

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

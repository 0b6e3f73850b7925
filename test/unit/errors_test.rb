# frozen_string_literal: true

require "test_helper"

class ErrorTextTest < Minitest::Test
  # What the engine says of several problems ends with the last one's line.
  def test_after_a_list_the_remedy_begins_its_line
    error = ScalingoStagingSync::PlanError.new("It does not fit:\n- one\n", "Correct this.")
    assert_equal "It does not fit:\n- one\nCorrect this.", error.message
    assert_equal "It failed. Do this.", ScalingoStagingSync::Error.new("It failed.", "Do this.").message
    assert_equal "It failed.", ScalingoStagingSync::Error.new("It failed.").message
  end

  def test_an_error_says_what_it_is_about
    error = ScalingoStagingSync::VerificationError.new("It differs.", "Look.", table: "public.users", column: "email", rows: 3)
    assert_equal ["public.users", "email", 3, nil], [error.table, error.column, error.rows, error.sqlstate]
    assert_equal [nil] * 4, ScalingoStagingSync::Error.new("It failed.").then { |other| [other.table, other.column, other.rows, other.sqlstate] }
  end

  def test_the_class_of_each_of_the_engines_kinds_takes_what_the_error_is_about
    ScalingoStagingSync::Messages::ErrorClasses::NAMES.each_key do |kind|
      error = ScalingoStagingSync::Messages::ErrorClasses.of(kind).new("It failed.", "Run it again.", table: "public.users", column: nil, rows: 3, sqlstate: nil)
      assert_equal ["public.users", 3], [error.table, error.rows], kind
    end
  end

  def test_a_list_in_a_plan_ends_with_its_line
    preview = FakeNative::PREVIEW.merge(problems: [{ error: "PlanError", what: "It does not fit:\n- one\n", remedy: "Correct this." }])
    refute_match(/^ Correct/, ScalingoStagingSync::Terminal::PreviewText.new(ScalingoStagingSync::Preview::Plan.of(preview)).to_s)
  end

  def test_a_plan_shows_a_problem_without_what_steers_a_terminal
    preview = FakeNative::PREVIEW.merge(would_succeed: false, problems: [{ error: "PlanError", what: "No table is like us\u202Eers\e[31m.", remedy: "Correct it." }])
    text = ScalingoStagingSync::Terminal::PreviewText.new(ScalingoStagingSync::Preview::Plan.of(preview)).to_s
    assert_includes text, "No table is like us\\u202Eers\\e[31m. Correct it."
  end
end

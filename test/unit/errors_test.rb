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

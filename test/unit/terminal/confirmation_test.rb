# frozen_string_literal: true

require "test_helper"

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

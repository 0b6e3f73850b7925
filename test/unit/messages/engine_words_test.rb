# frozen_string_literal: true

require "test_helper"

# What the engine returns as data, as the user reads it.
class EngineWordsTest < Minitest::Test
  Words = ScalingoStagingSync::Messages::EngineWords
  Classes = ScalingoStagingSync::Messages::ErrorClasses

  ABOUT = { table: "public.users", column: "email", rows: 2, sqlstate: "42501" }.freeze

  def test_each_kind_of_the_engine_is_a_documented_class
    source = File.read(File.expand_path("../../../ext/engine/src/error.rs", __dir__))
    kinds = source[/pub enum Kind \{(.*?)^\}/m, 1].scan(/^    ([A-Z]\w+),$/).flatten.map { |name| name.gsub(/(?<!^)([A-Z])/, '_\1').downcase }
    assert_equal kinds.sort, Classes::NAMES.keys.sort
    kinds.each { |kind| assert_operator Classes.of(kind), :<=, ScalingoStagingSync::Error, kind }
  end

  def test_an_error_has_its_class_its_words_and_what_it_is_about
    error = Words.error(kind: "privilege", what: "It may not.", remedy: ["Now: ", { "phrase" => { kind: "again" } }], about: ABOUT)
    assert_instance_of ScalingoStagingSync::PrivilegeError, error
    assert_equal "It may not. Now: Run it again.", error.message
    assert_equal ABOUT, { table: error.table, column: error.column, rows: error.rows, sqlstate: error.sqlstate }
  end

  def test_what_would_end_a_run_has_the_name_of_its_class
    faults = [["Raise it: ", { "phrase" => { kind: "again" } }], "No."]
    problem = Words.result({ problems: [{ kind: "api", what: "No.", remedy: "Wait.", about: ABOUT, faults: }] })[:problems].first
    assert_equal({ error: "Integrations::ScalingoApiClient::BackupError", what: "No.", remedy: "Wait.", **ABOUT, faults: ["Raise it: Run it again.", "No."] },
                 problem)
  end

  def test_the_target_is_named_by_what_its_url_comes_from
    said = lambda do |**variables|
      %w[DATABASE_URL SCALINGO_POSTGRESQL_URL].each { |name| ENV[name] = variables[name.to_sym] }
      Words.text([{ "phrase" => { kind: "name_own_database" } }])
    end
    assert_equal "Let DATABASE_URL name the staging app's own database.", said.call(DATABASE_URL: STAGING_URL, SCALINGO_POSTGRESQL_URL: STAGING_URL)
    assert_equal "Let SCALINGO_POSTGRESQL_URL name the staging app's own database.", said.call(SCALINGO_POSTGRESQL_URL: STAGING_URL)
    assert_equal "Let config/database.yml name the staging app's own database.", said.call
  end

  def test_the_history_is_read_whatever_version_wrote_it
    { "authentication" => "Integrations::ScalingoApiClient::AuthenticationError", "PlanError" => "PlanError", "killed" => "Killed",
      "Killed" => "Killed", "interrupted" => "Interrupt", "Interrupt" => "Interrupt", "MigrationError" => "MigrationError",
      nil => nil }.each { |noted, name| assert_same_or_equal name, Classes.noted(noted) }
  end

  private

  def assert_same_or_equal(expected, actual)
    expected.nil? ? assert_nil(actual) : assert_equal(expected, actual)
  end
end

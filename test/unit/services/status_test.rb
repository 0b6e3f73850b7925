# frozen_string_literal: true

require "test_helper"
require "active_record"
require "json"
require "minitest/mock"

class StatusTest < Minitest::Test
  History = Struct.new(:state, :current, :all, :refused, keyword_init: true) do
    def runs(_limit = 10, refused: true) = refused ? all : all.reject { |run| run.changed == false }
  end

  RUN = ScalingoStagingSync::Database::History::Run.of({ run_id: "r1", mode: "run", status: "complete", started_at: Time.utc(2026, 11, 28, 4, 12), source: "Scalingo app shop, addon ad-1",
                                                         backup_id: "5f8d0d55b54764421b7156c9", backup_created_at: "2026-11-28T02:00:00Z", rows: 1_234_567_890, seconds: 5025.0,
                                                         findings: 3, error_class: nil, changed: true }.transform_keys(&:to_s))
  REFUSED = RUN.with(run_id: "r2", status: "failed", rows: nil, seconds: 1.0, changed: false,
                     error_class: "Integrations::ScalingoApiClient::AuthenticationError")

  def text(**facts)
    history = History.new(state: :complete, current: RUN, all: [RUN], refused: { count: 0 }, **facts)
    ScalingoStagingSync::Services::Status.new(output: terminal, format: "text", history:).print
    terminal.string
  end

  def test_runs_that_changed_something_come_first_and_refused_ones_are_one_line
    refused = { count: 12, started_at: Time.utc(2026, 11, 28, 5), error_class: REFUSED.error_class }
    broken = RUN.with(status: "failed", rows: nil, seconds: nil, error_class: "RestoreError", started_at: Time.utc(2026, 11, 27, 4))
    shown = text(all: [REFUSED, RUN, broken], refused:)
    assert_includes shown, "Runs that changed the data (UTC):\n2026-11-28 04:12  complete  1,234,567,890 rows, 1 h 23 min\n" \
                           "    5f8d0d55b54764421b7156c9, 3 findings\n2026-11-27 04:00  failed\n    5f8d0d55b54764421b7156c9, 3 findings, RestoreError\n"
    assert_includes shown.tr("\n", " "),
                    "12 runs were refused, or failed before they changed anything, the last on 2026-11-28 05:00: AuthenticationError."
  end

  def test_it_fits_sixty_columns
    text(all: [RUN, RUN.with(status: "failed", error_class: "Support::EnvironmentValidator::ProductionEnvironmentError", mode: "anonymize")],
         state: :incomplete, refused: { count: 1, started_at: Time.utc(2026), error_class: REFUSED.error_class })
    assert_empty(terminal.string.lines(chomp: true).select { |line| line.length > 60 })
  end

  def test_data_from_a_file_is_said_to_come_from_it
    shown = text(current: RUN.with(source: "the file shop.dump", backup_id: "shop.dump", backup_created_at: nil))
    assert_includes shown, "It comes from the file shop.dump.\n"
    refute_includes shown, "backup shop.dump"
  end

  def test_of_another_database_than_the_target_nothing_is_printed
    ScalingoStagingSync::Guard::TargetProblem.stub(:of_two, ["It names another.", "Let both name the same."]) do
      assert_equal "It names another. Let both name the same.", assert_raises(ScalingoStagingSync::ConfigurationError) { text }.message
    end
    assert_empty terminal.string
  end

  # A database that ActiveRecord cannot ask.
  def error_of(error)
    history = Object.new
    history.define_singleton_method(:state) { raise error }
    assert_raises(ScalingoStagingSync::Error) { ScalingoStagingSync::Services::Status.new(output: terminal, format: "text", history:).print }
  end

  def test_a_database_that_cannot_be_asked_is_said_with_the_true_cause
    ENV["DATABASE_URL"] = STAGING_URL
    error = error_of(LoadError.new("no driver"))
    assert_kind_of ScalingoStagingSync::TargetConnectionError, error
    ENV["DATABASE_URL"] = "mysql2://u:hush@h/db"
    assert_equal "DATABASE_URL has the scheme mysql2, and staging is filled in PostgreSQL only. Set DATABASE_URL to the URL of the staging " \
                 "app's PostgreSQL database.", error_of(LoadError.new("no driver")).message
    ENV["DATABASE_URL"] = STAGING_URL
    ScalingoStagingSync::Database::RailsState.stub(:missing_adapter, "postgis") do
      assert_includes error_of(LoadError.new("no driver")).message, "the adapter postgis, which cannot be loaded"
    end
    ScalingoStagingSync::Database::RailsState.stub(:missing_adapter, "mysql2") do
      refute_includes error_of(LoadError.new("no driver")).message, "Gemfile"
    end
    %w[DATABASE_URL SCALINGO_POSTGRESQL_URL].each { |name| ENV.delete(name) }
    assert_includes error_of(LoadError.new("no driver")).message, "No PostgreSQL database is configured"
  end

  def test_without_a_run_it_says_so
    assert_equal "No run has filled this database.\n", text(current: nil, all: [])
    refused = { count: 1, started_at: Time.utc(2026), error_class: "PlanError" }
    terminal.reopen(+"")
    shown = text(current: nil, all: [REFUSED], refused:)
    assert_match(/\ANo run has filled this database\.\n\n1 run was refused/, shown)
    refute_includes shown, "complete"
  end

  def test_json_has_every_run_and_how_many_were_refused
    history = History.new(state: :complete, current: RUN, all: [REFUSED, RUN],
                          refused: { count: 1, started_at: Time.utc(2026), error_class: "PlanError" })
    ScalingoStagingSync::Services::Status.new(output: terminal, format: "json", history:).print
    printed = JSON.parse(terminal.string)
    assert_equal %w[r2 r1], printed["runs"].map { |run| run["run_id"] }
    assert_equal [false, true], printed["runs"].map { |run| run["changed"] }
    assert_equal 1, printed.dig("refused", "count")
  end
end

# frozen_string_literal: true

require "test_helper"
require "active_record"
require "json"
require "minitest/mock"

class StatusTest < Minitest::Test
  History = Struct.new(:state, :current, :all, :refused, keyword_init: true) do
    def runs(_limit = 10, refused: true) = refused ? all : all.reject { |run| run.changed == false }
  end

  # The logs of a database in which nothing was fetched, and nothing done but runs.
  Accesses = Struct.new(:lines, :wrong_tokens)
  Journal = Struct.new(:all) do
    def lines(_limit = 10, runs: true) = runs ? all : all.reject { |line| line.action == "run" }
  end
  Fetched = ScalingoStagingSync::Database::Accesses::Line
  Done = ScalingoStagingSync::Database::Journal::Line

  RUN = ScalingoStagingSync::Database::History::Run.of({ run_id: "r1", mode: "run", status: "complete", started_at: Time.utc(2026, 11, 28, 4, 12), source: "Scalingo app shop, addon ad-1",
                                                         backup_id: "5f8d0d55b54764421b7156c9", backup_created_at: "2026-11-28T02:00:00Z", rows: 1_234_567_890, seconds: 5025.0,
                                                         findings: 3, error_class: nil, changed: true }.transform_keys(&:to_s))
  REFUSED = RUN.with(run_id: "r2", status: "failed", rows: nil, seconds: 1.0, changed: false,
                     error_class: "Integrations::ScalingoApiClient::AuthenticationError")

  def print(format, accesses: [], wrong_tokens: { count: 0 }, actions: [], **facts)
    history = History.new(state: :complete, current: RUN, all: [RUN], refused: { count: 0 }, **facts)
    ScalingoStagingSync::Services::Status.new(output: terminal, format:, history:, accesses: Accesses.new(accesses, wrong_tokens),
                                              journal: Journal.new(actions)).print
    terminal.string
  end

  def text(...) = print("text", ...)

  FETCHED = Fetched.new(started_at: Time.utc(2026, 11, 28, 6), finished_at: Time.utc(2026, 11, 28, 6, 1), token: "ada",
                        address: "2001:0db8:85a3:0000:0000:8a2e:0370:7334", request: "GET /archive bytes=1234567890-",
                        status: 206, bytes: 1_200_000_000, whole: true)
  DONE = Done.new(at: Time.utc(2026, 11, 28, 5), action: "token", subject: "ada", outcome: "done", error_class: nil, login: "ada",
                  host: "laptop", container: "one-off-12", task: "scalingo_staging_sync:token")

  def test_who_has_fetched_what_and_what_else_was_done_follow_the_runs
    shown = text(accesses: [FETCHED, FETCHED.with(whole: false), FETCHED.with(finished_at: nil, bytes: nil), FETCHED.with(status: 304, bytes: 0)],
                 wrong_tokens: { count: 2, last_at: Time.utc(2026, 11, 28, 7), last_address: "10.0.0.1" },
                 actions: [DONE, DONE.with(action: "run", subject: nil), DONE.with(outcome: "refused", error_class: "ConfigurationError", container: nil)])
    assert_includes shown, "\n\nFetched from this app (UTC):\n2026-11-28 06:00  ada  GET /archive bytes=1234567890-\n    206, 1.2 GB, from\n    2001:"
    assert_includes shown, "206, 1.2 GB and broke off, from"
    assert_includes shown, "206, 0 B so far, or its end is not"
    assert_includes shown, "    304, from 2001"
    assert_includes shown.tr("\n", " "), "2 requests had no valid token, the last on 2026-11-28 07:00 from 10.0.0.1."
    assert_includes shown, "\nOther actions (UTC):\n2026-11-28 05:00  token ada: done\n    by ada on one-off-12\n" \
                           "2026-11-28 05:00  token ada: refused\n    by ada on laptop, ConfigurationError\n"
    refute_includes shown, "run: done"
    assert_empty(shown.lines(chomp: true).select { |line| line.length > 60 })
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

  def test_data_that_was_taken_out_is_said_to_have_come_from_its_backup
    assert_includes text(state: :expired).tr("\n", " "), "It came from the backup "
    refute_includes text(state: :expired), "It comes from"
  end

  def test_data_that_is_whole_and_too_old_is_said_to_be
    says = lambda do |max_age, **facts|
      history = History.new(state: :complete, current: RUN, all: [], refused: {}, **facts)
      ScalingoStagingSync::Services::Status.new(output: terminal, format: "text", history:, accesses: nil, journal: nil).too_old(max_age)
    end
    Time.stub(:now, Time.utc(2026, 11, 28, 4)) do
      assert_equal "The data is older than MAX_AGE=1h.", says.call(" 1h ")
      assert_nil says.call("3h")
    end
    assert_nil says.call("1h", state: :incomplete), "what is printed says it"
    assert_nil says.call("1h", current: nil)
    assert_nil says.call(nil)
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
    history.define_singleton_method(:state) { raise error } # which is asked first
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
    printed = JSON.parse(print("json", all: [REFUSED, RUN], refused: { count: 1, started_at: Time.utc(2026), error_class: "PlanError" },
                                       accesses: [FETCHED], actions: [DONE]))
    assert_equal ["ada", "2026-11-28T06:00:00Z"], printed["accesses"].first.values_at("token", "started_at")
    assert_equal({ "count" => 0 }, printed["wrong_tokens"])
    assert_equal %w[token done one-off-12], printed["actions"].first.values_at("action", "outcome", "container")
    assert_equal %w[r2 r1], printed["runs"].map { |run| run["run_id"] }
    assert_equal [false, true], printed["runs"].map { |run| run["changed"] }
    assert_equal 1, printed.dig("refused", "count")
  end
end

# frozen_string_literal: true

require_relative "integration_helper"
require_relative "../support/store_server"

# Everything done with the gem leaves a line: who, when, what, and how it ended.
class HistoryLinesTest < IntegrationTest
  CONFIGURATION = <<~RUBY
    config.clone_source_scalingo_app_name = "shop-production"
    config.pii_policy = :mask
    config.anonymization_tables = [{ table: "users", strategy: :user_anonymization }]
    config.data_max_age = 1.second
    config.publish_service = "files"
  RUBY

  # Each task, its variables, and what is noted about it.
  ACTIONS = [
    ["run", {}, "run|done|"],
    ["run", { "SCALINGO_API_TOKEN" => "" }, "run|refused|ConfigurationError"],
    ["run", { "TABLES" => "nowhere" }, "run|failed|PlanError"],
    ["dump[made.dump]", {}, "dump|done|"],
    ["dump[nowhere/made.dump]", {}, "dump|refused|ConfigurationError"],
    ["publish[made.dump]", {}, "publish|done|"],
    ["publish[config]", {}, "publish|refused|ConfigurationError"],
    ["publish", {}, "publish|refused|ConfigurationError"],
    ["token[ada]", {}, "token|done|"],
    ["token[ada]", {}, "token|refused|ConfigurationError"],
    ["revoke[ada]", {}, "revoke|done|"],
    ["pull[made.dump]", {}, "pull|done|"],
    ["pull[missing.dump]", {}, "pull|refused|ConfigurationError"],
    ["expire", {}, "expire|done|"]
  ].freeze

  def test_every_action_leaves_a_line_whether_it_is_done_or_refused
    app, staging, = new_app
    StoreServer.install(app)
    app.write("config/storage.yml", "files: { service: Disk, root: \"#{path("files")}\" }\n")
    lines = -> { staging.database.values("SELECT concat_ws('|', action, outcome, coalesce(error_class, '')) FROM scalingo_staging_sync.actions ORDER BY id") }
    ACTIONS.each_with_index do |(task, variables, line), place|
      result = app.rake("scalingo_staging_sync:#{task}", environment: { "CONTAINER" => "one-off-7", **variables })
      assert_equal line.include?("done"), result.success?, "#{task}: #{result.output}"
      assert_equal [place + 1, line], [lines.call.size, lines.call.last], "#{task}: #{result.output}"
    end
    who = staging.database.exec("SELECT DISTINCT login, host, container FROM scalingo_staging_sync.actions")
    assert_equal [{ "login" => Etc.getpwuid.name, "host" => Socket.gethostname, "container" => "one-off-7" }], who
    assert_equal ACTIONS.map { |task, *| "scalingo_staging_sync:#{task[/\w+/]}" },
                 staging.database.values("SELECT task FROM scalingo_staging_sync.actions ORDER BY id")
    assert_equal "0", staging.database.value("SELECT count(*) FROM scalingo_staging_sync.actions WHERE at IS NULL OR at > clock_timestamp()")
  end

  # Where this may be production nothing is written, not even that something was refused.
  def test_what_the_guard_refuses_leaves_no_line
    app, staging, = new_app
    %w[run dump[made.dump] publish[made.dump] pull[made.dump] token[ada] expire].each do |task|
      refute app.rake("scalingo_staging_sync:#{task}", environment: { "APP" => "shop-production" }).success?, task
    end
    assert_nil staging.database.value("SELECT to_regclass('scalingo_staging_sync.actions')")
  end
end

# frozen_string_literal: true

require_relative "integration_helper"
require_relative "../support/pages"

# What the documentation shows of a run, done in a Rails app beside a Scalingo API: the commands of getting started, the calls
# from Ruby, and the lines that the README says a run prints.
class DocumentedRunTest < IntegrationTest
  STAGING = { "APP" => "my-app-staging" }.freeze

  RULES = <<~RUBY
    config.clone_source_scalingo_app_name = "my-app-production"
    config.anonymization_tables = [{ table: "users", strategy: :user_anonymization }]
    config.exclude_tables = ["sessions", "audit_logs"]
    config.pii_policy = :mask
    config.anonymization_audit_file = "tmp/audit.json"
  RUBY

  def test_getting_started_ends_with_a_masked_copy
    page = Pages.page("docs/getting-started.md")
    app, staging, = new_app(configuration: nil, generate: false, app: "my-app-production")
    commands = page.commands.grep(/\Abundle exec /)
    assert_operator commands.size, :>=, 6
    must(app, commands.shift)
    app.write("config/initializers/documented.rb", page.blocks("ruby").grep(/configure do/).first)
    commands.each { |command| must(app, command) }
    assert_equal SHOP_USERS.to_s, staging.database.value("SELECT count(*) FROM users")
    assert_empty staging.database.values("SELECT email FROM users") & shop.values("SELECT email FROM users")
    assert_includes app.read("cron.json"), "0 3 * * 0 bundle exec rake scalingo_staging_sync:run"
  end

  def test_the_calls_from_ruby_do_what_they_say
    app, staging, = new_app(configuration: RULES, app: "my-app-production")
    calls = %w[formats errors].flat_map { |name| Pages.page("docs/#{name}.md").blocks("ruby").grep(/Services::/) }
    assert_equal 2, calls.size
    result = app.runner("#{calls.join}\nputs path", environment: STAGING)
    assert result.success?, result.output
    assert_equal SHOP_USERS.to_s, staging.database.value("SELECT count(*) FROM users")
    archive = result.output.lines(chomp: true).last
    assert_equal "PGDMP", File.binread(archive, 5)
  end

  def test_a_run_prints_what_the_readme_shows_of_it
    app, = new_app(configuration: RULES, app: "my-app-production")
    result = app.rake("scalingo_staging_sync:run", environment: STAGING)
    assert result.success?, result.output
    printed = result.output.lines(chomp: true).map { |line| without_figures(line) }
    shown = Pages.page("README.md").blocks("text").grep(/Done in/).first.lines(chomp: true) - ["..."]
    assert_operator shown.size, :>=, 6
    shown.each { |line| assert_includes printed, without_figures(line) }
  end

  private

  # The same without numbers, units and the app's folder.
  def without_figures(line) = line.gsub(%r{/\S*/tmp/audit}, "/app/tmp/audit").gsub(/\d[\d.,]*( (kB|MB|B|ms|s)\b)?/, "N")

  def must(app, command)
    words = Pages.words(command)
    words[2, 1] = %w[ruby bin/rails] if words[2] == "rails"
    result = WatchedProcess.run(*words, environment: app.environment.merge(STAGING), directory: app.directory)
    assert result.success?, "#{command}\n#{result.output}"
  end
end

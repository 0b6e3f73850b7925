# frozen_string_literal: true

require_relative "integration_helper"
require_relative "../support/pages"
require_relative "../support/terminal"

# What the documentation shows, done in a Rails app beside a Scalingo API: the commands, the calls from Ruby, and the lines that
# the README says a run prints.
class DocumentedRunTest < IntegrationTest
  STAGING = { "APP" => "my-app-staging" }.freeze

  RULES = <<~RUBY
    config.clone_source_scalingo_app_name = "my-app-production"
    config.anonymization_tables = [{ table: "users", strategy: :user_anonymization }, { table: "phone_numbers", columns: { phone_number: :phone } }]
    config.exclude_tables = ["sessions", "audit_logs"]
    config.pii_policy = :mask
    config.anonymization_audit_file = "tmp/audit.json"
  RUBY

  # What else an app needs so that each command has something to do.
  FOR_COMMANDS = <<~RUBY.freeze
    #{RULES}config.subset = { "users" => { where: "id <= 200" } }
    config.pii_ignore = { "*.*" => "looked at for this test" }
    config.data_max_age = 30.days
  RUBY

  # They need a store or a server, and are run in publish_test and pull_test; another platform's command; this project's own.
  NOT_HERE = /:publish|:pull|\Aheroku|https:|rake docs/

  # They show rows, and so want a terminal.
  IN_A_TERMINAL = /:(preview|why)\[/

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

  def test_every_other_command_does_its_work
    commands = Pages.all.flat_map(&:commands).map { |command| command.sub(/\s+#.*/, "").sub(/\Ascalingo --app \S+ run /, "") }.uniq
    commands = commands.grep(/rake|generate/).grep_v(NOT_HERE) - Pages.page("docs/getting-started.md").commands
    assert_operator commands.size, :>=, 14
    app, = new_app(configuration: FOR_COMMANDS, app: "my-app-production")
    app.write("db/structure.sql", IO.popen([Postgres.program("pg_dump"), "--schema-only", shop.url], &:read))
    FileUtils.cp(shop_dump, "#{app.directory}/shop.dump")
    must(app, "bundle exec rake scalingo_staging_sync:run")
    # The generator with --force writes another initializer.
    commands.partition { |command| !command.include?("--force") }.flatten.each { |command| must(app, command) }
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

  def test_check_and_a_run_print_what_the_readme_shows_of_them
    app, = new_app(configuration: RULES, app: "my-app-production")
    { "check" => /^passed /, "run" => /Done in/ }.each do |task, block|
      result = app.rake("scalingo_staging_sync:#{task}", environment: STAGING)
      assert result.success?, result.output
      printed = result.output.lines(chomp: true).map { |line| without_figures(line) }
      shown = Pages.page("README.md").blocks("text").grep(block).first.lines(chomp: true).grep_v(/\A[-\s]*\z|\.\.\.\z/)
      assert_operator shown.size, :>=, 6
      shown.each { |line| assert_includes printed, without_figures(line) }
    end
  end

  private

  # The same without numbers, units, the width of columns and the app's folder.
  def without_figures(line)
    line.gsub(%r{/\S*/tmp/audit}, "/app/tmp/audit").gsub(/\d[\d.,]*( (kB|MB|B|ms|s)\b)?/, "N").squeeze(" ")
  end

  # Runs a command as it stands in the documentation.
  def must(app, command)
    variables, words = Pages.words(command).partition { |word| word.match?(/\A[A-Z_]+=/) }
    words[2, 1] = %w[ruby bin/rails] if words[2] == "rails"
    environment = STAGING.merge(variables.to_h { |assignment| assignment.split("=", 2) })
    all = app.environment.merge(environment)
    if command.match?(IN_A_TERMINAL)
      shown = Terminal.run(*words, environment: all, directory: app.directory)
      assert_predicate shown.status, :success?, "#{command}\n#{shown.raw}"
    else
      task = words[3] if words.size == 4 && words[0, 3] == %w[bundle exec rake]
      result = task ? app.rake(task, environment:) : WatchedProcess.run(*words, environment: all, directory: app.directory)
      assert result.success?, "#{command}\n#{result.output}"
    end
  end
end

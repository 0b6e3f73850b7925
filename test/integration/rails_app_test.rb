# frozen_string_literal: true

require "json"
require_relative "integration_helper"
require_relative "../support/terminal"

# End to end: the gem in a Rails app, as a team has it on Scalingo.
class RailsAppTest < IntegrationTest
  CONFIGURATION = <<~RUBY
    config.clone_source_scalingo_app_name = "shop-production"
    config.anonymization_tables = [
      { table: "users", strategy: :user_anonymization, translation: "utilisateurs" },
      { table: "phone_numbers", strategy: :phone_anonymization },
      { table: "payment_methods", strategy: :payment_anonymization },
      { table: "addresses", strategy: :address_anonymization },
      { table: "emails", strategy: :email_anonymization }
    ]
    config.exclude_tables = ["sessions", "audit_logs"]
  RUBY

  def test_the_rake_task_fills_the_staging_database
    app, staging, fake = new_app
    result = app.rake("scalingo_staging_sync:run")
    assert result.success?, result.output
    assert_equal SHOP_USERS.to_s, staging.database.value("SELECT count(*) FROM users")
    assert_equal "0", staging.database.value("SELECT count(*) FROM sessions")
    assert_nothing_raw staging.database
    assert_equal "staging", staging.database.value("SELECT value FROM ar_internal_metadata WHERE key = 'environment'")
    refute_includes result.output, fake.token
    refute_match(%r{token=|postgres://}, result.output)
    assert_equal 0, staging.database.sessions
  end

  def test_the_generator_writes_an_initializer_that_loads
    app, = new_app(configuration: nil)
    initializer = app.read("config/initializers/scalingo_staging_sync.rb")
    %w[clone_source_scalingo_app_name anonymization_tables exclude_tables parallel_connections].each do |option|
      assert_includes initializer, option
    end
    result = app.runner("puts ScalingoStagingSync.configuration.parallel_connections")
    assert_equal "3", result.output.lines.last.strip, result.output
  end

  def test_the_check_task_passes_and_touches_nothing
    app, staging, = new_app
    assert_untouched(staging.database) do
      result = app.rake("scalingo_staging_sync:check")
      assert result.success?, result.output
    end
  end

  def test_production_is_refused_before_anything_else
    {
      { "RAILS_ENV" => "production", "RACK_ENV" => "production" } => /production/,
      { "APP" => "shop-prod" } => /shop-prod/,
      { "APP" => "shop-production" } => /shop-production/
    }.each do |environment, message|
      app, staging, fake = new_app
      app.write("config/environments/production.rb", app.read("config/environments/staging.rb"))
      app.write("config/database.yml", app.read("config/database.yml").sub("staging:", "<%= ENV['RAILS_ENV'] %>:"))
      app.write("Gemfile", app.read("Gemfile").sub("group :staging", "group :staging, :production"))
      assert_untouched(staging.database) do
        result = app.rake("scalingo_staging_sync:run", environment:)
        refute result.success?, result.output
        assert_match(message, result.output)
      end
      assert_empty fake.requests
    end
  end

  # An app that is in development, as where RAILS_ENV is not set.
  def app_in_development
    app, staging, fake = new_app
    app.write("Gemfile", app.read("Gemfile").sub("group :staging", "group :staging, :development"))
    app.write("config/database.yml", app.read("config/database.yml").sub("staging:", "<%= ENV['RAILS_ENV'] || 'development' %>:"))
    app.environment.update("RAILS_ENV" => nil, "RACK_ENV" => nil)
    [app, staging, fake]
  end

  def test_without_rails_env_a_run_is_refused_where_no_terminal_can_answer
    app, staging, fake = app_in_development
    assert_untouched(staging.database) do
      ["scalingo_staging_sync:run", "scalingo_staging_sync:check"].zip([1, 0]).each do |task, status|
        result = app.rake(task)
        assert_equal status, result.status.exitstatus, result.output
        assert_includes result.output, "Rails.env is development, and config.allowed_environments is not set."
      end
    end
    assert_empty fake.requests_of(:backup)
    result = app.rake("scalingo_staging_sync:run", environment: { "FORCE" => "1" })
    assert result.success?, result.output
  end

  def test_in_development_a_person_sees_what_would_be_replaced_and_types_its_name
    app, staging, = app_in_development
    run = lambda do |typed|
      Terminal.run("bundle", "exec", "rake", "scalingo_staging_sync:run", environment: app.environment, directory: app.directory, typed:)
    end
    staging.database.exec("CREATE TABLE public.mine (id int)")
    assert_untouched(staging.database) do
      refused = run.call("shop-staging\n")
      assert_equal 1, refused.status.exitstatus
      assert_match(/This replaces everything in the database #{staging.database.name} on \S+\.\s+It holds 2 tables, .*B\./, refused.raw)
      assert_includes refused.raw, "No run has filled it, so no run can bring back what is in it."
    end
    assert_equal 0, run.call("#{staging.database.name}\n").status.exitstatus
    again = run.call("no\n")
    assert_match(/A run filled it last on \d{4}-\d\d-\d\d \d\d:\d\d UTC, from Scalingo app shop-production/, again.raw)
  end

  def test_a_url_with_the_scheme_postgis_works_where_the_app_has_the_adapter_and_is_refused_where_not
    app, staging, fake = new_app
    app.environment.update("DATABASE_URL" => staging.url.sub("postgres", "postgis"), "SCALINGO_POSTGRESQL_URL" => nil)
    assert_untouched(staging.database) do
      result = app.rake("scalingo_staging_sync:run")
      assert_equal 1, result.status.exitstatus, result.output
      assert_includes result.output, "ConfigurationError: ActiveRecord is configured for the adapter postgis, which cannot be loaded."
      assert_empty fake.requests_of(:download)
    end
    # The adapter's gem registers itself so.
    app.write("config/application.rb", app.read("config/application.rb").sub('require "active_record/railtie"', <<~RUBY))
      require "active_record/railtie"
      ActiveSupport.on_load(:active_record) do
        ActiveRecord::ConnectionAdapters.register("postgis", "ActiveRecord::ConnectionAdapters::PostgreSQLAdapter",
                                                  "active_record/connection_adapters/postgresql_adapter")
      end
    RUBY
    result = app.rake("scalingo_staging_sync:run")
    assert result.success?, result.output
    assert_includes result.output, "verified."
    assert_equal "staging", staging.database.value("SELECT value FROM ar_internal_metadata WHERE key = 'environment'")
  end

  def test_a_url_of_another_database_ends_every_task_in_sentences
    app, = new_app
    app.environment.update("DATABASE_URL" => "mysql2://u:hush@db.example.com/x", "SCALINGO_POSTGRESQL_URL" => nil)
    %w[check status run cleanup].each do |task|
      result = app.rake("scalingo_staging_sync:#{task}")
      assert_equal 1, result.status.exitstatus, "#{task}: #{result.output}"
      refute_match(/rake aborted|\.rb:\d+:in|hush/, result.output, task)
    end
    %w[scan coverage].each do |task| # neither needs the target where a backup or a schema is read
      refute_match(/rake aborted|\.rb:\d+:in|hush/, app.rake("scalingo_staging_sync:#{task}").output, task)
    end
  end

  def test_a_variable_that_a_task_does_not_read_ends_it_before_anything_is_touched
    app, staging, fake = new_app
    assert_untouched(staging.database) do
      { ["status", { "SCAN" => "database" }] => "The variable SCAN has no effect on the task status: scan and suggest read it.",
        ["cleanup", { "FORMAT" => "json" }] => "The variable FORMAT has no effect on the task cleanup",
        ["run", { "DRY_RUN_MODE" => "1" }] => "The variable DRY_RUN_MODE has no effect; there is one named DRY_RUN.",
        ["run", { "FORMAT" => "json" }] => "which has no effect on a real run. Set DRY_RUN=true",
        ["run", { "EXACT" => "true" }] => "The variable EXACT has no effect on a real run. Set DRY_RUN=true",
        ["run", { "TABLES" => ",," }] => "The variable TABLES names no table.",
        ["cleanup", { "DRY_RUN" => "1" }] => "Cleanup would change the target" }.each do |(task, environment), sentence|
        result = app.rake("scalingo_staging_sync:#{task}", environment:)
        assert_equal 1, result.status.exitstatus, result.output
        assert_includes result.output, sentence
        refute_match(/rake aborted|\.rb:\d+:in/, result.output)
      end
    end
    assert_empty fake.requests_of(:download)
    masks = JSON.parse(app.rake("scalingo_staging_sync:masks", environment: { "FORMAT" => "json", "VERBOSE" => "1" }).output)
    assert_includes masks["masks"].map { |mask| mask["name"] }, "email"
    check = JSON.parse(app.rake("scalingo_staging_sync:check", environment: { "FORMAT" => "json" }).output)
    assert_equal [true, true], [check["passed"], check.dig("plan", "would_succeed")]
  end

  def test_where_only_scalingos_variable_is_set_the_messages_name_it
    app, staging, = new_app
    app.environment.update("DATABASE_URL" => nil, "SCALINGO_POSTGRESQL_URL" => staging.url)
    result = app.rake("scalingo_staging_sync:run")
    assert_equal 1, result.status.exitstatus, result.output
    assert_includes result.output, "SCALINGO_POSTGRESQL_URL names the database #{staging.database.name} on 127.0.0.1, and ActiveRecord's " \
                                   "primary database is the role's own on this machine."
    app.write("config/database.yml", app.read("config/database.yml").sub("DATABASE_URL", "SCALINGO_POSTGRESQL_URL"))
    result = app.rake("scalingo_staging_sync:run")
    assert result.success?, result.output
  end

  def test_without_the_variable_app_a_run_goes_through_and_says_so
    app, = new_app
    result = app.rake("scalingo_staging_sync:run", environment: { "APP" => nil })
    assert result.success?, result.output
    assert_includes result.output, "The variable APP is not set, so the guard goes by Rails' environment and the database's host alone."
  end

  def test_an_error_is_printed_as_a_sentence_and_the_task_fails
    app, staging, fake = new_app
    assert_untouched(staging.database) do
      result = app.rake("scalingo_staging_sync:run", environment: { "SCALINGO_API_TOKEN" => "tk-us-wrong" })
      refute result.success?
      assert_match(/SCALINGO_API_TOKEN|token/i, result.output)
      refute_includes result.output, "tk-us-wrong"
    end
    assert_empty fake.requests_of(:download)
  end

  def test_sigterm_ends_the_task_and_leaves_nothing_raw
    app, staging, fake = new_app(archive: Shared.large_archive, hold_at: File.size(Shared.large_archive) / 2, piece: 8192)
    process = app.start_rake("scalingo_staging_sync:run")
    fake.wait_until_held
    process.kill(:TERM)
    refute process.wait(30).success?
    staging.database.wait_until_idle(10)
    assert_nothing_raw staging.database, source: Shared.large_shop
  end

  def test_a_local_backup_file_needs_no_api
    app, staging, fake = new_app
    result = app.rake("scalingo_staging_sync:run", environment: { "BACKUP_FILE" => shop_archive, "SCALINGO_API_TOKEN" => nil })
    assert result.success?, result.output
    assert_equal SHOP_USERS.to_s, staging.database.value("SELECT count(*) FROM users")
    assert_empty fake.requests
  end

  def test_without_a_locale_as_in_cron_a_run_goes_through_and_writes_its_evidence
    app, staging, = new_app
    app.configure(<<~RUBY)
      #{CONFIGURATION.sub("utilisateurs", "employés")}
      config.anonymization_audit_file = "tmp/contrôle.json"
    RUBY
    result = app.rake("scalingo_staging_sync:run", environment: { "LANG" => nil, "LC_ALL" => nil, "LC_CTYPE" => nil })
    assert result.success?, result.output
    assert_nothing_raw staging.database
    assert_includes JSON.parse(app.read("tmp/contrôle.json")).to_s, "users"
    result = app.rake("scalingo_staging_sync:audit:verify[tmp/contrôle.json]", environment: { "LC_ALL" => "C" })
    assert result.success?, result.output
  end

  def test_rails_can_use_the_database_afterwards
    app, = new_app
    app.write("task.rb", <<~RUBY)
      ScalingoStagingSync::Services::Coordinator.new.execute!
      class User < ActiveRecord::Base; end
      puts "users: \#{User.count}, \#{User.order(:id).first.full_name}"
    RUBY
    result = app.runner("class User < ActiveRecord::Base; end; User.connection; load './task.rb'")
    assert_match(/^users: #{SHOP_USERS}, Demo User1$/, result.output)
  end
end

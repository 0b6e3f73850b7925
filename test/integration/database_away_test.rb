# frozen_string_literal: true

require_relative "integration_helper"

# What the tasks around masked archives say where ActiveRecord cannot ask the database, and where a dry run is asked for.
class DatabaseAwayTest < IntegrationTest
  NOWHERE = "postgres://someone@127.0.0.1:1/none"
  KEY = "5f0c9ae17b3d42860e9b71c4d2a8f635"

  CONFIGURATION = <<~RUBY.freeze
    config.clone_source_scalingo_app_name = "shop-production"
    config.anonymization_secret = #{KEY.inspect}
    config.data_max_age = 1.day
  RUBY

  def app = @app ||= new_app.first

  def refused(task, error, environment = {})
    result = app.rake("scalingo_staging_sync:#{task}", environment:)
    assert_equal 1, result.status.exitstatus, result.output
    assert_includes result.output, "ScalingoStagingSync::#{error}: ", task
    refute_match(/rake aborted|\.rb:\d+:in|127\.0\.0\.1/, result.output)
    result.output
  end

  def test_a_database_that_is_away_is_an_error_of_the_gems
    away = { "DATABASE_URL" => NOWHERE, "SCALINGO_POSTGRESQL_URL" => NOWHERE }
    ["expire", "token[ada]", "tokens", "revoke[ada]", "status"].each do |task|
      assert_match(/could not be asked \(ActiveRecord::\w+\)\. Check DATABASE_URL and that the database is up\./,
                   refused(task, "TargetConnectionError", away))
    end
  end

  # Following the advice works.
  def test_a_role_that_may_not_read_the_gems_schema_is_named_as_the_cause
    owner = new_staging
    assert app.rake("scalingo_staging_sync:token[ada]", environment: as(owner.url)).success?
    poor = Postgres.create_role("poor")
    ["expire", "tokens", "revoke[ada]", "token[eve]", "status"].each do |task|
      assert_match(/may not (read|write into) the schema scalingo_staging_sync\. Connect as the role that owns it, or make this one the owner/,
                   refused(task, "PrivilegeError", as(owner.database.url_as(poor))), task)
    end
    owner.database.exec("ALTER SCHEMA scalingo_staging_sync OWNER TO #{poor}; ALTER TABLE scalingo_staging_sync.tokens OWNER TO #{poor};
                         ALTER TABLE scalingo_staging_sync.actions OWNER TO #{poor}")
    assert app.rake("scalingo_staging_sync:revoke[ada]", environment: as(owner.database.url_as(poor))).success?
  ensure
    owner&.database&.exec("REASSIGN OWNED BY #{poor} TO postgres; DROP OWNED BY #{poor}; DROP ROLE #{poor}") if poor
  end

  def test_a_role_that_may_not_make_the_gems_schema_is_granted_it
    database = new_database
    poor = Postgres.create_role("poor")
    assert_includes refused("token[ada]", "PrivilegeError", as(database.url_as(poor))), "Grant it CREATE on the database."
    database.exec("GRANT CREATE ON DATABASE #{database.name} TO #{poor}")
    assert app.rake("scalingo_staging_sync:token[ada]", environment: as(database.url_as(poor))).success?
  ensure
    database&.exec("DROP OWNED BY #{poor} CASCADE; DROP ROLE #{poor}") if poor
  end

  def test_a_dry_run_changes_no_token
    ["token[ada]", "revoke[ada]"].each do |task|
      assert_includes refused(task, "ConfigurationError", "DRY_RUN" => "1"), "A dry run is asked for"
    end
    assert_includes app.rake("scalingo_staging_sync:tokens").output, "There is no token."
  end

  def test_a_task_without_a_name_shows_how_that_task_is_called
    assert_includes refused("revoke", "ConfigurationError"), "`rake 'scalingo_staging_sync:revoke[ada]'`"
    assert_includes refused("token", "ConfigurationError"), "`rake 'scalingo_staging_sync:token[ada]'`"
  end

  private

  def as(url) = { "DATABASE_URL" => url, "SCALINGO_POSTGRESQL_URL" => url }
end

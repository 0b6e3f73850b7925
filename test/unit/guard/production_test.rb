# frozen_string_literal: true

require "test_helper"

class ProductionGuardTest < Minitest::Test
  Guard = ScalingoStagingSync::Guard::Production
  ProductionEnvironmentError = ScalingoStagingSync::Support::EnvironmentValidator::ProductionEnvironmentError

  def setup
    @config = ScalingoStagingSync.configuration
    @config.clone_source_scalingo_app_name = "shop"
  end

  def validate(variables = {}, rails_env: "staging")
    Guard.new(config: @config, environment: variables, rails_env:).validate!
  end

  def refuse(...)
    assert_raises(ProductionEnvironmentError) { validate(...) }
  end

  def test_a_staging_app_passes
    assert_nil validate({ "APP" => "shop-staging", "DATABASE_URL" => "postgres://u:p@db-staging/x" })
    assert_nil validate(rails_env: nil)
  end

  def test_rails_in_production_is_refused_with_the_buildpacks_default_explained
    error = refuse(rails_env: "production")
    assert_includes error.what, "Rails.env is production"
    assert_includes error.remedy, "RAILS_ENV=staging"
  end

  def test_rails_env_is_understood_however_it_is_written
    ["production ", "Production", " PROD\n", "prod"].each { |name| assert_match(/Rails\.env is prod(uction)?\./i, refuse(rails_env: name).what) }
    %w[preprod products production2].each { |name| assert_nil validate(rails_env: name) }
  end

  def test_an_app_named_like_production_is_refused
    %w[shop-production shop-PROD production].each { |app| assert_includes refuse({ "APP" => app }).what, "APP=#{app}" }
  end

  def test_a_review_app_of_a_production_app_is_refused_also_by_an_anchored_pattern
    @config.production_app_name_patterns = [/\Ashop-live\z/]
    %w[shop-live shop-live-pr42 shop-live-PR-42].each { |app| assert_includes refuse({ "APP" => app }).what, "APP=#{app}" }
    assert_nil validate({ "APP" => "shop-staging-pr42" })
  end

  def test_a_host_that_looks_like_production_is_refused_wherever_it_stands
    %w[DATABASE_URL SCALINGO_POSTGRESQL_URL].each do |name|
      ["postgres://u:hush@shop-prod-1.example.com:31000/db", "postgres://u:hush@ok,PRODUCTION/db",
       "postgres://u:hush@ok/db?host=prod", "postgres://u:12?hush@prod/db", "postgres://u:12#hush@prod/db"].each do |url|
        error = refuse({ name => url })
        assert_includes error.what, name
        refute_includes error.message, "hush"
      end
    end
  end

  def test_the_other_url_does_not_excuse_one
    refuse({ "DATABASE_URL" => "postgres://staging/db", "SCALINGO_POSTGRESQL_URL" => "postgres://prod/db" })
  end

  def test_a_url_that_cannot_be_read_is_refused_without_being_shown
    error = refuse({ "DATABASE_URL" => "hush hush" })
    assert_includes error.what, "DATABASE_URL cannot be read"
    refute_includes error.message, "hush"
  end

  def test_a_url_of_another_database_is_said_to_be_one_and_not_production
    { "mysql2://u:hush@prod/db" => "DATABASE_URL has the scheme mysql2, and", "sqlite3:db/hush.sqlite3" => "has the scheme sqlite3", "mongodb://u:hush@h/db" => "has the scheme mongodb",
      "u:hush@h/db" => "cannot be read as a PostgreSQL URL", "postgres://u:hu/sh@h/hush" => "cannot be read as a PostgreSQL URL" }.each do |url, words|
      error = refuse({ "DATABASE_URL" => url })
      assert_kind_of ScalingoStagingSync::Support::EnvironmentValidator::TargetUrlError, error, url
      assert_includes error.message, "DATABASE_URL"
      assert_includes error.message, words
      assert_includes error.message, "Nothing was touched."
      refute_match(/hush|production/, error.message)
    end
  end

  def test_a_url_of_another_database_beside_what_looks_like_production_is_reported_with_it
    error = refuse({ "APP" => "shop-production", "DATABASE_URL" => "mysql2://u:hush@h/db" })
    assert_includes error.message, "This looks like production"
    assert_includes error.message, "DATABASE_URL has the scheme mysql2, and"
  end

  def test_the_source_app_as_target_is_refused
    assert_includes refuse({ "APP" => "shop" }).what, "the same, shop"
    refuse({ "APP" => " Shop " })
  end

  def test_own_patterns_replace_the_defaults
    @config.production_app_name_patterns = [/-main\z/]
    @config.production_hostname_patterns = [/eu-west/]
    assert_nil validate({ "APP" => "reproduction", "DATABASE_URL" => "postgres://prod/db" })
    refuse({ "APP" => "shop-main" })
    refuse({ "DATABASE_URL" => "postgres://db.eu-west-1.example.com/db" })
  end

  def test_everything_that_speaks_against_the_run_is_reported_at_once
    error = refuse({ "APP" => "shop-production", "DATABASE_URL" => "postgres://prod/db",
                     "SCALINGO_POSTGRESQL_URL" => "mysql://x" }, rails_env: "production")
    assert_equal 4, error.failures.size
    assert_includes error.message, "nothing was touched"
  end
end

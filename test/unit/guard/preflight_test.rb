# frozen_string_literal: true

require "test_helper"
require "securerandom"

class PreflightTest < Minitest::Test
  ConfigurationError = ScalingoStagingSync::ConfigurationError

  def check(config, **)
    ScalingoStagingSync::Guard::Preflight.new(config:).check!(**)
  end

  def refuse(config, **)
    assert_raises(ConfigurationError) { check(config, **) }
  end

  def test_a_plain_configuration_passes
    assert_nil check(staging_config)
  end

  def test_a_key_that_would_do_nothing_ends_the_run_with_its_entry
    ScalingoStagingSync::Database::AnonymizationStrategies.register_strategy(:of_the_clinic) { |table, _| "DELETE FROM #{table}" }
    {
      { table: "orders", query: "UPDATE orders SET a = 1", keep: { a: ["x"] } } => :keep,
      { table: "patients", strategy: :of_the_clinic, keep: { name: ["x"] } } => :keep,
      { table: "users", columns: { name: :null }, reads: ["orders"] } => :reads
    }.each do |entry, key|
      config = staging_config
      config.anonymization_tables = [entry]
      error = refuse(config)
      assert_includes error.what, "The entry for #{entry[:table]} in config.anonymization_tables has :#{key}"
      assert_includes error.remedy, "Nothing was touched"
    end
  ensure
    ScalingoStagingSync::Database::AnonymizationStrategies.reset!
  end

  def test_columns_keep_and_a_condition_pass_together
    config = staging_config
    config.anonymization_tables = [
      { table: "users", columns: { name: :null }, keep: { name: ["Ada*"] }, condition: "id > 3", reads: ["orders"] },
      { table: "emails", strategy: :email_anonymization, keep: { email: ["*@example.com"] }, condition: "id > 3" }
    ]
    assert_nil check(config)
  end

  def test_columns_and_kept_values_pass
    config = staging_config
    config.anonymization_tables = [{ table: "users", columns: { name: :null }, keep: { name: ["Ada*"] } }]
    assert_nil check(config)
  end

  def test_rules_that_were_not_taken_are_not_said_to_be_missing
    deliberately_mistyped
    config = staging_config
    config.anonymization_tables = []
    config.keeping_problems { |c| c.anonymization_tables = { "users" => :user_anonymization } }
    refused = refuse(config)
    assert_includes refused.what, "config.anonymization_tables was given"
    refute_includes refused.what, "No anonymization rule"
  end

  def test_a_policy_that_looks_for_what_is_personal_needs_no_rule
    %i[mask fail].each do |policy|
      config = staging_config
      config.anonymization_tables = []
      config.pii_policy = policy
      config.run_pii_scan = true
      assert_nil check(config), policy
      config.run_pii_scan = false
      assert_includes refuse(config).what, "No anonymization rule is configured"
    end
  end

  def test_a_directory_is_not_said_to_be_missing
    Dir.mktmpdir do |directory|
      config = staging_config
      config.backup_file = directory
      assert_match(/ is a directory\.\z/, refuse(config).what)
      File.write("#{directory}/toc.dat", "PGDMP")
      error = refuse(config)
      assert_includes error.what, "is a directory, as `pg_dump -Fd` writes it"
      assert_includes error.remedy, "pg_dump -Fc"
      config.backup_file = "#{directory}/nowhere.dump"
      assert_includes refuse(config).what, "nowhere.dump is not there."
    end
  end

  def test_a_pipe_will_do_as_the_backup_file
    Dir.mktmpdir do |directory|
      File.mkfifo("#{directory}/pipe")
      config = staging_config
      config.backup_file = "#{directory}/pipe"
      assert_nil check(config)
    end
  end

  def test_rules_in_sql_pass
    config = staging_config
    config.anonymization_tables = [{ table: "orders", query: "UPDATE orders SET a = 1", condition: "id > 3" },
                                   { table: "users", strategy: :user_anonymization, condition: "id > 3" }]
    config.anonymization_rules = { "users" => { "email" => "NULL" } }
    assert_nil check(config)
  end

  def test_a_custom_strategy_that_ignores_a_condition_or_returns_no_sql_ends_the_run
    strategies = ScalingoStagingSync::Database::AnonymizationStrategies
    strategies.register_strategy(:hipaa) { |table, _| "UPDATE #{table} SET ssn = 'XXX'" }
    strategies.register_strategy(:silent) { |_, _| "" }
    config = staging_config
    config.anonymization_tables = [{ table: "patients", strategy: "hipaa" }]
    assert_nil check(config)
    config.anonymization_tables = [{ table: "patients", strategy: "hipaa", condition: "id > 3" }, { table: "notes", strategy: :silent }]
    error = refuse(config)
    assert_includes error.what, ":hipaa ignores the condition of the entry for patients"
    assert_includes error.what, ":silent returned no SQL for notes"
  end

  def test_a_custom_strategy_whose_sql_differs_each_time_must_hold_the_condition
    strategies = ScalingoStagingSync::Database::AnonymizationStrategies
    strategies.register_strategy(:salted) { |table, _| "UPDATE #{table} SET ssn = md5(ssn || '#{SecureRandom.hex}')" }
    strategies.register_strategy(:salted_where) { |table, where| "UPDATE #{table} SET ssn = '#{SecureRandom.hex}' WHERE #{where}" }
    config = staging_config
    config.anonymization_tables = [{ table: "patients", strategy: :salted_where, condition: "id > 3" }]
    assert_nil check(config)
    config.anonymization_tables = [{ table: "patients", strategy: :salted, condition: "id > 3" }]
    assert_includes refuse(config).what, ":salted ignores the condition of the entry for patients"
  end

  def test_no_rule_at_all_is_refused_unless_it_is_meant
    config = staging_config
    config.anonymization_tables = []
    assert_includes refuse(config).remedy, "allow_unmasked_copy"
    config.allow_unmasked_copy = true
    assert_nil check(config)
  end

  def test_files_that_are_not_there_are_found_beforehand
    config = staging_config
    config.seeds_file_path = "/nowhere/seeds.rb"
    config.backup_file = "/nowhere/backup.tar.gz"
    config.anonymization_audit_file = "#{__FILE__}/reports/audit.json"
    error = refuse(config)
    ["/nowhere/seeds.rb", "/nowhere/backup.tar.gz", "#{__FILE__}/reports"].each { |path| assert_includes error.what, path }
  end

  def test_everything_is_reported_at_once
    config = staging_config
    config.seeds_file_path = "/nowhere/seeds.rb"
    config.scalingo_api_token = nil
    error = refuse(config)
    assert_includes error.what, "seeds"
    assert_includes error.what, "token"
  end

  def test_another_database_of_rails_is_said_by_what_names_it_and_where_it_is
    { "postgres://u:hush@other-db.example.com/shop" => "shop on other-db.example.com", "postgres:///" => "the role's own on this machine",
      "postgres:///shop?host=/run/postgresql" => "shop on this machine" }.each do |rails, place|
      config = staging_config
      ENV.update("DATABASE_URL" => nil, "SCALINGO_POSTGRESQL_URL" => STAGING_URL)
      ScalingoStagingSync::EngineSettings.stub(:active_record_url, rails) do
        error = refuse(config)
        assert_equal "SCALINGO_POSTGRESQL_URL names the database app_staging on staging-db.example.com, and ActiveRecord's primary " \
                     "database is #{place}.", error.what
        refute_includes error.message, "hush"
      end
    end
  end

  def test_an_adapter_that_rails_lacks_is_named_before_anything_is_touched
    ScalingoStagingSync::Database::RailsState.stub(:missing_adapter, "postgis") do
      assert_includes refuse(staging_config).remedy, "activerecord-postgis-adapter"
    end
  end

  def test_slack_without_a_url_is_a_warning_and_no_reason_to_fail
    config = staging_config
    config.slack_enabled = true
    preflight = ScalingoStagingSync::Guard::Preflight.new(config:)
    preflight.check!
    assert_equal ["No message goes to Slack: config.slack_enabled is true, and config.slack_webhook_url is not set."], preflight.notices
  end

  def test_a_missing_target_is_named
    config = staging_config
    ENV.delete("DATABASE_URL")
    assert_includes refuse(config).remedy, "DATABASE_URL"
  end

  def test_masking_what_looks_personal_needs_no_rule
    config = staging_config
    config.anonymization_tables = []
    config.pii_policy = :mask
    assert_nil check(config)
    config.run_pii_scan = false
    assert_includes refuse(config).remedy, "pii_policy"
  end

  def test_a_policy_without_a_scan_is_reported_to_have_no_effect
    config = staging_config
    assert_empty ScalingoStagingSync::Guard::Preflight.new(config:).notices
    config.run_pii_scan = false
    config.pii_policy = :fail
    assert_includes ScalingoStagingSync::Guard::Preflight.new(config:).notices.first, "no effect"
  end
end

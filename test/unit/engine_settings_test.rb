# frozen_string_literal: true

require "test_helper"

class EngineSettingsTest < Minitest::Test
  def test_the_hash_is_what_the_engine_takes
    config = staging_config
    config.exclude_tables = ["sessions"]
    assert_equal(
      {
        "source" => {
          "scalingo" => {
            "app" => "my-app-production", "api_token" => "tk-us-secret-token", "region" => "osc-fr1",
            "addon_id" => nil, "backup_max_age" => nil,
            "urls" => { "auth" => nil, "api" => nil, "database" => nil },
            "keep_in" => nil, "force_download" => false, "stall_timeout" => 300.0
          }
        },
        "target" => {
          "url" => STAGING_URL, "parallel_connections" => 3, "lock_timeout" => 30.0, "stall_timeout" => 300.0, "terminate_connections" => true,
          "postgis" => false, "retry_attempts" => 3, "retry_delay" => 1.0, "more_to_come" => false
        },
        "masking" => {
          "secret" => SECRET, "staging_password" => nil, "encrypted" => [], "email_domain" => "demo.example.com", "countries" => ["FR"],
          "rules" => [{ "name" => '{ table: "users", strategy: :user_anonymization }', "table" => "users", "strategy" => "user_anonymization", "translation" => "utilisateurs" }],
          "sql_rules" => [],
          "allow_unmasked_copy" => false, "verify" => true, "fail_on_verification_error" => true,
          "rollback_on_error" => true
        },
        "pii" => {
          "scan" => true, "policy" => "warn", "sample_rows" => 1000, "ignore" => [], "filter_parameters" => [],
          "encrypted" => [], "admitted" => [], "own_patterns" => false
        },
        "exclude_tables" => ["sessions"],
        "exclude_objects" => [], "on_object_error" => "leave_out",
        "include_tables" => [], "include_tables_from" => nil, "keep_tables" => [],
        "subset" => nil,
        "include_foreign_servers" => false,
        "exclude_large_objects" => false,
        "leak_check" => { "enabled" => true, "names" => false },
        "quiesce" => true, "storage_service" => nil,
        "fingerprint" => ScalingoStagingSync::EngineSettings.new(config).fingerprint
      },
      to_engine(config)
    )
  end

  def test_what_acts_outside_is_asked_for_without_a_search_for_personal_data
    config = staging_config
    config.run_pii_scan = false
    config.pii_ignore = { "good_jobs.*" => "harmless" }
    config.staging_password = "our staging"
    given = to_engine(config)
    assert_equal [true, { "scan" => false, "ignore" => [{ "column" => "good_jobs.*", "reason" => "harmless" }] }], given.values_at("quiesce", "pii")
    assert_equal "our staging", given["masking"]["staging_password"]
  end

  def test_a_part_is_handed_over_as_rules_and_references
    config = staging_config
    config.limits = { "logs" => { max_rows: 10, order_by: "created_at", direction: "asc" } }
    limit = { "table" => "logs", "option" => "limits", "rows" => 10, "order_by" => ["created_at"], "descending" => false }
    assert_equal({ "tables" => [limit], "others" => "whole", "references" => [] }, to_engine(config)["subset"])
    config.subset = { "users" => :referenced, orders: { where: "total > 1", last: 5, by: :placed_at, on_missing: { user_id: :nullify } } }
    config.subset_references = { "comments.subject_id" => { "subject_type" => { "User" => "users", "Admin" => "users", "Post" => { "posts" => :ref } } } }
    part = to_engine(config)["subset"]
    assert_equal "follow", part["others"]
    assert_equal({ "table" => "users", "option" => "subset", "keep" => "referenced" }, part["tables"][0])
    assert_equal({ "table" => "orders", "option" => "subset", "where" => "total > 1", "rows" => 5, "order_by" => ["placed_at"], "descending" => true,
                   "nullify_all" => false, "nullify" => ["user_id"], "allow_empty" => false }, part["tables"][1])
    common = { "table" => "comments", "columns" => ["subject_id"], "type_column" => "subject_type", "nothing" => false }
    assert_equal [common.merge("references" => "users", "referenced_columns" => [], "types" => %w[User Admin]),
                  common.merge("references" => "posts", "referenced_columns" => ["ref"], "types" => ["Post"])], part["references"]
  end

  def test_references_are_handed_over_without_a_rule_too_and_change_no_fingerprint_then
    config = staging_config
    print = to_engine(config)["fingerprint"]
    config.subset_references = { "a.b_id" => "b" }
    part = to_engine(config)["subset"]
    assert_equal [[], "whole", ["a"]], [part["tables"], part["others"], part["references"].map { |one| one["table"] }]
    assert_equal print, to_engine(config)["fingerprint"]
  end

  def test_tables_of_one_call_replace_those_of_the_configuration
    config = staging_config
    config.include_tables = ["users"]
    assert_equal ["users"], to_engine(config)["include_tables"]
    ENV["TABLES"] = "orders, lines*"
    assert_equal [["orders", "lines*"], "TABLES"], to_engine(config).values_at("include_tables", "include_tables_from")
  ensure
    ENV.delete("TABLES")
  end

  def test_a_dump_computes_in_the_target_or_in_the_database_that_is_named_and_fills_none
    config = staging_config
    settings = ScalingoStagingSync::EngineSettings.new(config)
    ENV["DATABASE_URL"] = STAGING_URL
    assert_equal STAGING_URL, settings.workspace["url"].reveal
    config.workspace_url = "postgres://helper@elsewhere/scratch"
    assert_equal "postgres://helper@elsewhere/scratch", settings.workspace["url"].reveal
    assert_equal ["postgres://helper@elsewhere/scratch", true], [settings.dump_ahead["target"]["url"].reveal, settings.dump_ahead["alone"]]
    refute_includes config.inspect, "helper"
    config.workspace_url = nil
    ENV.delete("DATABASE_URL")
    assert_nil settings.workspace
    assert_equal settings.dump["target"]["url"].reveal, settings.dump_ahead["target"]["url"].reveal
    refute_equal STAGING_URL, settings.dump["target"]["url"].reveal
    assert_raises(ScalingoStagingSync::ConfigurationError) { settings.to_h }
  end

  def test_the_fingerprint_knows_which_part_of_production_is_copied
    config = staging_config
    prints = [to_engine(config)["fingerprint"]]
    config.subset = { "users" => { last: 5 } }
    prints << to_engine(config)["fingerprint"]
    config.include_tables = ["users"]
    prints << to_engine(config)["fingerprint"]
    assert_equal 3, prints.uniq.size
  end

  def test_the_fingerprint_knows_whether_staging_is_quiet_and_nothing_of_the_password
    config = staging_config
    prints = [to_engine(config)["fingerprint"]]
    config.staging_password = "our staging"
    prints << to_engine(config)["fingerprint"]
    config.staging_password = "another one"
    assert_equal prints.last, to_engine(config)["fingerprint"]
    config.quiesce = false
    prints << to_engine(config)["fingerprint"]
    assert_equal prints.uniq, prints
    refute_includes config.inspect, "another one"
  end

  def test_the_leak_check_goes_with_the_search_for_personal_data
    config = staging_config
    config.leak_check_names = true
    assert_equal({ "enabled" => true, "names" => true }, to_engine(config)["leak_check"])
    config.run_pii_scan = false
    refute to_engine(config)["leak_check"]["enabled"]
    config.run_pii_scan = true
    config.leak_check = false
    refute to_engine(config)["leak_check"]["enabled"]
  end

  def test_rules_in_sql_are_kept_apart_from_masks
    ScalingoStagingSync::Database::AnonymizationStrategies.register_strategy(:hipaa) do |table, condition|
      ["UPDATE #{table} SET ssn = 'XXX'", condition].compact.join(" WHERE ")
    end
    config = staging_config
    config.anonymization_tables = [
      { table: "users", strategy: :user_anonymization, condition: "id > 3" },
      { table: "orders", query: "DELETE FROM orders", condition: "id > 4", reads: [:tags], translation: "commandes" },
      { table: "patients", strategy: :hipaa, condition: "id > 5" }
    ]
    config.anonymization_rules = { "users" => { note: "'x'", "join" => "'a column'", join: "tags.id = users.id", reads: ["tags"] } }
    masking = to_engine(config)["masking"]
    assert_equal [{ "table" => "users", "strategy" => "user_anonymization", "condition" => "id > 3" }],
                 unnamed(masking["rules"])
    assert_equal(
      [
        { "table" => "orders", "reads" => ["tags"], "translation" => "commandes", "query" => "DELETE FROM orders",
          "condition" => "id > 4" },
        { "table" => "patients", "reads" => [], "translation" => nil,
          "query" => "UPDATE patients SET ssn = 'XXX' WHERE id > 5" },
        { "table" => "users", "columns" => [["note", "'x'"], ["join", "'a column'"]], "condition" => nil,
          "join" => "tags.id = users.id", "reads" => ["tags"] }
      ], unnamed(masking["sql_rules"])
    )
    assert_equal ['{ table: "orders", query: "DELETE FROM orders", condition: "id > 4" }',
                  '{ table: "patients", strategy: :hipaa, condition: "id > 5" }', 'config.anonymization_rules["users"]'],
                 masking["sql_rules"].map { |rule| rule["name"] }
  end

  def test_columns_masks_and_kept_values_reach_the_engine_as_strings
    config = staging_config
    config.anonymization_tables = [
      { table: :people, keep: { email: ["*@ours.example"] },
        columns: { email: :email, "phone" => { mask: :phone, country: "FR" },
                   data: { mask: :json, scrub: true, paths: { "$.a" => { mask: :hash, length: 20 } } } } }
    ]
    assert_equal(
      [{ "table" => "people", "keep" => { "email" => ["*@ours.example"] },
         "columns" => { "email" => "email", "phone" => { "mask" => "phone", "country" => "FR" },
                        "data" => { "mask" => "json", "scrub" => true,
                                    "paths" => { "$.a" => { "mask" => "hash", "length" => 20 } } } } }],
      unnamed(to_engine(config)["masking"]["rules"])
    )
  end

  def test_the_fingerprint_changes_with_the_rules_and_not_with_the_key
    config = staging_config
    settings = ScalingoStagingSync::EngineSettings.new(config)
    before = settings.fingerprint
    config.anonymization_secret = "27c4e8b06a9f13d5708be2c61f94da35"
    assert_equal before, settings.fingerprint
    config.exclude_tables = ["sessions"]
    refute_equal before, settings.fingerprint
  end

  # The names of each struct's fields in ext/engine/src/settings, so that the two sides cannot drift apart.
  def test_every_key_is_a_field_of_the_engines_struct
    rust = Dir[File.expand_path("../../ext/engine/src/settings{.rs,/*.rs}", __dir__)].map { |file| File.read(file) }.join
    fields = rust.scan(/pub struct (\w+) \{(.*?)\n\}/m).to_h.transform_values { |body| body.scan(/^    pub (\w+):/).flatten }
    settings = to_engine(staging_config)
    {
      "Settings" => settings, "TargetSettings" => settings["target"], "Masking" => settings["masking"],
      "Rule" => settings["masking"]["rules"].first, "Scalingo" => settings["source"]["scalingo"],
      "BaseUrls" => settings["source"]["scalingo"]["urls"]
    }.each do |struct, hash|
      assert_empty hash.keys - fields.fetch(struct), "#{struct} has no such field"
    end
  end

  def test_the_environment_overrides_base_urls_and_forces_a_download
    ENV.update("SCALINGO_AUTH_URL" => "http://127.0.0.1:1", "SCALINGO_API_URL" => "http://127.0.0.1:2",
               "SCALINGO_DB_URL" => "http://127.0.0.1:3", "FORCE_BACKUP_DOWNLOAD" => "true")
    scalingo = to_engine(staging_config)["source"]["scalingo"]
    assert_equal({ "auth" => "http://127.0.0.1:1", "api" => "http://127.0.0.1:2", "database" => "http://127.0.0.1:3" },
                 scalingo["urls"])
    assert scalingo["force_download"]
  end

  def test_a_kept_backup_goes_to_the_temporary_directory
    config = staging_config
    config.keep_backup = true
    config.temp_dir = "kept"
    assert_equal File.expand_path("kept"), to_engine(config)["source"]["scalingo"]["keep_in"]
  end

  def test_a_backup_file_needs_neither_app_nor_token_and_the_variable_wins
    config = staging_config
    config.clone_source_scalingo_app_name = ScalingoStagingSync::Configuration::PLACEHOLDER_APP
    config.scalingo_api_token = nil
    config.backup_file = "/data/one.tar.gz"
    assert_equal({ "file" => "/data/one.tar.gz" }, to_engine(config)["source"])
    with_env("BACKUP_FILE" => "/data/two.pgsql") do
      assert_equal({ "file" => "/data/two.pgsql" }, to_engine(config)["source"])
    end
  end

  def test_the_target_is_database_url_and_else_scalingos_own
    config = staging_config
    ENV["SCALINGO_POSTGRESQL_URL"] = "postgres://other/db"
    assert_equal STAGING_URL, to_engine(config)["target"]["url"]
    ENV.delete("DATABASE_URL")
    assert_equal "postgres://other/db", to_engine(config)["target"]["url"]
  end

  def test_what_is_missing_is_named_with_a_remedy
    {
      ->(config) { config.clone_source_scalingo_app_name = "your-production-app" } => "clone_source_scalingo_app_name",
      ->(config) { config.scalingo_api_token = nil } => "SCALINGO_API_TOKEN",
      ->(config) { config.anonymization_secret = nil } => "config.anonymization_secret"
    }.each do |change, named|
      config = staging_config
      change.call(config)
      error = assert_raises(ScalingoStagingSync::ConfigurationError) { to_engine(config) }
      assert_includes error.remedy, named
      ScalingoStagingSync.reset_configuration!
    end
  end

  private

  def unnamed(rules) = rules.map { |rule| rule.except("name") }
end

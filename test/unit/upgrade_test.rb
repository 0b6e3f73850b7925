# frozen_string_literal: true

require "test_helper"
require "json"
require_relative "../support/app_process"

# Initializers as 0.1 documented them, and as people wrote them: an app with one boots, everywhere, and what each says is
# taken. The examples are in this gem's own words.
class UpgradeTest < Minitest::Test
  include AppProcess

  # Every option that 0.1 had.
  EVERYTHING = <<~RUBY
    ScalingoStagingSync.configure do |config|
      config.clone_source_scalingo_app_name = "bakery-production"
      config.production_hostname_patterns = [/prod/i, /production/i, /\\.rds\\./]
      config.production_app_name_patterns = [/prod/i, /production/i, /-main$/]
      config.require_confirmation = false
      config.dry_run = false
      config.anonymization_tables = [
        { table: "users", strategy: :user_anonymization, translation: "clients" },
        { table: "phone_numbers", strategy: :phone_anonymization, condition: "verified_at < NOW() - INTERVAL '30 days'" },
        { table: "payment_methods", strategy: :payment_anonymization },
        { table: "addresses", strategy: :address_anonymization },
        { table: "newsletters", strategy: :email_anonymization },
        { table: "devices", query: "UPDATE devices SET push_token = NULL" },
        { table: "visits", query: "DELETE FROM visits WHERE seen_at < NOW() - INTERVAL '2 days'", condition: nil }
      ]
      config.anonymization_rollback_on_error = true
      config.anonymization_retry_attempts = 5
      config.anonymization_retry_delay = 2
      config.verify_anonymization = true
      config.fail_on_verification_error = true
      config.pii_detection_patterns = nil
      config.anonymization_audit_file = "tmp/audit_of_the_bakery"
      config.run_pii_scan = true
      config.parallel_connections = 4
      config.exclude_tables = %w[carts visits]
      config.slack_webhook_url = "https://hooks.slack.com/services/T0/B0/x"
      config.slack_channel = "#bakery"
      config.slack_enabled = true
      config.seeds_file_path = Rails.root.join("db/seeds/staging.rb")
      config.postgis = false
      config.logger = Rails.logger
      config.temp_dir = Rails.root.join("tmp")
    end
  RUBY

  # As people wrote them: with the environment, with nothing, by adding.
  BY_HABIT = <<~RUBY
    ScalingoStagingSync.configure do |config|
      config.clone_source_scalingo_app_name = ENV.fetch("SYNC_SOURCE", "bakery-production")
      config.slack_webhook_url = ENV.fetch("SLACK_WEBHOOK_URL", "")
      config.slack_channel = ""
      config.slack_enabled = ENV["SLACK_WEBHOOK_URL"].present?
      config.seeds_file_path = ""
      config.anonymization_audit_file = ENV["AUDIT_FILE"]
      config.exclude_tables = nil
      config.exclude_tables += ["carts"]
      config.exclude_tables << "visits"
      config.anonymization_tables = nil
      config.anonymization_tables << { table: :users, strategy: "user_anonymization" }
      config.dry_run = ENV["SYNC_DRY_RUN_OF_THE_BAKERY"]
      config.require_confirmation = ENV["ASK"]
      config.parallel_connections = ENV.fetch("CONNECTIONS", "6")
      config.anonymization_retry_attempts = "2"
      config.anonymization_retry_delay = "0.5"
      config.pii_detection_patterns = { contact: /\\bmail\\b/i, loyalty: /\\bcard\\b/i }
      config.pii_detection_patterns[:bakery] = /\\bbaker\\b/i
      config.logger = nil
      config.temp_dir = nil
    end
  RUBY

  # Expressions for columns, and strategies of one's own, before and after they are named.
  IN_SQL = <<~RUBY
    ScalingoStagingSync::Database::AnonymizationStrategies.register_strategy(:forget_allergies) do |table, condition|
      sql = <<~SQL.squish
        UPDATE \#{table}
        SET allergies = NULL,
            born_on = DATE '1980-06-15'
      SQL
      condition ? "\#{sql} WHERE \#{condition}" : sql
    end

    ScalingoStagingSync.configure do |config|
      config.clone_source_scalingo_app_name = "bakery-production"
      config.exclude_tables = ["api_logs", "hooks"]
      config.anonymization_tables = [{ table: "eaters", strategy: :forget_allergies, condition: "kept = false" },
                                     { table: "staff", strategy: :user_anonymization }]
      config.anonymization_rules = {
        "customers" => { "email" => "CONCAT('eater', id, '@bakery.test')", "phone" => "'555-0199'" },
        "members" => { "email" => "CONCAT('member', id, '@', shops.slug, '.test')", "api_token" => "NULL" },
        "ledgers" => { "account_number" => "CONCAT('****', RIGHT(id::text, 4))", "balance" => "ROUND(RANDOM() * 500, 2)" }
      }
    end

    ScalingoStagingSync::Database::AnonymizationStrategies.register_strategy(:user_anonymization) { |table, _| "UPDATE \#{table} SET name = 'Baker'" }
  RUBY

  # One initializer for several environments.
  BY_ENVIRONMENT = <<~RUBY
    ScalingoStagingSync.configure do |config|
      case Rails.env
      when "staging"
        config.clone_source_scalingo_app_name = "bakery-production"
        config.slack_channel = "#staging"
      when "demo"
        config.clone_source_scalingo_app_name = "bakery-staging"
        config.slack_channel = "#demo"
      end
    end
  RUBY

  INITIALIZERS = { everything: EVERYTHING, by_habit: BY_HABIT, in_sql: IN_SQL, by_environment: BY_ENVIRONMENT }.freeze

  # Boots an app with an initializer and prints what the block's code says.
  def boot(initializer, code = "", rails_env: "staging", &)
    in_app(<<~RUBY, { "RAILS_ENV" => rails_env }, &)
      require "fileutils"
      FileUtils.mkdir_p("config/initializers")
      File.write("config/initializers/scalingo_staging_sync.rb", #{initializer.dump})
      Rails.application.initialize!
      config = ScalingoStagingSync.configuration
      puts "booted", config.problems, config.warnings
      #{code}
    RUBY
  end

  def test_every_initializer_boots_in_every_environment_and_nothing_in_it_is_refused
    all = INITIALIZERS.map do |name, initializer|
      "#{initializer}\nputs #{name.to_s.dump}, ScalingoStagingSync.configuration.problems\nScalingoStagingSync.reset_configuration!\n"
    end
    %w[staging production development demo].each do |rails_env|
      boot(all.join("\n"), rails_env:) do |output, status, _|
        assert_predicate status, :success?, output
        assert_equal [*INITIALIZERS.keys.map(&:to_s), "booted"], output.lines(chomp: true).reject(&:empty?), rails_env
      end
    end
  end

  def test_what_people_wrote_by_habit_means_what_it_says
    boot(BY_HABIT, <<~RUBY) do |output, _, _|
      puts [config.exclude_tables, config.anonymization_tables, config.dry_run, config.parallel_connections, config.slack_webhook_url,
            config.anonymization_retry_delay, config.pii_detection_patterns.keys, config.seeds_file_path].to_json
    RUBY
      assert_equal [%w[carts visits], [{ "table" => "users", "strategy" => "user_anonymization" }], false, 6, nil, 0.5,
                    %w[contact loyalty bakery], nil], JSON.parse(output.lines.last)
    end
  end

  def test_what_changed_its_meaning_is_said_at_boot_with_its_line_by_rails_own_deprecator
    boot(<<~RUBY, "p Rails.application.deprecators[:scalingo_staging_sync].equal?(ScalingoStagingSync.deprecator)") do |output, status, _|
      ScalingoStagingSync.configure do |config|
        config.parallel_connections = 16
        config.verify_anonymization = nil
      end
    RUBY
      assert_predicate status, :success?, output
      deprecations = output.lines.grep(/DEPRECATION WARNING/)
      assert_equal 2, deprecations.size, output
      assert_match(/parallel_connections = 16 is taken as 8.*scalingo_staging_sync\.rb:2\)/, deprecations[0])
      assert_match(/verify_anonymization = nil.*scalingo_staging_sync\.rb:3\)/, deprecations[1])
      assert_includes output.lines(chomp: true), "true"
    end
  end

  def test_the_apps_own_setting_for_deprecations_holds
    code = "config.active_support.deprecation = :silence\nconfig.active_support.report_deprecations = false\n"
    boot("ScalingoStagingSync.configure { |config| config.parallel_connections = 16 }",
         "p config.parallel_connections") { |output, *| assert_includes output, "DEPRECATION" }
    in_app(<<~RUBY) { |output, *| assert_equal ["8"], output.lines(chomp: true) }
      class ShopApp
        #{code}
      end
      File.write("late.rb", "ScalingoStagingSync.configure { |config| config.parallel_connections = 16 }")
      Rails.application.initialize!
      load "./late.rb"
      p ScalingoStagingSync.configuration.parallel_connections
    RUBY
  end
end

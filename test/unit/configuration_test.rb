# frozen_string_literal: true

require "test_helper"
require "active_support/core_ext/integer/time"
require "active_support/core_ext/numeric/time"

class ConfigurationTest < Minitest::Test
  Configuration = ScalingoStagingSync::Configuration

  DOCUMENTED_DEFAULTS = {
    clone_source_scalingo_app_name: "your-production-app",
    production_hostname_patterns: [/prod/i, /production/i],
    production_app_name_patterns: [/prod/i, /production/i],
    allowed_environments: nil, require_confirmation: false, dry_run: false,
    anonymization_tables: [], anonymization_rules: {}, anonymization_rollback_on_error: true,
    anonymization_retry_attempts: 3, anonymization_retry_delay: 1.0,
    verify_anonymization: true, fail_on_verification_error: true, pii_detection_patterns: nil,
    anonymization_audit_file: nil, run_pii_scan: true, parallel_connections: 3, exclude_tables: [],
    slack_enabled: false, slack_webhook_url: nil, slack_channel: nil, slack_locale: :fr, locale: :en, seeds_file_path: nil, postgis: false,
    scalingo_region: "osc-fr1", scalingo_addon_id: nil, scalingo_api_token: nil, backup_file: nil, backup_url: nil,
    backup_max_age: nil, keep_backup: false, anonymized_email_domain: "demo.example.com", anonymization_secret: nil,
    allow_unmasked_copy: false, lock_timeout: 30.0, stall_timeout: 300.0, terminate_connections: true, include_foreign_servers: false,
    run_migrations: true, record_environment: true, pii_policy: :warn, pii_sample_rows: 1000, pii_ignore: {},
    leak_check: true, leak_check_names: false, exclude_large_objects: false, quiesce: true, staging_password: nil,
    subset: {}, limits: {}, subset_references: {}, include_tables: [], keep_tables: [], reset_counters: false,
    retention: nil, data_max_age: nil,
    archive_file: nil, dump_compression: :gzip, source_url: nil, source_token: nil, publish_service: nil, publish_keep: 3,
    workspace_url: nil, seal_key: nil,
    server_enabled: false, server_in_production: false, on_object_error: :leave_out, exclude_objects: []
  }.freeze

  # For each option values that it takes, and values that it does not.
  VALUES = {
    clone_source_scalingo_app_name: [["my-app"], [1, :app]],
    scalingo_api_token: [["tk-us-1"], [1]],
    scalingo_region: [["osc-secnum-fr1"], [:"osc-fr1"]],
    scalingo_addon_id: [["ad-1"], [1]],
    backup_max_age: [[0, 3600, 1.5, 12.hours, "60"], [-1, "12h", Float::NAN, Float::INFINITY, 1i]],
    backup_file: [["tmp/a.tar.gz", Pathname("a")], [1]],
    backup_url: [["https://store.example.com/a?signature=x"], ["store.example.com/a", "ftp://x/a", 1]],
    keep_backup: [[true, false, "true", "no"], ["perhaps", 1]],
    production_hostname_patterns: [[[/x/], []], ["prod", ["prod"], /x/]],
    production_app_name_patterns: [[[/x/], []], ["prod", ["prod"], /x/]],
    allowed_environments: [[%w[staging], [:staging], []], ["staging", [1], [""]]],
    require_confirmation: [[true, "yes"], ["perhaps"]],
    dry_run: [[true, "1"], ["perhaps"]],
    anonymization_tables: [
      [[], [{ table: "users", strategy: :user_anonymization }], [{ "table" => :users, "query" => "UPDATE" }],
       [{ table: "a", strategy: :b, condition: "x", translation: "é" }], [{ table: "a", columns: { b: :c } }],
       [{ table: "a", columns: { "b" => { mask: :phone, country: "FR" } }, keep: { b: ["x*"] } }]],
      [{}, [[]], [{}], [{ table: "users" }], [{ table: "a", strategy: :b, query: "c" }],
       [{ table: "", strategy: :b }], [{ table: "a", strategy: 1 }], [{ table: "a", strategy: :b, other: 1 }],
       [{ table: "a", strategy: :b, translation: 1 }], [{ table: "a", strategy: :b, columns: { b: :c } }],
       [{ table: "a", columns: {} }], [{ table: "a", columns: { b: 1 } }], [{ table: "a", columns: { b: { country: "FR" } } }],
       [{ table: "a", keep: { b: ["x"] } }], [{ table: "a", strategy: :b, keep: ["x"] }],
       [{ table: "a", strategy: :b, keep: { b: "x" } }]]
    ],
    anonymization_rules: [[{}, { "a" => { "b" => "NULL" } }], [[], { "a" => "b" }, { "a" => { "b" => 1 } }]],
    anonymization_secret: [[SECRET], ["short", 1, "a" * 16]],
    anonymized_email_domain: [["demo.test"], ["demo", "a b.c", "@demo.test", "-a.b", "a..b", 1]],
    allow_unmasked_copy: [[true], [1]],
    anonymization_rollback_on_error: [[false], [0]],
    anonymization_retry_attempts: [[0, 5, "3"], [-1, 1.5, "three", 101, "101"]],
    anonymization_retry_delay: [[0, 0.5, 2, "1", "0.5"], [-1, "-1", "1s", Float::NAN]],
    verify_anonymization: [[false], [0]],
    fail_on_verification_error: [[false], [0]],
    anonymization_audit_file: [["tmp/a.json", Pathname("tmp/a")], [1]],
    run_pii_scan: [[false], [0]],
    pii_detection_patterns: [[{ identity: /ssn/ }, { "identity" => /ssn/ }, { other: /ssn/ }], [{ identity: "ssn" }, [/ssn/], { 1 => /ssn/ }]],
    pii_policy: [[:warn, :fail, :mask, "mask"], [:stop, "stop", 1]],
    pii_sample_rows: [[0, 1000, :all, "all", "500"], [-1, "none", 1.5]],
    pii_ignore: [[{}, { "products.name" => "goods" }], [["products.name"], { "products.name" => "" }, { "products" => "goods" }]],
    country: [%w[FR gb], ["France", "F1", 1]],
    leak_check: [[false], [0]],
    leak_check_names: [[true], [1]],
    quiesce: [[false], [0]],
    staging_password: [["our staging"], ["x" * 73, "a\0b", 1]],
    dump_compression: [[:gzip, :zstd, :lz4, :none, "zstd"], [:bzip2, "best", 6]],
    archive_file: [["tmp/staging.dump", Pathname("a")], [1, "https://x/y"]],
    publish_service: [["amazon"], [:amazon, 1]],
    workspace_url: [["postgres://u:p@host:5432/db", "postgresql://host/db?sslmode=require"], ["mysql://host/db", "host/db", "https://x/", 1]],
    publish_keep: [[1, "5", 100], [0, 101, "many"]],
    source_url: [["https://staging.example.com/x", "http://localhost:3000/x"], ["staging.example.com", "https://u:p@x/", "https://x/?a", 1]],
    source_token: [["t" * 64], [1]],
    retention: [[90.days, 0, "3600"], [-1, "90d"]],
    data_max_age: [[30.days, "3600"], [-1, "30d"]],
    seal_key: [["ab" * 32], ["ab", "x" * 64, 1]],
    server_enabled: [[true], [1]],
    server_in_production: [[true], [1]],
    exclude_large_objects: [[true], [1]], exclude_objects: [[["INDEX a", :b]], ["INDEX a", [1]]],
    on_object_error: [[:leave_out, :fail, "fail"], [:stop, 1]],
    parallel_connections: [[1, 8, "4"], [0, 2.5, "many"]],
    exclude_tables: [[[], ["a", :b]], ["a", [1], [""]]],
    include_tables: [[[], ["a", :b]], ["a", [1], [""]]],
    keep_tables: [[[], ["a", :b]], ["a", [1], [""]]],
    reset_counters: [[true, false, "yes"], ["perhaps", 2]],
    subset: [
      [{}, { "a" => { where: "id = 1" } }, { a: :all, "b" => "referenced" }, { "a" => { "last" => 3, "by" => :at } }, { "a" => { first: 3, by: %w[at id] } },
       { "a" => { where: "x", last: 1, on_missing: :nullify } }, { "a" => { on_missing: { b_id: "nullify" } } }, { "a" => { where: "x", allow_empty: true } }],
      [[], ["a"], { "a" => :some }, { "a" => {} }, { "a" => { where: "" } }, { "a" => { last: 0 } }, { "a" => { last: 1, first: 1 } }, { "a" => { by: :at } },
       { "a" => { limit: 3 } }, { "a" => { on_missing: :drop } }, { "a" => { on_missing: {} } }, { "a" => { where: "x", allow_empty: 1 } }, { 1 => :all }]
    ],
    limits: [
      [{}, { "a" => { max_rows: 5 } }, { a: { "max_rows" => 5, "order_by" => "at", "direction" => "asc" } }, { "a" => { max_rows: 1, direction: :desc } }],
      [[], { "a" => {} }, { "a" => { max_rows: 0 } }, { "a" => { order_by: "at" } }, { "a" => { max_rows: 1, direction: "up" } }, { "a" => :all }, { "a" => { max_rows: 1, by: 1 } }]
    ],
    subset_references: [
      [{}, { "a.b_id" => "b" }, { "a.b_ref" => { "b" => "ref" } }, { "s.a.x, y" => { "b" => %w[x y] } }, { "a.of_id" => { "of_type" => { "B" => "b", "C" => { "c" => :ref } } } }],
      [[], { "a" => "b" }, { "a.b" => 1 }, { "a.b" => {} }, { "a.b" => { "t" => {} } }, { "a.b" => { "t" => { "B" => 1 } } }, { ".b" => "c" }]
    ],
    lock_timeout: [[1, 0.5, "30"], [0, -1, "0"]],
    stall_timeout: [[1, 2.5, "300"], [0, 0.5, "0"]],
    terminate_connections: [[false], [0]],
    include_foreign_servers: [[true], [1]],
    postgis: [[true], [1]],
    run_migrations: [[false], [0]],
    record_environment: [[false], [0]],
    slack_enabled: [[true], [1]],
    slack_webhook_url: [["https://hooks.example.com/x"], ["hooks.example.com", "ftp://x", 1]],
    slack_locale: [[:fr, :en, "fr"], [:de, "de"]], locale: [[:fr, :en, "en"], [:de, "de"]],
    slack_channel: [["#deployments"], [:channel]],
    seeds_file_path: [["db/demo_seeds.rb", Pathname("db/seeds.rb")], [1]],
    logger: [[Logger.new(nil)], [$stdout, "log"]],
    temp_dir: [["/mnt/tmp", Pathname("/mnt/tmp")], [1]]
  }.freeze

  def setup
    @config = Configuration.new
  end

  def test_every_option_has_its_documented_default
    DOCUMENTED_DEFAULTS.each do |name, default|
      default.nil? ? assert_nil(@config.public_send(name), name) : assert_equal(default, @config.public_send(name), name)
    end
    assert_equal Dir.tmpdir, @config.temp_dir
    assert_respond_to @config.logger, :info
    assert_equal "FR", @config.country
    assert_equal Configuration.options.keys.sort, (DOCUMENTED_DEFAULTS.keys + %i[temp_dir logger country]).sort
  end

  def test_every_option_takes_what_its_documentation_says_and_nothing_else
    deliberately_mistyped
    assert_equal Configuration.options.keys.sort, VALUES.keys.sort
    VALUES.each do |name, (taken, refused)|
      taken.each { |value| @config.public_send(:"#{name}=", value) }
      refused.each do |value|
        error = assert_raises(ArgumentError, "#{name} took #{value.inspect}") { @config.public_send(:"#{name}=", value) }
        kind = Configuration.options.fetch(name).kind
        said = kind.explain(value).map { |sentence| "config.#{name}: #{sentence}" }
        said = ["config.#{name} was given ", value.class.to_s, kind.expectation] if said.empty?
        said.each { |expected| assert_includes error.message, expected }
      end
    end
  end

  # As it would be, were it taken for a URL with credentials.
  def test_no_part_of_what_an_option_takes_is_hidden_in_a_message
    Configuration.options.each_value do |option|
      assert_equal option.kind.expectation, ScalingoStagingSync::Support::Echo.clean(option.kind.expectation), option.name
    end
  end

  def test_the_country_is_that_of_the_apps_locale
    { "pt-BR": "BR", de: "DE", fr: "FR", en: "FR" }.each do |locale, country|
      I18n.stub(:default_locale, locale) { assert_equal country, Configuration.new.country, locale }
    end
  end

  def test_a_refused_value_is_named_unless_it_is_a_secret
    deliberately_mistyped
    assert_includes assert_raises(ArgumentError) { @config.anonymization_retry_attempts = 900 }.message, "900 (Integer)"
    %i[scalingo_api_token anonymization_secret slack_webhook_url].each do |name|
      error = assert_raises(ArgumentError) { @config.public_send(:"#{name}=", [:hush]) }
      refute_includes error.message, "hush"
    end
    refute_includes assert_raises(ArgumentError) { @config.anonymization_secret = "hush" }.message, "hush"
  end

  def test_a_rule_of_a_part_without_a_table_is_said
    deliberately_mistyped
    error = assert_raises(ArgumentError) { @config.subset = { nil => :all } }
    assert_includes error.message, "nil: this is not a table's name; write one"
    secret = "postgres://someone:hush@host/db"
    error = assert_raises(ArgumentError) { @config.limits = { secret => { max_rows: 1 }, "users" => {} } }
    assert_match(/\[hidden.*: this is not a table's name;.*users: it has no :max_rows/m, error.message)
    refute_includes error.message, "hush"
  end

  def test_what_is_wrong_with_a_rule_of_a_part_is_said_of_its_table
    said = ->(name, value) { assert_raises(ArgumentError) { @config.public_send(:"#{name}=", value) }.message }
    assert_includes said.call(:subset, { "orders" => { lats: 3 } }), "orders: there is no key :lats; did you mean :last?"
    assert_includes said.call(:subset, { "orders" => { by: :id } }), "orders: :by orders the rows of :first or :last; it has neither, so give one of them."
    assert_includes said.call(:subset, { "a" => :every, "b" => { where: 1 } }), "a: it takes :all, :referenced or a Hash"
    assert_includes said.call(:subset, { "a" => :every, "b" => { where: 1 } }), "b: :where takes an SQL condition, a String."
    assert_includes said.call(:limits, { "logs" => { order_by: "id" } }), "logs: it has no :max_rows; say how many rows may come."
    assert_includes said.call(:limits, { "logs" => { max_rows: 2**63 } }), "logs: :max_rows takes a whole number of rows, from 1 to 9223372036854775807."
  end

  # Each suggestion is taken as it is written.
  ELSEWHERE = [
    [:subset, { max_rows: 1000, order_by: "created_at", direction: "asc" },
     'logs: :max_rows, :order_by, :direction are keys of limits; write { first: 1000, by: "created_at" } instead.'],
    [:subset, { where: "id > 5", max_rows: 9 }, 'logs: :max_rows is a key of limits; write { where: "id > 5", last: 9 } instead.'],
    [:limits, { first: 5, by: :at }, 'logs: :first, :by are keys of subset; write { max_rows: 5, order_by: :at, direction: "asc" } instead.'],
    [:limits, { where: "id > 5", max_rows: 9 },
     'logs: :where is a key of subset; remove this entry, and write "logs" => { where: "id > 5", last: 9 } under config.subset.'],
    [:limits, :all, 'or, under config.subset, "logs" => :all.']
  ].freeze

  def test_a_key_of_the_other_option_is_answered_with_what_this_one_takes
    ELSEWHERE.each do |option, rule, expected|
      message = assert_raises(ArgumentError) { @config.public_send(:"#{option}=", { "logs" => rule }) }.message
      assert_includes message, expected
      refute_includes message, "it has no :max_rows"
      suggested = expected[/write (\{.*\}) instead/, 1] || expected[/=> (:all|\{.*\})/, 1]
      option = :subset if expected.include?("under config.subset")
      @config.public_send(:"#{option}=", { "logs" => eval(suggested) })
    end
  end

  def test_a_text_in_a_condition_is_not_repeated_where_the_condition_belongs_elsewhere
    message = assert_raises(ArgumentError) { @config.limits = { "users" => { where: "email = 'ann@real.example'" } } }.message
    assert_includes message, '"users" => { where: "…" } under config.subset'
    refute_includes message, "ann"
  end

  def test_two_spellings_of_one_table_or_key_are_refused_and_both_are_named
    deliberately_mistyped
    said = ->(name, value) { assert_raises(ArgumentError) { @config.public_send(:"#{name}=", value) }.message }
    assert_includes said.call(:subset, { "users" => :all, users: { first: 1 } }), '"users" and :users are one table; give it one rule.'
    assert_includes said.call(:limits, { "logs" => { max_rows: 1 }, " logs" => { max_rows: 2 } }), '"logs" and " logs" are one table; give it one rule.'
    assert_includes said.call(:subset, { "users" => { where: "a", "where" => "b" } }), 'users: :where and "where" are one key; give it once.'
    assert_includes said.call(:limits, { "logs" => { max_rows: 1, "max_rows" => 2 } }), 'logs: :max_rows and "max_rows" are one key; give it once.'
    assert_includes said.call(:subset_references, { "a.b,c" => "u", "a.b, c": "v" }), '"a.b,c" and :"a.b, c" are one place; give it once.'
    @config.subset = { "users" => :all }
    @config.subset["users"] = { first: 1 }
    assert_equal({ first: 1 }, @config.subset["users"])
    config = configured { |c| c.tap { c.subset = { "users" => :all } }.subset[:users] = { first: 1 } }
    assert_includes config.problems.first, '"users" and :users are one table'
  end

  def test_a_duration_is_no_number_of_rows
    deliberately_mistyped
    %i[first last].each do |key|
      message = assert_raises(ArgumentError) { @config.subset = { "orders" => { key => 5.days } } }.message
      assert_includes message, "orders: #{key.inspect} takes a whole number of rows, from 1 to 9223372036854775807."
    end
    assert_includes assert_raises(ArgumentError) { @config.limits = { "logs" => { max_rows: 5.days } } }.message, "logs: :max_rows takes a whole number of rows"
    assert_raises(ArgumentError) { @config.pii_sample_rows = 5.days }
    assert_raises(ArgumentError) { @config.parallel_connections = 5.seconds }
    @config.lock_timeout = 5.seconds
    assert_in_delta 5.0, @config.lock_timeout
  end

  def test_each_reference_that_cannot_be_read_is_named
    message = assert_raises(ArgumentError) { @config.subset_references = { "a.b_id" => "b", "users" => "b", "c.d" => { "t" => {} } } }.message
    assert_includes message, '"users": it names no table and column; write table.column, or table.column,column for a key of several.'
    assert_includes message, '"c.d": what it refers to cannot be read; write a table, '
    refute_includes message, '"a.b_id":'
    message = assert_raises(ArgumentError) { @config.subset_references = { "users" => 5, "a.b" => { "t" => { "One" => "ones", One: "twos" } } } }.message
    ['"users": it names no table and column', '"users": what it refers to cannot be read', '"a.b": "One" and :One are one type; give it once.'].each do |expected|
      assert_includes message, expected
    end
  end

  def test_each_column_of_on_missing_that_is_wrong_is_named
    message = assert_raises(ArgumentError) { @config.subset = { "orders" => { on_missing: { user_id: :nulify, "editor_id" => :nullify, 5 => :nullify, b: 1 } } } }.message
    ["orders: :on_missing: user_id takes :nullify.", "orders: :on_missing: 5 is not a column's name; write one.", "orders: :on_missing: b takes :nullify."].each do |expected|
      assert_includes message, expected
    end
    refute_includes message, "editor_id"
    assert_includes assert_raises(ArgumentError) { @config.subset = { "a" => { on_missing: :drop } } }.message, "a: :on_missing takes :nullify, or a Hash from columns to :nullify."
  end

  def test_a_refused_value_leaves_the_option_as_it_was
    @config.parallel_connections = 5
    assert_raises(ArgumentError) { @config.parallel_connections = 0 }
    assert_equal 5, @config.parallel_connections
  end

  def test_nil_and_an_empty_string_mean_the_default_of_every_option
    deliberately_mistyped
    Configuration.options.each_key do |name|
      default = Configuration.new.public_send(name)
      [nil, "", " "].each do |nothing|
        ScalingoStagingSync.deprecator.silence { @config.public_send(:"#{name}=", nothing) }
        default.nil? ? assert_nil(@config.public_send(name)) : assert_equal(default, @config.public_send(name), name)
        refute @config.set?(name)
      end
    end
  end

  def test_words_stand_for_what_they_mean
    { dry_run: { "1" => true, "Yes" => true, "off" => false }, parallel_connections: { "4" => 4 }, lock_timeout: { "0.5" => 0.5 },
      backup_max_age: { "3600" => 3600 }, pii_policy: { "mask" => :mask, "Fail" => :fail }, slack_locale: { "en" => :en },
      pii_sample_rows: { "all" => :all, "10" => 10 } }.each do |name, meanings|
      meanings.each do |word, meaning|
        @config.public_send(:"#{name}=", word)
        assert_equal meaning, @config.public_send(name), name
      end
    end
  end

  def test_a_copy_is_one
    copy = @config.dup
    copy.exclude_tables << "sessions"
    copy.postgis = true
    assert_empty @config.exclude_tables
    refute @config.postgis
  end

  def test_nil_goes_back_to_a_default_found_at_run_time
    ENV["SCALINGO_API_TOKEN"] = "tk-us-env"
    @config.scalingo_api_token = "tk-us-set"
    assert_equal "tk-us-set", @config.scalingo_api_token
    @config.scalingo_api_token = nil
    assert_equal "tk-us-env", @config.scalingo_api_token
  end

  def test_region_and_backup_file_come_from_the_environment
    ENV.update("REGION_NAME" => "osc-secnum-fr1", "BACKUP_FILE" => "a.tar.gz")
    assert_equal "osc-secnum-fr1", @config.scalingo_region
    assert_equal "a.tar.gz", @config.backup_file
  end

  def test_the_target_app_is_the_variable_app_and_cannot_be_set
    assert_nil @config.target_app
    ENV["APP"] = "my-app-staging"
    assert_equal "my-app-staging", @config.target_app
    refute_respond_to @config, :target_app=
  end

  def test_entries_get_symbols_for_keys
    @config.anonymization_tables = [{ "table" => "users", "strategy" => "user_anonymization" }]
    assert_equal [{ table: "users", strategy: "user_anonymization" }], @config.anonymization_tables
  end

  def test_a_duration_is_kept_in_seconds
    @config.backup_max_age = 12.hours
    assert_equal 43_200, @config.backup_max_age
    @config.backup_max_age = 0.2
    assert_equal 1, @config.backup_max_age
  end

  def test_inspecting_shows_no_secret
    @config.scalingo_api_token = "tk-us-hush"
    @config.slack_webhook_url = "https://hooks.example.com/hush"
    @config.parallel_connections = 4
    refute_includes @config.inspect, "hush"
    assert_includes @config.inspect, "parallel_connections=4"
  end

  def test_configure_yields_the_configuration_and_reset_forgets_it
    ScalingoStagingSync.configure { |config| config.postgis = true }
    assert ScalingoStagingSync.configuration.postgis
    ScalingoStagingSync.reset_configuration!
    refute ScalingoStagingSync.configuration.postgis
  end

  def test_an_option_that_is_only_read_while_configuring_stays_unset
    config = ScalingoStagingSync.configure do |c|
      c.allowed_environments
      c.pii_detection_patterns.keys
    end
    assert_nil config.allowed_environments
    assert_nil config.pii_detection_patterns
    refute config.set?(:allowed_environments)
  end
end

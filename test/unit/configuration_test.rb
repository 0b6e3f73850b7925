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
    slack_enabled: false, slack_webhook_url: nil, slack_channel: nil, slack_locale: :fr, seeds_file_path: nil, postgis: false,
    scalingo_region: "osc-fr1", scalingo_addon_id: nil, scalingo_api_token: nil, backup_file: nil,
    backup_max_age: nil, keep_backup: false, anonymized_email_domain: "demo.example.com", anonymization_secret: nil,
    allow_unmasked_copy: false, lock_timeout: 30.0, terminate_connections: true, include_foreign_servers: false,
    run_migrations: true, record_environment: true, pii_policy: :warn, pii_sample_rows: 1000, pii_ignore: {},
    leak_check: true, leak_check_names: false, exclude_large_objects: false, quiesce: true, staging_password: nil
  }.freeze

  # For each option values that it takes, and values that it does not.
  VALUES = {
    clone_source_scalingo_app_name: [["my-app"], [1, :app]],
    scalingo_api_token: [["tk-us-1"], [1]],
    scalingo_region: [["osc-secnum-fr1"], [:"osc-fr1"]],
    scalingo_addon_id: [["ad-1"], [1]],
    backup_max_age: [[0, 3600, 1.5, 12.hours, "60"], [-1, "12h", Float::NAN, Float::INFINITY, 1i]],
    backup_file: [["tmp/a.tar.gz", Pathname("a")], [1]],
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
    leak_check: [[false], [0]],
    leak_check_names: [[true], [1]],
    quiesce: [[false], [0]],
    staging_password: [["our staging"], ["x" * 73, "a\0b", 1]],
    exclude_large_objects: [[true], [1]],
    parallel_connections: [[1, 8, "4"], [0, 2.5, "many"]],
    exclude_tables: [[[], ["a", :b]], ["a", [1], [""]]],
    lock_timeout: [[1, 0.5, "30"], [0, -1, "0"]],
    terminate_connections: [[false], [0]],
    include_foreign_servers: [[true], [1]],
    postgis: [[true], [1]],
    run_migrations: [[false], [0]],
    record_environment: [[false], [0]],
    slack_enabled: [[true], [1]],
    slack_webhook_url: [["https://hooks.example.com/x"], ["hooks.example.com", "ftp://x", 1]],
    slack_locale: [[:fr, :en, "fr"], [:de, "de"]],
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
    assert_equal Configuration.options.keys.sort, (DOCUMENTED_DEFAULTS.keys + %i[temp_dir logger]).sort
  end

  def test_every_option_takes_what_its_documentation_says_and_nothing_else
    deliberately_mistyped
    assert_equal Configuration.options.keys.sort, VALUES.keys.sort
    VALUES.each do |name, (taken, refused)|
      taken.each { |value| @config.public_send(:"#{name}=", value) }
      refused.each do |value|
        error = assert_raises(ArgumentError, "#{name} took #{value.inspect}") { @config.public_send(:"#{name}=", value) }
        assert_includes error.message, "config.#{name} "
        assert_includes error.message, value.class.to_s
        assert_includes error.message, Configuration.options.fetch(name).kind.expectation
      end
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

  def test_a_refused_value_leaves_the_option_as_it_was
    @config.parallel_connections = 5
    assert_raises(ArgumentError) { @config.parallel_connections = 0 }
    assert_equal 5, @config.parallel_connections
  end

  def test_adding_to_a_list_changes_no_default
    @config.exclude_tables += ["sessions"]
    @config.production_hostname_patterns += [/live/]
    assert_equal ["sessions"], @config.exclude_tables
    assert_empty Configuration.new.exclude_tables
    assert_equal [/prod/i, /production/i], Configuration.new.production_hostname_patterns
  end

  def test_later_changes_to_a_given_list_or_string_do_not_reach_the_configuration
    list = [+"sessions"]
    @config.exclude_tables = list
    list.first << "x"
    list << "other"
    assert_equal ["sessions"], @config.exclude_tables
  end

  # As in an initializer: what is wrong there is kept for the tasks.
  def configured(&)
    ScalingoStagingSync.reset_configuration!
    ScalingoStagingSync.configuration.logger = Logger.new(log)
    ScalingoStagingSync.configure(&)
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

  def test_lists_and_hashes_can_be_added_to_in_every_way
    deliberately_mistyped
    config = configured do |c|
      c.exclude_tables << "sessions" << :audit_logs
      c.exclude_tables.concat(["carts"])
      c.exclude_tables += ["logs"]
      c.production_hostname_patterns << /live/
      c.anonymization_tables << { "table" => "users", "strategy" => "user_anonymization" }
      c.anonymization_tables.push({ table: "notes", columns: { body: :text } })
      c.anonymization_tables.last[:columns][:title] = :text
      c.anonymization_rules["orders"] = { note: "NULL" }
      c.anonymization_rules["orders"]["email"] = "NULL"
      c.pii_ignore["products.name"] = "goods"
      c.pii_detection_patterns = { identity: /ssn/ }
      c.pii_detection_patterns[:legal] = /case/
      c.pii_detection_patterns.merge!(medical: /diagnosis/)
    end
    assert_empty config.problems
    assert_equal %w[sessions audit_logs carts logs], config.exclude_tables
    assert_equal [/prod/i, /production/i, /live/], config.production_hostname_patterns
    assert_equal [{ table: "users", strategy: "user_anonymization" }, { table: "notes", columns: { body: :text, title: :text } }],
                 config.anonymization_tables
    assert_equal({ "orders" => { "note" => "NULL", "email" => "NULL" } }, config.anonymization_rules)
    assert_equal({ "products.name" => "goods" }, config.pii_ignore)
    assert_equal %i[identity legal medical], config.pii_detection_patterns.keys
    assert config.set?(:pii_ignore)
    assert_empty Configuration.new.exclude_tables
    assert_empty Configuration.new.anonymization_rules
  end

  def test_what_is_added_is_checked_as_if_it_had_been_set
    deliberately_mistyped
    config = configured do |c|
      c.exclude_tables << 7
      c.anonymization_tables << { table: "users", stratgy: :x }
    end
    assert_equal 2, config.problems.size
    assert_includes config.problems.join, "7 (Integer) was added to config.exclude_tables, which takes an Array of Strings."
    assert_includes config.problems.join, "did you mean :strategy"
    assert_empty config.exclude_tables
    @config.exclude_tables << 7
    assert_raises(ArgumentError) { @config.exclude_tables }
    assert_empty @config.exclude_tables
  end

  def test_of_what_is_added_only_the_wrong_part_is_quoted_with_the_line_that_added_it
    deliberately_mistyped
    lines = []
    config = configured do |c|
      c.exclude_tables << "sessions"
      c.exclude_tables += 8
      lines << (__LINE__ - 1)
      c.exclude_tables << 7
      lines << (__LINE__ - 1)
      c.anonymization_tables << { table: "users", strategy: :user_anonymization }
      c.anonymization_tables.concat([{ table: "notes" }])
      lines << (__LINE__ - 1)
      c.anonymization_rules = { "orders" => { "note" => "NULL" }, "bills" => { "note" => "NULL" } }
      c.anonymization_rules["orders"]["sum"] = 5
      lines << (__LINE__ - 1)
      c.pii_ignore.merge!("products.*" => "")
      lines << (__LINE__ - 1)
    end
    here = "test/unit/configuration_test.rb"
    assert_equal [
      "#{here}:#{lines[0]}: config.exclude_tables was given 8 (Integer) among others; it takes an Array of Strings.",
      "#{here}:#{lines[1]}: 7 (Integer) was added to config.exclude_tables, which takes an Array of Strings."
    ], config.problems.grep(/exclude_tables/)
    notes, = config.problems.grep(/anonymization_tables/)
    assert_match(/\A#{here}:#{lines[2]}: \{.*"notes"\} \(Hash\) was added .* Entry 2 \(table notes\): it has none of/, notes)
    refute_includes notes, "users"
    assert_match(/\A#{here}:#{lines[3]}: \{.*5\}\} was added to config.anonymization_rules, which takes/, config.problems.grep(/_rules/).first)
    assert_match(/\A#{here}:#{lines[4]}: \{.*\} was added to config.pii_ignore, which takes/, config.problems.grep(/pii_ignore/).first)
  end

  def test_each_wrong_part_that_is_added_has_its_own_line
    deliberately_mistyped
    lines = []
    config = configured do |c|
      c.exclude_tables << 7
      lines << (__LINE__ - 1)
      c.exclude_tables.push("carts", nil)
      lines << (__LINE__ - 1)
      c.production_hostname_patterns << "live"
      lines << (__LINE__ - 1)
    end
    assert_equal lines, config.problems.map { |problem| problem[/:(\d+):/, 1].to_i }
    assert_equal [/prod/i, /production/i], config.production_hostname_patterns
  end

  def test_what_is_added_after_a_wrong_value_does_not_hide_it
    deliberately_mistyped
    config = configured do |c|
      c.exclude_tables = "sessions carts".split.push(7)
      c.exclude_tables << "visits"
    end
    assert_equal 1, config.problems.size
    assert_includes config.problems.first, "was given 7 (Integer) among others"
  end

  def test_a_list_that_the_app_has_got_can_be_copied_by_marshal
    @config.exclude_tables << "carts"
    copy = Marshal.load(Marshal.dump(@config.exclude_tables))
    assert_equal ["carts"], copy
    copy << "sessions"
    assert_equal %w[carts sessions], copy
  end

  def test_adding_outside_of_configure_counts_too
    @config.exclude_tables << "sessions"
    assert @config.set?(:exclude_tables)
    assert_equal ["sessions"], @config.exclude_tables
  end

  def test_a_copy_is_one
    copy = @config.dup
    copy.exclude_tables << "sessions"
    copy.postgis = true
    assert_empty @config.exclude_tables
    refute @config.postgis
  end

  def test_in_an_initializer_nothing_raises_and_each_mistake_is_kept_with_its_line
    deliberately_mistyped
    config = configured do |c|
      c.anonymisation_tables = []
      c.pii_policy = "stop"
      c.target_app = "mine"
      c.postgis = true
    end
    line = __LINE__ - 5
    place = "test/unit/configuration_test.rb"
    assert_equal "#{place}:#{line}: There is no option config.anonymisation_tables; did you mean config.anonymization_tables?", config.problems[0]
    assert_equal "#{place}:#{line + 1}: config.pii_policy was given \"stop\" (String); it takes :warn, :fail or :mask.", config.problems[1]
    assert_equal "#{place}:#{line + 2}: config.target_app cannot be set: it is the variable APP.", config.problems[2]
    assert config.postgis
    assert_equal 3, log.string.scan(/WARN.*configuration_test/).size
    error = assert_raises(ScalingoStagingSync::ConfigurationError) { config.check! }
    config.problems.each { |problem| assert_includes error.message, problem }
  end

  def test_an_option_that_is_read_and_is_not_there_ends_the_block_but_not_the_boot
    looks_at_the_line_that_called
    config = configured do |c|
      c.exclude_table << "sessions"
      c.postgis = true
    end
    assert_includes config.problems.first, "configuration_test.rb:#{__LINE__ - 3}: There is no option config.exclude_table;"
    assert_includes config.problems.first, "did you mean config.exclude_tables?"
    assert_includes config.problems.first, "was not read"
    refute config.postgis
  end

  # Gestures that would end in a backtrace of Ruby's while the app boots.
  def test_whatever_else_is_done_to_an_option_is_a_problem_with_its_line
    looks_at_the_line_that_called
    { ->(c) { c.exclude_tables! "x" } => "There is no config.exclude_tables!; set the option by config.exclude_tables = ...",
      ->(c) { c.exclude_tables? } => "There is no config.exclude_tables?; set the option by config.exclude_tables = ...",
      ->(c) { c.exclude_tables "x" } => "config.exclude_tables was called with a value, which sets nothing; write config.exclude_tables = ... instead.",
      ->(c) { c.exclude_table "x" } => "There is no option config.exclude_table; did you mean config.exclude_tables?",
      ->(c) { c.exclude_table!("x") } => "There is no option config.exclude_table!; did you mean config.exclude_tables?",
      ->(c) { c.Exclude_tables = ["x"] } => "There is no option config.Exclude_tables; did you mean config.exclude_tables?",
      ->(c) { c[:exclude_tables] = ["x"] } => "Options are set by their names, such as config.exclude_tables = [], not by config[...].",
      ->(c) { c[:exclude_tables] } => "Options are set by their names, such as config.exclude_tables = [], not by config[...].",
      ->(c) { c.exclude_tables.add("x") } => "config.exclude_tables has no method add; add to it by <<, or set it by =.",
      ->(c) { c.pii_ignore.push("x") } => "config.pii_ignore has no method push; add to it by <<, or set it by =." }.each do |slip, sentence|
      config = configured(&slip)
      assert_equal 1, config.problems.size, sentence
      assert config.problems.first.start_with?("test/unit/configuration_test.rb:#{slip.source_location.last}: #{sentence}"), config.problems.first
    end
    assert_raises(NoMethodError) { configured { |_| Object.new.exclude_tables } }
    assert_raises(ArgumentError) { @config.exclude_tables "x" }
  end

  def test_a_wrong_value_of_a_cosmetic_option_is_a_warning
    deliberately_mistyped
    config = configured do |c|
      c.slack_channel = 7
      c.slack_locale = "de"
      c.slack_webhook_url = "hush"
      c.parallel_connections = "many"
      c.anonymization_retry_attempts = -1
    end
    assert_empty config.problems
    assert_equal 5, config.warnings.size
    refute_includes config.warnings.join, "hush"
    assert_equal [nil, :fr, nil, 3, 3], %i[slack_channel slack_locale slack_webhook_url parallel_connections anonymization_retry_attempts]
      .map { |name| config.public_send(name) }
    assert_nil config.check!
  end

  def test_a_right_value_that_comes_later_mends_it
    deliberately_mistyped
    config = configured { |c| c.pii_policy = :stop }
    refute_empty config.problems
    config.pii_policy = :mask
    assert_empty config.problems
  end

  def test_outside_of_configure_an_option_that_is_not_there_raises_with_its_line_alone
    looks_at_the_line_that_called
    [-> { @config.anonymisation_tables = [] }, -> { @config.anonymisation_tables }].each do |slip|
      error = assert_raises(Configuration::UnknownOption, &slip)
      assert_kind_of NoMethodError, error
      assert_includes error.message, "did you mean config.anonymization_tables?"
      assert_equal 1, error.backtrace.size
      assert_includes error.backtrace.first, __FILE__
    end
    assert_includes assert_raises(Configuration::UnknownOption) { @config.zzz }.message, "The README's table"
  end

  def test_rubys_own_questions_are_answered_as_ever
    assert_equal [@config], [@config].flatten
    assert_equal [@config], Array(@config)
    refute_respond_to @config, :exclude_table
    error = assert_raises(NoMethodError) { @config.to_h }
    refute_kind_of Configuration::UnknownOption, error
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

  def test_each_entry_that_is_wrong_is_told_with_its_table
    deliberately_mistyped
    error = assert_raises(ArgumentError) do
      @config.anonymization_tables = [{ table: "users", strategy: :user_anonymization }, { table: "orders", querry: "UPDATE" },
                                      { table: "notes", query: "UPDATE", columns: { a: :b } }, { strategy: :x }, 7,
                                      { table: "people", columns: { a: :b }, keep: { a: "x" } }, { tabel: "a", stratgy: :b }]
    end
    ["Entry 2 (table orders): there is no key :querry; did you mean :query?", "Entry 7: there is no key :tabel; did you mean :table?",
     "Entry 3 (table notes): :columns and :query exclude one another", "Entry 4: it has no :table.", "Entry 5: it is no Hash.",
     "Entry 6 (table people): one of its values"].each { |told| assert_includes error.message, told }
    refute_includes error.message, "Entry 1"
    refute_match(/Entry 2[^:]*: it has|Entry 7: it has/, error.message, "what has a wrong name is said once")
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

  def test_an_option_that_is_nil_until_it_is_set_can_be_added_to
    config = ScalingoStagingSync.configure do |c|
      c.allowed_environments << "staging"
      c.pii_detection_patterns[:own] = /badge/
      c.pii_detection_patterns << { medical: /ward/ }
    end
    assert_equal ["staging"], config.allowed_environments
    assert_equal [/badge/, /ward/], config.pii_detection_patterns.values_at(:own, :medical)
    assert_match config.pii_detection_patterns.fetch(:contact), "email"
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

  def test_what_is_no_hash_and_added_to_one_is_a_mistake_and_no_exception
    deliberately_mistyped
    ScalingoStagingSync.configuration.logger = Logger.new(File::NULL)
    config = ScalingoStagingSync.configure { |c| c.pii_ignore << "products.name" }
    assert_match(/=> ?nil\} was added to config\.pii_ignore, which takes a Hash/, config.problems.join)
    assert_equal({}, config.pii_ignore)
  end
end

# frozen_string_literal: true

require "test_helper"
require "json"

class TesterTest < Minitest::Test
  def check(config, native: FakeNative.new)
    ScalingoStagingSync::Testing::Tester.new(config:, output: terminal, native:).run
  end

  def test_a_sound_installation_passes
    assert check(staging_config), terminal.string
    refute_includes terminal.string, "FAILED"
    assert_includes terminal.string, "passed  Native library: version 0.2.0."
  end

  def test_as_json_it_is_nothing_but_json_with_each_check_and_the_plan
    ScalingoStagingSync::Testing::Tester.new(config: staging_config, output: terminal, native: FakeNative.new, format: "json").run
    printed = JSON.parse(terminal.string)
    assert_equal [1, true, [], true], [*printed.values_at("schema_version", "passed", "not_looked_at"), printed.dig("plan", "would_succeed")]
    assert_includes printed["checks"], { "name" => "Native library", "status" => "passed", "message" => "version 0.2.0." }
    terminal.reopen(+"")
    config = staging_config
    ENV["APP"] = "shop-production"
    refute ScalingoStagingSync::Testing::Tester.new(config:, output: terminal, native: FakeNative.new, format: "json").run
    printed = JSON.parse(terminal.string)
    assert_equal [false, nil], printed.values_at("passed", "plan")
    assert_includes printed["not_looked_at"], "Plan"
  end

  def test_the_rules_are_counted_and_where_there_is_none_it_says_what_happens_instead
    { ->(_) {} => "1 rule.",
      ->(config) { config.anonymization_rules = { "users" => { "name" => "'x'" } } } => "2 rules.",
      ->(config) { (config.anonymization_tables = []) && config.pii_policy = :mask } => "no rule; what looks personal is masked (config.pii_policy).",
      ->(config) { (config.anonymization_tables = []) && config.allow_unmasked_copy = true } => "no rule, as config.allow_unmasked_copy permits." }
      .each do |change, line|
        ScalingoStagingSync.reset_configuration!
        terminal.reopen(+"")
        check(staging_config.tap(&change))
        assert_includes terminal.string, "passed  Configuration: #{line}"
      end
  end

  def test_each_check_fails_for_its_own_reason
    {
      "Production guard" => ->(_) { ENV["APP"] = "shop-production" },
      "Configuration" => ->(config) { config.anonymization_tables = [] },
      "Source" => ->(config) { config.scalingo_api_token = nil },
      "Key for pseudonyms" => ->(config) { config.anonymization_secret = nil }
    }.each do |name, spoil|
      config = staging_config
      spoil.call(config)
      terminal.truncate(0)
      refute check(config), name
      assert_equal [name], terminal.string.scan(/^FAILED  ([^:]+):/).flatten
      assert_includes terminal.string, "1 check failed: see the lines above."
      ScalingoStagingSync.reset_configuration!
    end
  end

  def test_it_says_why_a_run_needs_no_rule
    { mask: "what looks personal is masked (config.pii_policy).", fail: "what looks personal ends the run (config.pii_policy).",
      warn: "as config.allow_unmasked_copy permits." }.each do |policy, why|
      config = staging_config
      config.anonymization_tables = []
      config.pii_policy = policy
      config.allow_unmasked_copy = policy == :warn
      terminal.truncate(0)
      assert check(config), terminal.string
      assert_match(/^passed  Configuration: no rule[;,] #{Regexp.escape(why)}$/, terminal.string)
      ScalingoStagingSync.reset_configuration!
    end
  end

  def test_what_is_missing_is_not_said_to_be_there
    config = staging_config
    config.seeds_file_path = "db/none.rb"
    config.slack_enabled = true
    refute check(config)
    assert_includes terminal.string, "warning Seeds: the file is not there, see Configuration."
    assert_includes terminal.string, "warning Slack: no webhook is set, see Configuration."
  end

  def test_rules_for_single_columns_are_rules
    config = staging_config
    config.anonymization_tables = []
    config.anonymization_rules = { "users" => { "email" => "NULL" } }
    assert check(config), terminal.string
    assert_match(/^passed  Configuration: 1 rule\.$/, terminal.string)
  end

  def test_a_backup_file_stands_for_the_api
    config = staging_config
    config.scalingo_api_token = nil
    config.backup_file = __FILE__
    assert check(config), terminal.string
    config.backup_file = "/nowhere"
    refute check(config)
  end

  def test_a_missing_native_library_is_a_failed_check
    native = FakeNative.new
    def native.engine_version = raise(ScalingoStagingSync::NativeLibraryError.new("It is not there.", "Compile it."))
    refute check(staging_config, native:)
    assert_includes terminal.string, "FAILED  Native library: It is not there. Compile it."
  end

  def test_no_secret_is_printed
    check(staging_config)
    ["pw-of-staging", "tk-us-secret-token", SECRET].each { |secret| refute_includes terminal.string, secret }
  end
end

class TesterOfTheTargetTest < Minitest::Test
  def check(native: FakeNative.new, environment: {})
    ScalingoStagingSync::Testing::Tester.new(config: staging_config, output: terminal, native:, environment:).run
  end

  # A native library whose plan or examination says something else.
  class OtherNative < FakeNative
    def initialize(plan: {}, examination: {})
      super()
      @plan = PREVIEW.merge(plan)
      @examination = EXAMINATION.merge(examination)
    end

    def plan(_settings) = @plan
    def examine(_settings) = @examination
  end

  # What a check prints.
  def checked(**plan)
    terminal.truncate(0)
    check(native: OtherNative.new(plan:))
    ScalingoStagingSync.reset_configuration!
    terminal.string
  end

  def test_it_ends_with_the_plan
    assert check
    assert_match(/^public\.users +50,000 +masked$/, terminal.string)
    assert_match(/^passed  Plan: a run would go through\.$/, terminal.string)
  end

  def test_a_target_that_cannot_be_reached_is_said_once
    native = OtherNative.new
    def native.examine(_settings) = raise(ScalingoStagingSync::TargetConnectionError.new("It cannot be reached.", "Check it."))
    refute check(native:)
    assert_equal 1, terminal.string.scan("It cannot be reached.").size
    %w[TLS Privileges].each { |name| assert_includes terminal.string, "FAILED  #{name}: not looked at, see Target database." }
  end

  def test_a_missing_privilege_fails_with_what_to_do
    privileges = [{ name: "create a schema", granted: false, optional: false, remedy: "Grant it." }]
    refute check(native: OtherNative.new(examination: { privileges: }))
    assert_match(/^FAILED  Privileges: the role may not create a schema\. Grant it\.$/, terminal.string)
  end

  def test_a_privilege_that_a_run_can_do_without_is_a_warning
    privileges = [{ name: "create large objects", granted: false, optional: true, remedy: "Only where there are some." }]
    assert check(native: OtherNative.new(examination: { privileges: }))
    assert_match(/^warning Privileges/, terminal.string)
  end

  def test_an_unencrypted_connection_is_a_warning
    assert check(native: OtherNative.new(examination: { tls: nil }))
    assert_match(/^warning TLS: .*sslmode=require/, terminal.string)
    assert_match(/^1 check with a warning: see the lines above\.$/, terminal.string)
  end

  def test_it_asks_the_server_about_sql_and_says_what_it_answered
    {
      { accepted: 3, refused: 0,
        unanswered: [] } => /^passed  SQL of rules: PostgreSQL accepts 3 statements, asked in a transaction that was rolled back\.$/,
      { accepted: 0, refused: 0, unanswered: [] } => /^passed  SQL of rules: no rule is in SQL\.$/,
      { accepted: 1, refused: 2, unanswered: [] } => /^FAILED  SQL of rules: PostgreSQL refuses 2 statements, see the plan\.$/,
      { accepted: 1, refused: 0,
        unanswered: ["Why."] } => /^warning SQL of rules: the server could not be asked about all of it\. Why\. The run itself asks\.$/
    }.each do |server_check, line|
      terminal.truncate(0)
      check(native: OtherNative.new(plan: { server_check: }))
      assert_match line, terminal.string
      ScalingoStagingSync.reset_configuration!
    end
    native = FakeNative.new
    check(native:)
    assert_equal [true, true], native.calls.assoc(:plan)[1].values_at("ask_server", "try_schema")
  end

  def test_extensions_that_cannot_be_created_are_named_with_what_needs_them
    extension = { name: "hstore", available: true, allowed: true, lacks: [], needed_by: "backup" }
    postgis = extension.merge(name: "postgis", available: false, needed_by: "configuration")
    unneeded = extension.merge(name: "pg_cron", allowed: false, needed_by: nil)
    lines = {
      [] => "passed  Extensions: none is missing.",
      [extension] => "passed  Extensions: hstore would be created.",
      [extension, postgis] => "FAILED  Extensions: postgis cannot be created, and config.postgis needs it.",
      [extension.merge(allowed: false)] => "FAILED  Extensions: hstore cannot be created, and the backup needs it.",
      [extension.merge(lacks: ["cube"]), unneeded] => "FAILED  Extensions: hstore cannot be created, and the backup needs it.",
      [extension, unneeded] => "warning Extensions: pg_cron cannot be created and would be left out; nothing in the backup needs it."
    }
    lines.each do |missing_extensions, line|
      assert_includes checked(target: FakeNative::PREVIEW[:target].merge(missing_extensions:)).lines.map(&:chomp), line
    end
  end

  def test_a_plan_without_backup_or_target_does_not_say_that_no_extension_is_missing
    [{ target: nil }, { backup: nil }].each do |plan|
      assert_includes checked(would_succeed: false, **plan), "warning Extensions: they were not looked for, see the plan."
    end
  end

  def test_the_plan_says_of_each_missing_extension_what_becomes_of_it_and_what_needs_it
    extension = { name: "hstore", available: true, allowed: true, lacks: [], needed_by: nil }
    { extension => "it would be created", extension.merge(needed_by: "backup") => "it would be created (needed by the backup)",
      extension.merge(available: false, needed_by: "configuration") => "the server does not have it (needed by config.postgis)",
      extension.merge(allowed: false) => "the role may not create it",
      extension.merge(lacks: %w[cube]) => "it requires cube, also missing" }.each do |missing, words|
      assert_match(/^ +extension hstore is missing: #{Regexp.escape(words)}$/,
                   checked(target: FakeNative::PREVIEW[:target].merge(missing_extensions: [missing])))
    end
  end

  def test_a_plan_that_fails_fails_the_check
    problems = [{ error: "PlanError", what: "No such table.", remedy: "Correct it." }]
    refute check(native: OtherNative.new(plan: { would_succeed: false, problems: }))
    assert_match(/^FAILED  Plan: a run would fail, see the plan\.$/, terminal.string)
    assert_equal 1, terminal.string.scan("No such table. Correct it.").size, "and there it is said, once"
  end

  def test_a_container_that_is_too_small_fails
    refute check(environment: { "CONTAINER_MEMORY" => "64" })
    assert_match(/^FAILED  Memory: .*larger container/, terminal.string)
    terminal.truncate(0)
    assert check(environment: { "CONTAINER_MEMORY" => (8 * (1024**3)).to_s })
  end

  def test_what_can_still_be_asked_is_asked_after_a_failure_and_the_rest_is_named
    refute check(environment: { "CONTAINER_MEMORY" => "64" })
    assert_match(/^passed  Plan: /, terminal.string)
    terminal.truncate(0)
    native = FakeNative.new
    def native.engine_version = raise(ScalingoStagingSync::NativeLibraryError)
    refute check(native:)
    refute_match(/Plan: /, terminal.string)
    assert_match(/^        Not looked at because of that: Target database, .*Plan\.$/, terminal.string)
  end

  def test_a_check_that_breaks_is_a_failed_check_and_does_not_say_why
    native = FakeNative.new
    def native.examine(_settings) = raise("ada@example.org")
    refute check(native:)
    assert_match(/^FAILED  TLS: it could not be checked \(RuntimeError\)/, terminal.string)
    assert_match(/^passed  Plan: /, terminal.string)
    refute_includes terminal.string, "ada@"
  end

  def test_cron_json_is_read
    Dir.mktmpdir do |directory|
      Dir.chdir(directory) do
        { '{"jobs":[{"command":"0 3 * * 0 bundle exec rake scalingo_staging_sync:run"}]}' => /^passed  cron\.json: 1 job, in UTC: 0 3 \* \* 0/,
          '{"jobs":[{"command":"bundle exec rake scalingo_staging_sync:run"}]}' => /^FAILED  cron\.json: .*five fields/,
          "[" => /^FAILED  cron\.json: cron\.json is not JSON/,
          '{"jobs":[{"command":"*/5 * * * * rake scalingo_staging_sync:run"}]}' => /^FAILED  cron\.json: .*5 min apart/,
          JSON.generate("jobs" => Array.new(6) { { "command" => "0 3 * * 0 x" } }) => /^FAILED  cron\.json: .*more than 5 jobs/,
          '{"jobs":[{"command":"0 3 * * 0 bin/letters"}]}' => /^passed  cron\.json: no job of it runs/ }.each do |text, line|
          File.write("cron.json", text)
          check
          assert_match line, terminal.string
          terminal.reopen(+"")
        end
      end
    end
  end
end

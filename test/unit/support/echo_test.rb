# frozen_string_literal: true

require "test_helper"

# What was typed in the wrong place is refused without being quoted, where credentials may be in it.
class EchoTest < Minitest::Test
  URLS = [
    "postgres://user:hush@db.example/shop", "postgres:/user:hush@db.example/shop", "postgres//user:hush@db.example/shop",
    "user:hush@db.example/shop", "https://hush@storage.example/x", "https://storage.example/x?X-Amz-Signature=hush",
    "https://hooks.slack.com/services/hush", "postgres://user:hu/sh ?#hush@db.example/shop", "host=db password=hush", "tk-us-hush",
    "postgres:///shop?user=ada&password=hush", "ada:hush@", "ada:hush@\tdb.example", "//:hush@db.example/shop", "jdbc:postgresql:shop?password=hush",
    "db.example:5432:shop:ada:hush", "password: hush", "api-key=hush", "sqlite3:shop?key=hush", "X-Auth-Token: hush", '{"password":"hush"}',
    "Bearer hush-hush-hush", "-----BEGIN PRIVATE KEY-----hush", "ada%3Ahush%40db.example", "é%E9ada%3Ahush%40db.example", "postgres%253A%252F%252Fada%253Ahush%2540db.example",
    "github_pat_hush", "postgres:\\\\ada:hush@db.example", "--password hush", "sk_test_hush"
  ].freeze

  Echo = ScalingoStagingSync::Support::Echo

  def test_what_may_hold_credentials_is_not_quoted
    [*URLS, *URLS.map { |url| File.expand_path(url, "/app") }].each do |text|
      assert_equal Echo::HIDDEN, Echo.of(text), text
      [text, [text], { text => 1 }, { table: text }, text.to_sym, Pathname(text)].each { |value| refute_includes Echo.inspect(value), "hush" }
    end
  end

  def test_names_and_paths_are_quoted_as_they_are
    ["users", "public.users", "asian_markets", "Auth::Token::User", "npm_packages", "sk-staging", "SG.users", "tmp/shop.dump", "/app/ada@example/shop.dump", "C:/shop.dump", "my app's backup 10:30.dump"].each do |text|
      assert_equal text, Echo.of(text)
      assert_equal text.inspect, Echo.inspect(text)
    end
  end

  def test_a_text_cannot_steer_the_terminal
    assert_equal "a [2Jb c", Echo.of("a\e[2Jb\nc")
    assert_equal "a\\u202Eb", Echo.of("a\u202Eb")
    assert_equal '"a\u202Eb\n"', Echo.inspect("a\u202Eb\n")
    assert_equal ["a\\e[2J\\x00\n- b\\u2066\tc", "a\\e"], [Echo.clean("a\e[2J\0\n- b\u2066\tc"), Echo.clean("a\e".b)]
    assert_equal ["#{"x" * 77}...", "h\u00E9"], [Echo.short("x" * 5000), Echo.short("h\u00E9")]
    assert_equal "nothing like \\e[31m is there", ScalingoStagingSync::PlanError.new("nothing like \e[31m is there").what
  end

  def test_a_name_in_the_list_of_what_is_wrong_is_escaped_and_cut
    deliberately_mistyped
    odd = "us\u202Eers\e[31m\n"
    config = configured do |c|
      c.subset = { odd => { wher: "a" }, ("x" * 5000) => 5 }
      c.anonymization_tables = [{ table: odd, bogus: 1 }, { table: "t" * 5000 }]
    end
    refute_match(/[[:cntrl:]\u202E]/, config.problems.join)
    assert_operator config.problems.join.length, :<, 2000
  end

  def test_no_error_quotes_a_url_with_credentials_wherever_its_sentence_comes_from
    error = ScalingoStagingSync::PlanError.new(%(There is no table "postgres://user:hush@db.example/shop" here.),
                                               "Use postgres://user:password@host.")
    assert_equal %(There is no table "#{Echo::HIDDEN}" here. Use postgres://user:password@host.), error.message
  end

  def test_no_error_quotes_a_url_with_a_secret_that_is_no_password_of_a_user
    ["postgres:///shop?user=ada&password=hush", "https://s3.example/x?X-Amz-Signature=hush", "hooks.slack.com/services/hush", "tk-us-hush",
     '"postgres://ada:hush word@db.example/shop"', "dblink('host=db user=ada password=hush', 'SELECT 1')",
     "dblink('password=hush dbname=shop', 'SELECT 1')"].each do |text|
      refute_includes ScalingoStagingSync::PlanError.new("There is no table #{text} here.").message, "hush"
    end
  end

  def test_the_sql_of_a_rule_is_quoted_where_it_names_a_column_of_passwords
    sql = "UPDATE users SET password=NULL, reset_password_token=NULL WHERE host=1"
    assert_includes ScalingoStagingSync::PlanError.new("PostgreSQL refused #{sql}.").message, "reset_password_token=NULL"
  end

  # Every door through which such a text may come, with what it says.
  def test_no_door_quotes_what_was_typed
    deliberately_mistyped
    URLS.each do |url|
      doors(url).each do |door, open|
        staging_config
        error = assert_raises(ScalingoStagingSync::Error, ArgumentError, "#{door} took #{url}", &open)
        refute_includes "#{error.message} #{error.full_message} #{error.inspect}", "hush", door
        refute_includes log.string + terminal.string, "hush", door
      end
    end
  end

  def test_a_backup_file_that_is_a_url_is_refused_as_one_and_slack_hears_no_password
    URLS.each do |url|
      with_env("BACKUP_FILE" => url) do
        config = staging_config
        error = assert_raises(ScalingoStagingSync::ConfigurationError) { ScalingoStagingSync::Guard::Preflight.new(config:).check! }
        assert_includes error.what, "The backup file is given as a URL, which is not shown here"
        slack = ScalingoStagingSync::Services::SlackNotificationService.new(config:)
        texts = []
        slack.define_singleton_method(:post_lines) { |*lines| texts.concat(lines) }
        slack.started
        slack.failed(error, :untouched)
        refute_includes texts.join, "hush"
        refute ScalingoStagingSync::Testing::Tester.new(config:, output: terminal, native: FakeNative.new).run
        refute_includes terminal.string, "hush"
      end
    end
  end

  private

  def doors(url)
    services = ScalingoStagingSync::Services
    options = ScalingoStagingSync::Configuration.options.values.reject(&:secret)
    settings = options.reject { |option| %i[exclude_tables anonymization_tables].include?(option.name) }.to_h do |option|
      ["config.#{option.name}", -> { option.cast(url) }]
    end
    settings.merge(
      "config.exclude_tables" => -> { ScalingoStagingSync.configuration.exclude_tables = [url] },
      "config.anonymization_tables" => lambda {
                                         ScalingoStagingSync.configuration.anonymization_tables = [{ table: url, strategy: :user_anonymization }]
                                       },
      "an entry's key" => -> { ScalingoStagingSync.configuration.anonymization_tables = [{ url => 1, table: "users" }] },
      "config.pii_ignore" => -> { ScalingoStagingSync.configuration.pii_ignore = { url => "a reason" } },
      "config.anonymization_rules" => -> { ScalingoStagingSync.configuration.anonymization_rules = { url => { "email" => "NULL" } } },
      "preview[table]" => -> { services::TablePreview.new(output: tty, native: FakeNative.new).show(url) },
      "audit:verify[file]" => -> { ScalingoStagingSync::Audit::Seal.new.verify!(url) },
      "coverage[schema]" => -> { services::PersonalDataScan.new(output: terminal, native: FakeNative.new).coverage(url) },
      "restore!(path)" => -> { services::DatabaseRestoreService.new(native: FakeNative.new, reporter:).restore!(url) },
      "register_strategy" => -> { ScalingoStagingSync::Database::AnonymizationStrategies.register_strategy(url) },
      "on(event)" => -> { ScalingoStagingSync.on(url) { nil } }
    )
  end

  def tty
    StringIO.new.tap { |io| def io.tty? = true }
  end
end

# frozen_string_literal: true

require "test_helper"
require "active_support/core_ext/object/instance_variables"
require "active_support/core_ext/object/json"
require "json"
require "pp" # rubocop:disable Lint/RedundantRequireStatement -- PP itself is named here
require "random/formatter"
require "yaml"

# Nothing that prints, serialises or reports an object shows a secret that is in reach of it.
class SecretsInObjectsTest < Minitest::Test
  WEBHOOK = "https://hooks.slack.com/services/T0/B0/hush-hush"
  HUSH = [SECRET, "tk-us-secret-token", "pw-of-staging", "hush-hush"].freeze

  def setup
    staging_config.slack_webhook_url = WEBHOOK
  end

  # What error reporters, consoles and serialisers make of an object.
  def shown(object)
    {
      inspect: object.inspect, to_s: object.to_s, interpolated: object.to_s, pp: object.pretty_inspect,
      json: object.to_json, as_json: object.as_json.inspect, generated: JSON.generate([object]), yaml: YAML.dump(object),
      instance_values: object.instance_values.inspect, variables: variables(object).join(" ")
    }
  end

  def variables_passed(&)
    seen = []
    passed = nil
    tracer = TracePoint.new(:raise, :return, :b_return) do |point|
      raised = point.event == :raise && point.raised_exception.is_a?(ScalingoStagingSync::Error)
      passed ||= raised && caller_locations.map { |place| [place.path, place.base_label.split("#").last] }
      next unless passed && point.path.include?("/lib/scalingo_staging_sync") && passed.include?([point.path, point.method_id.to_s])

      point.binding.local_variables.each { |name| seen << point.binding.local_variable_get(name).inspect }
    end
    tracer.enable { assert_raises(ScalingoStagingSync::Error, &) }
    seen
  end

  # As a reporter walks an object.
  def variables(object, depth = 3)
    return [] if depth.zero?

    object.instance_variables.flat_map do |name|
      value = object.instance_variable_get(name)
      [value.inspect, *(value.is_a?(Hash) ? value.values.map(&:inspect) : []), *variables(value, depth - 1)]
    end
  end

  def refute_shown(object)
    shown(object).each do |way, text|
      HUSH.each { |secret| refute_includes text, secret, "#{object.class} by #{way}" }
    end
  end

  def test_the_configuration_shows_what_was_set_and_no_secret
    config = ScalingoStagingSync.configuration
    refute_shown(config)
    assert_includes config.inspect, 'clone_source_scalingo_app_name="my-app-production"'
    assert_includes config.inspect, "anonymization_secret=[secret]"
    assert_equal "[secret]", config.as_json["slack_webhook_url"]
    assert_equal [WEBHOOK, SECRET, "tk-us-secret-token"], [config.slack_webhook_url, config.anonymization_secret, config.scalingo_api_token]
  end

  def test_every_option_that_is_a_secret_is_kept_as_one
    secrets = ScalingoStagingSync::Configuration.options.values.select(&:secret).map(&:name)
    assert_empty %i[scalingo_api_token anonymization_secret slack_webhook_url] - secrets
    kept = ScalingoStagingSync.configuration.instance_variable_get(:@values)
    secrets.each { |name| assert_kind_of ScalingoStagingSync::Secret, kept.fetch(name), name if kept.key?(name) }
  end

  # Also of options to come.
  def test_no_secret_option_shows_in_what_the_engine_is_given
    config = ScalingoStagingSync.configuration
    values = ScalingoStagingSync::Configuration.options.values.select(&:secret).to_h do |option|
      value = "https://hush.example/7Kq-vP2m-wX9z-tR4b/#{option.name}"
      config.public_send(:"#{option.name}=", value)
      [option.name, value]
    end
    shown = [config, ScalingoStagingSync::EngineSettings.new.to_h].map { |object| object.inspect + object.to_json + YAML.dump(object) }.join
    values.each { |name, value| refute_includes shown, value, name }
    given = Marshal.dump(config.to_engine)
    (values.keys - [:slack_webhook_url]).each { |name| assert_includes given, values[name], "#{name} does not reach the engine" }
  end

  def test_the_password_of_a_rule_is_a_secret_that_reaches_the_engine
    config = ScalingoStagingSync.configuration
    [:password, "password"].each do |key|
      rule = ->(password) { [{ table: "users", columns: { "encrypted_password" => { mask: "password", key => password } } }] }
      config.anonymization_tables = rule["pw-of-staging"]
      fingerprint = ScalingoStagingSync::EngineSettings.new.fingerprint
      [config, ScalingoStagingSync::EngineSettings.new.to_h, config.anonymization_tables].each { |object| refute_shown(object) }
      assert_raises(TypeError) { Marshal.dump(config) }
      assert_equal "pw-of-staging", config.to_engine.dig("masking", "rules", 0, "columns", "encrypted_password", "password")
      config.anonymization_tables << { table: "admins", strategy: :user_anonymization }
      assert_equal 2, config.anonymization_tables.size
      config.anonymization_tables = rule["another one"]
      assert_equal fingerprint, ScalingoStagingSync::EngineSettings.new.fingerprint, "whoever has an audit could test guesses"
    end
  end

  def test_an_app_that_is_a_url_is_named_nowhere
    with_env("APP" => "postgres://ada:pw-of-staging@db.example/x") do
      report = { tables: [], phases: [], backup: {} }
      document = ScalingoStagingSync::Audit::Document.new(report, started_at: Time.now, finished_at: Time.now)
      output = StringIO.new
      ScalingoStagingSync::Testing::Tester.new(output:, native: FakeNative.new).run
      texts = [ScalingoStagingSync::Audit::Json.new(document), ScalingoStagingSync::Audit::Text.new(document), ScalingoStagingSync::Audit::Page.new(document),
               output.string,
               ScalingoStagingSync::Report.new(:before_sync).target_app]
      texts.each { |text| refute_includes text.to_s, "pw-of-staging" }
      assert_equal ScalingoStagingSync::Support::Echo::HIDDEN, ScalingoStagingSync.configuration.target_app
    end
  end

  def test_what_holds_credentials_without_being_a_url_is_not_shown
    ["hooks.slack.com/services/T0/B0/hush", "postgres%3A%2F%2Fada%3Ahush%40db", "SECRET_KEY_BASE=hush", "ghp_hush", "whsec_hush", "sk_live_hush",
     %r{postgres://ada:hush@db}].each do |text|
      assert_equal ScalingoStagingSync::Support::Echo::HIDDEN, ScalingoStagingSync::Support::Echo.of(text)
      refute_includes ScalingoStagingSync::Support::Echo.inspect([text]), "hush"
    end
  end

  def test_a_configuration_that_went_through_marshal_has_no_secret
    dump = Marshal.dump(ScalingoStagingSync.configuration)
    HUSH.each { |secret| refute_includes dump, secret }
    copy = Marshal.load(dump)
    assert_equal "my-app-production", copy.clone_source_scalingo_app_name
    refute copy.set?(:anonymization_secret)
  end

  def test_what_knows_the_environment_or_the_configuration_shows_its_class_only
    config = ScalingoStagingSync.configuration
    [
      ScalingoStagingSync::Services::Coordinator.new(native: FakeNative.new), ScalingoStagingSync::Services::Cleanup.new,
      ScalingoStagingSync::Services::Command.new, ScalingoStagingSync::Services::DatabaseAnonymizerService.new,
      ScalingoStagingSync::Services::DatabaseBackupService.new, ScalingoStagingSync::Services::DatabaseRestoreService.new,
      ScalingoStagingSync::Services::DryRun.new, ScalingoStagingSync::Services::PersonalDataScan.new,
      ScalingoStagingSync::Services::Seeds.new, ScalingoStagingSync::Services::SlackNotificationService.new,
      ScalingoStagingSync::Services::Status.new, ScalingoStagingSync::Services::TablePreview.new,
      ScalingoStagingSync::Terminal::Confirmation.new, ScalingoStagingSync::Support::EnvironmentValidator.new,
      ScalingoStagingSync::Guard::Preflight.new, ScalingoStagingSync::Support::Variables.new, ScalingoStagingSync::Services::EngineCall.new(native: FakeNative.new),
      ScalingoStagingSync::Terminal::ProgressReporter.new, ScalingoStagingSync::Testing::Tester.new,
      ScalingoStagingSync::Audit::Seal.new, ScalingoStagingSync::Database::PiiScanner.new(STAGING_URL),
      ScalingoStagingSync::Integrations::ScalingoApiClient.new, ScalingoStagingSync::EngineSettings.new(config),
      ScalingoStagingSync::Database::Url.parse(STAGING_URL)
    ].each do |object|
      refute_shown(object)
      next if object.is_a?(ScalingoStagingSync::Database::Url)

      assert_equal "#<#{object.class}>", object.inspect
      assert_raises(TypeError) { Marshal.dump(object) }
    end
  end

  def test_no_class_that_keeps_the_environment_or_the_configuration_is_forgotten
    keeping = Dir[File.expand_path("../../lib/**/*.rb", __dir__)].select do |file|
      File.read(file).match?(/@(environment|variables|config|url|database_url) = /)
    end
    refute_empty keeping
    assert_empty(keeping.reject { |file| File.read(file).match?(/include (Support::)?Discreet|class \w+ < (Services::)?Base/) })
  end

  def test_what_the_engine_is_given_shows_no_secret_until_it_is_handed_over
    settings = ScalingoStagingSync::EngineSettings.new.to_h
    [settings.inspect, settings.to_json, YAML.dump(settings), settings.pretty_inspect].each do |text|
      HUSH.each { |secret| refute_includes text, secret }
    end
    assert_raises(TypeError) { Marshal.dump(settings) }
    native = FakeNative.new
    ScalingoStagingSync::Services::EngineCall.new(native:, reporter:).run(settings)
    given = native.calls.dig(0, 1)
    assert_equal [SECRET, STAGING_URL], [given.dig("masking", "secret"), given.dig("target", "url")]
    assert_equal given, ScalingoStagingSync.configuration.to_engine
  end

  # What Sentry's and Rollbar's "locals" are made of: the variables of each method that an exception passes through.
  def test_no_variable_of_a_method_that_an_error_passes_through_holds_a_secret
    native = FakeNative.new(error: ScalingoStagingSync::RestoreError.new("PostgreSQL said no.", "Do this."))
    services = ScalingoStagingSync::Services
    {
      "a run" => -> { services::Coordinator.new(native:, reporter:).execute! },
      "masking in place" => -> { services::DatabaseAnonymizerService.new(native:, reporter:).anonymize! },
      "a dry run" => -> { services::DryRun.new(native:).preview },
      "cleanup" => -> { services::Cleanup.new(native:, reporter:).call },
      "a scan" => -> { ScalingoStagingSync::Database::PiiScanner.new(native:).scan },
      "the guard" => -> { ENV["APP"] = "shop-production" and services::Coordinator.new(native:, reporter:).execute! },
      "the audit's seal" => -> { ScalingoStagingSync::Audit::Seal.new.verify!("nowhere.json") }
    }.each do |name, work|
      seen = variables_passed(&work)
      refute_empty seen, name
      refute(seen.any? { |text| HUSH.any? { |secret| text.include?(secret) } }, "#{name} shows a secret")
    end
  end

  def test_errors_show_their_sentences_and_no_more
    error = assert_raises(ScalingoStagingSync::Error) do
      ScalingoStagingSync::Services::Coordinator.new(native: FakeNative.new(error: ScalingoStagingSync::RestoreError.new("No.", "Do.")),
                                                     reporter:).execute!
    end
    [error.detailed_message, error.inspect, error.full_message, *variables(error)].each do |text|
      HUSH.each { |secret| refute_includes text, secret }
    end
  end
end

# What somebody typed in the wrong place is refused without being quoted, where credentials may be in it.
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
  end

  def test_no_error_quotes_a_url_with_credentials_whoever_wrote_its_sentence
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
        slack.define_singleton_method(:tell) { |*lines| texts.concat(lines) }
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

class GuessingTest < Minitest::Test
  Guessing = ScalingoStagingSync::Configuration::Guessing

  WEAK = {
    repeated: ["a" * 16, "a" * 200, "ab" * 20, "abc" * 20, "a1" * 30, "aaaaaaaabbbbbbbb", "0000000000000001", "................................", "-_" * 10],
    keyboards_and_steps: %w[
      0123456789abcdef abcdefghijklmnopqrstuvwxyz zyxwvutsrqponmlk 97531975319753197531 1234567890123456 a1b2c3d4e5f6g7h8 aabbccddeeffgghh
      aAbBcCdDeEfFgGhH qwertyuiopasdfgh azertyuiopqsdfghjklm 1q2w3e4r5t6y7u8i9o0p !QAZ2wsx#EDC4rfv zaq12wsxcde34rfv qazwsxedcrfvtgbyhn
      !@#$%^&*()_+!@#$%^&*()_+
    ],
    where_a_key_is_to_come: [
      "changemechangeme", "changeme-changeme-changeme-changeme", "secretsecretsecretsecret", "please-change-this-secret-key", "your-secret-key-here",
      "my-super-secret-key-123456", "MySuperSecretKey2024!!", "scalingo-staging-sync-secret-2026", "staging-sync-secret-2026-01",
      "ScalingoStaging2024!!", "INSERT_SECRET_KEY_HERE_32_CHARS", "<your-secret-key-here>", "${ANONYMIZATION_SECRET}", "%{secret_key_base_here}",
      "SECRET_KEY_BASE_DUMMY=1", "development_secret_key_base_0000", "tk-us-0000000000000000", "s3cr3t-k3y-f0r-st4g1ng", "motdepasse-motdepasse-1",
      "my anonymization secret", "ENV[\"SECRET\"] || \"x\"", "\#{ENV.fetch(\"SECRET\")}", "TODO: set a real secret", "clé secrète de staging"
    ],
    names_and_passwords: %w[
      acme-corp-staging-2024 AcmeCorp2024!AcmeCorp2025! acme_production_secret_key staging.acme.example.com jean.dupont.1985@gmail.com
      password12345678 P@ssw0rd123456789 P4ssw0rd-P4ssw0rd-P4ssw0rd Ch@ngeMe123Ch@ngeMe123 Summer2024!Winter2025! Welcome2024!Welcome2024!
      iloveyouiloveyouiloveyou helloworldhelloworld test1234test5678test user1user2user3user4 key1key2key3key4key5key6
    ],
    words_and_sentences: [
      "elephant-umbrella", "monkey dragon football baseball", "correct horse battery staple", "my dog is called rex",
      "to be or not to be that is the question", "the quick brown fox jumps over the lazy dog", "thequickbrownfoxjumpsoverthelazydog",
      "il était une fois dans la vie", "liberté égalité fraternité", "this-is-not-a-secret-at-all", "Lorem ipsum dolor sit amet consectetur",
      "пароль пароль секрет"
    ],
    dates_and_telephones: [
      "2024-01-01T00:00:00Z", "2024-12-25-2024-12-25", "25.12.2024-26.12.2024", "20241225120000", "2024-01-01 12:34:56.789012",
      "25/12/2024 25/12/2025", "January 1st, 2024", "1 janvier 2024 staging", "+33 6 12 34 56 78", "06 12 34 56 78 06 12 34 56 78"
    ],
    hexadecimal: [
      "0123456789abcdef" * 8, "00000000-0000-0000-0000-000000000001", "00000000-0000-4000-8000-000000000000", "00ff" * 8, "0f" * 16, "deadbeef" * 4,
      "deadbeefcafebabedeadbeefcafebabe", "000102030405060708090a0b0c0d0e0f", "00112233445566778899aabbccddeeff"
    ],
    packed: [
      "changemechangeme", "secretsecretsecret", "staging-2024-staging", "a" * 16, (0..15).to_a.pack("C*"), "\0" * 32, "\x00\xFF\xFF\x00".b * 8
    ].map { |text| [text.unpack1("H*"), [text].pack("m0"), [text].pack("m0").tr("+/", "-_").delete("=")] }
  }.values.flatten.freeze

  STRONG = [
    SECRET, "correct horse battery staple lamp onion", "Correct-Horse-Battery-Staple-Lamp-Onion", "correcthorsebatterystaplelamponion",
    "cheval agrafe pile lampe oignon correct", "550e8400-e29b-41d4-a716-446655440000", "k7#Qz!9wPx2&Lm4x"
  ].freeze

  # What SecureRandom gives, from a source that gives the same each time.
  CHANCE = [
    ->(chance) { chance.hex(16) }, ->(chance) { chance.hex(32) }, ->(chance) { chance.hex(64) }, lambda(&:uuid), lambda(&:base64),
    ->(chance) { chance.base64(24) }, lambda(&:urlsafe_base64), ->(chance) { chance.urlsafe_base64(32) }, ->(chance) { chance.alphanumeric(24) },
    ->(chance) { chance.bytes(32) }
  ].freeze

  def test_a_key_that_can_be_guessed_is_refused_however_long_it_is
    WEAK.each do |secret|
      assert_raises(ArgumentError, secret) { ScalingoStagingSync.configuration.anonymization_secret = secret }
    end
  end

  # Of a hundred thousand keys of each shape none was refused.
  def test_a_key_made_by_chance_and_six_words_are_taken
    chance = Random.new(14)
    made = CHANCE.flat_map { |key| Array.new(50) { key.call(chance) } }
    [*STRONG, *made].each { |secret| assert_operator Guessing.bits(secret), :>=, Guessing::ENOUGH, secret }
    ScalingoStagingSync.configuration.anonymization_secret = STRONG[1]
  end

  def test_the_encoding_of_a_key_changes_nothing
    ["пароль-секрет-12345", "clé secrète de staging", SECRET].each do |secret|
      assert_in_delta Guessing.bits(secret), Guessing.bits(secret.encode("UTF-16LE"))
    end
    assert_operator Guessing.bits("\xFF\xFE" * 20), :<, Guessing::ENOUGH
  end

  # What SecureRandom gives has such patterns and words by chance, which must not count.
  def test_a_word_or_a_year_within_a_key_made_by_chance_does_not_spoil_it
    ["Zk93jfQmSecretXbLw77Tt", "2024Zk93jfQmPq20XbLw", "Pass9Zk3jfQ!mPq0X", "550e8400-e29b-41d4-a716-202401010000"].each do |secret|
      assert_operator Guessing.bits(secret), :>=, Guessing::ENOUGH, secret
    end
  end

  def test_a_short_key_is_refused_however_hard_to_guess
    assert_raises(ArgumentError) { ScalingoStagingSync.configuration.anonymization_secret = "k7#Qz!9wPx2&Lm4" }
  end
end

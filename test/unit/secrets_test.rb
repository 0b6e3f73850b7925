# frozen_string_literal: true

require "test_helper"
require "active_support/core_ext/object/instance_variables"
require "active_support/core_ext/object/json"
require "json"
require "pp" # rubocop:disable Lint/RedundantRequireStatement -- PP itself is named here
require "securerandom"
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
      inspect: object.inspect, to_s: object.to_s, interpolated: object.to_s, pp: PP.pp(object, +""),
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
      ScalingoStagingSync::Support::Confirmation.new, ScalingoStagingSync::Support::EnvironmentValidator.new,
      ScalingoStagingSync::Support::Preflight.new, ScalingoStagingSync::Support::Variables.new, ScalingoStagingSync::Support::EngineCall.new(native: FakeNative.new),
      ScalingoStagingSync::Support::ProgressReporter.new, ScalingoStagingSync::Testing::Tester.new,
      ScalingoStagingSync::Database::AuditSeal.new, ScalingoStagingSync::Database::PiiScanner.new(STAGING_URL),
      ScalingoStagingSync::Integrations::ScalingoApiClient.new, ScalingoStagingSync::EngineSettings.new(config),
      ScalingoStagingSync::Support::DatabaseUrl.parse(STAGING_URL)
    ].each do |object|
      refute_shown(object)
      next if object.is_a?(ScalingoStagingSync::Support::DatabaseUrl)

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
    [settings.inspect, settings.to_json, YAML.dump(settings), PP.pp(settings, +"")].each do |text|
      HUSH.each { |secret| refute_includes text, secret }
    end
    assert_raises(TypeError) { Marshal.dump(settings) }
    native = FakeNative.new
    ScalingoStagingSync::Support::EngineCall.new(native:, reporter:).run(settings)
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
      "the audit's seal" => -> { ScalingoStagingSync::Database::AuditSeal.new.verify!("nowhere.json") }
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
    "https://hooks.slack.com/services/hush", "postgres://user:hu/sh ?#hush@db.example/shop", "host=db password=hush", "tk-us-hush"
  ].freeze

  Echo = ScalingoStagingSync::Support::Echo

  def test_what_may_hold_credentials_is_not_quoted
    [*URLS, *URLS.map { |url| File.expand_path(url, "/app") }].each do |text|
      assert_equal Echo::HIDDEN, Echo.of(text), text
      [text, [text], { text => 1 }, { table: text }, text.to_sym, Pathname(text)].each { |value| refute_includes Echo.inspect(value), "hush" }
    end
  end

  def test_names_and_paths_are_quoted_as_they_are
    ["users", "public.users", "tmp/shop.dump", "/app/ada@example/shop.dump", "C:/shop.dump", "my app's backup 10:30.dump"].each do |text|
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
        error = assert_raises(ScalingoStagingSync::ConfigurationError) { ScalingoStagingSync::Support::Preflight.new(config:).check! }
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
      "audit:verify[file]" => -> { ScalingoStagingSync::Database::AuditSeal.new.verify!(url) },
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

  WEAK = [
    "a" * 16, "a" * 200, "ab" * 20, "abc" * 20, "a1" * 30, "0123456789abcdef", "0123456789abcdef" * 8, "abcdefghijklmnopqrstuvwxyz",
    "zyxwvutsrqponmlk", "97531975319753197531", "1234567890123456", "0000000000000001", "aaaaaaaabbbbbbbb", "qwertyuiopasdfgh",
    "azertyuiopqsdfghjklm", "changemechangeme", "secretsecretsecretsecret", "please-change-this-secret-key", "your-secret-key-here",
    "my anonymization secret", "scalingo-staging-sync-secret-2026", "ScalingoStaging2024!!", "password12345678", "elephant-umbrella",
    "correct horse battery staple"
  ].freeze

  STRONG = [
    SECRET, "correct horse battery staple lamp onion", "Correct-Horse-Battery-Staple-Lamp-Onion", "correcthorsebatterystaplelamponion",
    "cheval agrafe pile lampe oignon correct", "550e8400-e29b-41d4-a716-446655440000"
  ].freeze

  def test_a_key_that_can_be_guessed_is_refused_however_long_it_is
    WEAK.each do |secret|
      assert_raises(ArgumentError, secret) { ScalingoStagingSync.configuration.anonymization_secret = secret }
    end
  end

  def test_a_key_made_by_chance_and_six_words_are_taken
    made = Array.new(50) { [SecureRandom.hex(16), SecureRandom.hex(32), SecureRandom.base64(24), SecureRandom.bytes(32)] }.flatten
    [*STRONG, *made].each { |secret| assert_operator Guessing.bits(secret), :>=, Guessing::ENOUGH, secret }
    ScalingoStagingSync.configuration.anonymization_secret = STRONG[1]
  end

  def test_a_short_key_is_refused_however_hard_to_guess
    assert_raises(ArgumentError) { ScalingoStagingSync.configuration.anonymization_secret = "k7#Qz!9wPx2&Lm4" }
  end
end

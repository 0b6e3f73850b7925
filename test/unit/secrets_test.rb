# frozen_string_literal: true

require "test_helper"
require "active_support/core_ext/object/instance_variables"
require "active_support/core_ext/object/json"
require "json"
require "pp" # rubocop:disable Lint/RedundantRequireStatement -- PP itself is named here
require "yaml"

# Nothing that prints, serialises or reports an object shows a secret within its reach.
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
    # A backup behind a link needs no token, see the next test.
    values = ScalingoStagingSync::Configuration.options.values.select(&:secret).reject { |option| option.name == :backup_url }.to_h do |option|
      value = "https://hush.example/7Kq-vP2m-wX9z-tR4b/#{option.name}"
      value = "5ec2e7#{"0" * 58}" if option.name == :seal_key
      value = "postgres://hush:7Kq-vP2m-wX9z@hush.example/#{option.name}" if option.name == :workspace_url
      config.public_send(:"#{option.name}=", value)
      [option.name, value]
    end
    shown = [config, ScalingoStagingSync::EngineSettings.new.to_h].map { |object| object.inspect + object.to_json + YAML.dump(object) }.join
    values.each { |name, value| refute_includes shown, value, name }
    given = Marshal.dump(to_engine(config))
    (values.keys - %i[slack_webhook_url seal_key source_url source_token workspace_url]).each { |name| assert_includes given, values[name], "#{name} does not reach the engine" }
  end

  def test_the_link_to_a_backup_is_a_secret_that_reaches_the_engine_alone
    config = ScalingoStagingSync.configuration
    config.backup_url = "https://hush.example/hush-hush?signature=1"
    [config, ScalingoStagingSync::EngineSettings.new.to_h].each { |object| refute_shown(object) }
    assert_equal({ "link" => "https://hush.example/hush-hush?signature=1" }, to_engine(config).fetch("source"))
    config.backup_file = "tmp/a.dump"
    assert_equal %w[file], to_engine(config).fetch("source").keys
  end

  def test_the_password_of_a_rule_is_a_secret_that_reaches_the_engine
    config = ScalingoStagingSync.configuration
    [:password, "password"].each do |key|
      rule = ->(password) { [{ table: "users", columns: { "encrypted_password" => { mask: "password", key => password } } }] }
      config.anonymization_tables = rule["pw-of-staging"]
      fingerprint = ScalingoStagingSync::EngineSettings.new.fingerprint
      [config, ScalingoStagingSync::EngineSettings.new.to_h, config.anonymization_tables].each { |object| refute_shown(object) }
      assert_raises(TypeError) { Marshal.dump(config) }
      assert_equal "pw-of-staging", to_engine(config).dig("masking", "rules", 0, "columns", "encrypted_password", "password")
      config.anonymization_tables << { table: "admins", strategy: :user_anonymization }
      assert_equal 2, config.anonymization_tables.size
      config.anonymization_tables = rule["another one"]
      assert_equal fingerprint, ScalingoStagingSync::EngineSettings.new.fingerprint, "an audit would let its reader test guesses"
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
    assert_equal given, to_engine(ScalingoStagingSync.configuration)
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

  def test_a_sample_of_production_shows_no_value
    sample = { table: "public.users", columns: %w[email], masked: %w[email], before: [%w[hush-hush]], after: [%w[hush-hush]] }
    refute_shown(ScalingoStagingSync::Preview::Sample.of(sample))
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

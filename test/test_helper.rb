# frozen_string_literal: true

$LOAD_PATH.unshift(File.expand_path("../lib", __dir__))

require "minitest/autorun"
require "stringio"
require "tmpdir"
require "logger"
require "scalingo_staging_sync"

# What most tests need: a configuration of their own, and an environment without surprises.
module TestHelpers
  # The variables that the gem reads. Each test begins without them.
  VARIABLES = %w[
    APP REGION_NAME DATABASE_URL SCALINGO_POSTGRESQL_URL SCALINGO_API_TOKEN SCALINGO_AUTH_URL SCALINGO_API_URL
    SCALINGO_DB_URL CONTAINER BACKUP_FILE FORCE_BACKUP_DOWNLOAD DRY_RUN FORCE CI CONTINUOUS_INTEGRATION VERBOSE SCAN FORMAT
    STAGING_SYNC_SEAL_KEY STAGING_SYNC_URL STAGING_SYNC_TOKEN MAX_AGE BACKUP_URL
  ].freeze

  SECRET = "5f0c9ae17b3d42860e9b71c4d2a8f635"
  STAGING_URL = "postgres://app:pw-of-staging@staging-db.example.com:31000/app_staging?sslmode=prefer"

  def before_setup
    super
    @environment_before = ENV.to_h.slice(*VARIABLES)
    VARIABLES.each { |name| ENV.delete(name) }
    ScalingoStagingSync.reset_configuration!
    ScalingoStagingSync::Database::AnonymizationStrategies.reset!
  end

  def after_teardown
    VARIABLES.each { |name| ENV.delete(name) }
    ENV.update(@environment_before)
    super
  end

  # @param variables [Hash{String => String, nil}] variables for the length of the block
  def with_env(variables)
    before = variables.keys.to_h { |name| [name, ENV.fetch(name, nil)] }
    ENV.update(variables)
    yield
  ensure
    ENV.update(before)
  end

  # For tests that hand over a value of the wrong type on purpose: `rake test:rbs` would complain of that itself.
  def deliberately_mistyped
    skip "its types are wrong on purpose" if defined?(RBS::Test)
  end

  # For tests that check the caller's line: `rake test:rbs` puts lines of its own between.
  def looks_at_the_line_that_called
    skip "there is another between" if defined?(RBS::Test)
  end

  # A configuration with which a run from Scalingo would begin; the variables of a staging app are set too.
  def staging_config
    ENV.update("APP" => "my-app-staging", "DATABASE_URL" => STAGING_URL)
    ScalingoStagingSync.configure do |config|
      config.clone_source_scalingo_app_name = "my-app-production"
      config.scalingo_api_token = "tk-us-secret-token"
      config.anonymization_secret = SECRET
      config.anonymization_tables = [{ table: "users", strategy: :user_anonymization, translation: "utilisateurs" }]
      config.logger = Logger.new(log)
    end
  end

  # A configuration made as an initializer makes it: what is wrong there is kept for the tasks.
  def configured(&)
    ScalingoStagingSync.reset_configuration!
    ScalingoStagingSync.configuration.logger = Logger.new(log)
    ScalingoStagingSync.configure(&)
  end

  # @return [Hash{String => Object}] what the engine is handed, with the secrets in it
  def to_engine(config)
    ScalingoStagingSync::Secret.reveal(ScalingoStagingSync::EngineSettings.new(config).to_h)
  end

  # @return [StringIO] what was logged
  def log
    @log ||= StringIO.new
  end

  # @return [StringIO] what the terminal shows
  def terminal
    @terminal ||= StringIO.new
  end

  def reporter(**options)
    ScalingoStagingSync::Terminal::ProgressReporter.new(
      logger: ScalingoStagingSync.configuration.logger, terminal:, **options
    )
  end

  # Stands for the native library: keeps what it was called with, yields events, and returns or raises.
  class FakeNative
    REPORT = {
      backup: { id: "bk-1", created_at: "2026-01-02T03:04:05Z", size: 1_200_000, origin: "my-app-production, ad-1",
                sha256: "ab" * 32, database: "prod", server_version: "17.2", dump_version: "17.2" },
      tables: [
        { table: "public.users", rows: 50_000, bytes: 9_000_000, seconds: 1.25,
          columns: [{ name: "email", mask: "e-mail pseudonym", mask_data: { kind: "mask_email" }, masked: 49_000, kept: 0, nulls: 1000, violations: 0 }] },
        { table: "public.orders", rows: 2, bytes: 60, seconds: 0.1, columns: [] }
      ],
      excluded: ["public.sessions"],
      left_out: [{ kind: "EXTENSION", name: "pg_stat_statements", why: "The role may not create it." }],
      warnings: [], large_objects: 3, steps: 12, verified: true,
      phases: [{ name: "rows", seconds: 1.5 }], seconds: 12.3
    }.freeze

    PREVIEW = {
      would_succeed: true, problems: [], warnings: [], backup: REPORT[:backup],
      tables: [{ table: "public.users", action: "mask", columns: [{ name: "email", mask: "e-mail pseudonym", mask_data: { kind: "mask_email" } }],
                 last_rows: 50_000, compressed_bytes: nil },
               { table: "public.sessions", action: "without_rows", columns: [], last_rows: nil, compressed_bytes: nil }],
      not_valid: [], left_out: [],
      target: { database: "app_staging", role: "app", server_version: "17.2", size: 8_000_000, state: "complete",
                drops: { table: 12 }, dropped_tables: [], lost_tables: [], large_objects: 0, sessions: [], missing_extensions: [] }
    }.freeze

    FOUND = {
      origin: "my-app-production", tables: 3, rules: "config.anonymization_tables += [\n]\n", warnings: ["Mind this."],
      findings: [
        { table: "public.users", column: "email", kind: "email", heading: "contact", confidence: 0.97, found_by: "both",
          reason: 'named "email"', values: 1200, count: 1100, share: 0.917, status: "uncovered", because: nil, mask: nil, rule: nil },
        { table: "public.users", column: "phone", kind: "phone", heading: "contact", confidence: 0.9, found_by: "name",
          reason: 'named "phone"', values: 0, count: 0, share: 0.0, status: "ignored", because: "invented", mask: nil, rule: nil }
      ]
    }.freeze

    EXAMINATION = {
      database: "app_staging", role: "app", server_version: "17.2", tls: "TLSv1.3",
      privileges: [{ name: "create a schema", granted: true, optional: false, remedy: "Grant it." }]
    }.freeze

    attr_reader :calls

    def initialize(events: [], report: REPORT, error: nil, &during)
      @events = events
      @report = report
      @error = error
      @during = during
      @calls = []
    end

    def plan(settings, &) = call(:plan, [settings], PREVIEW, &)
    def sample(settings, table, &) = call(:sample, [settings, table], {}, &)
    def why(settings, table, id, &) = call(:why, [settings, table, id], [], &)
    def scan(settings, place, &) = call(:scan, [settings, place], FOUND, &)
    def examine(settings, &) = call(:examine, [settings], EXAMINATION, &)
    def cleanup(settings, &) = call(:cleanup, [settings], { runs: 0, read_only_role: false, sessions: 0 }, &)
    def run(settings, &) = call(:run, [settings], @report, &)
    def dump(settings, into, &) = call(:dump, [settings, into], @report, &)
    def anonymize(settings, &) = call(:anonymize, [settings], @report, &)
    def fetch(settings, directory, &) = call(:fetch, [settings, directory], "#{directory}/backup.pgsql", &)
    def engine_version = ScalingoStagingSync::VERSION

    private

    def call(name, arguments, result, &)
      @calls << [name, *arguments]
      @events.each(&)
      @during&.call
      raise @error if @error

      result
    end
  end
end

Minitest::Test.include(TestHelpers)

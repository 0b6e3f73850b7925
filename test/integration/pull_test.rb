# frozen_string_literal: true

require_relative "integration_helper"
require_relative "../support/masked_archive"
require_relative "../support/store_server"
require_relative "../support/terminal"
require_relative "../support/web_app"

# A laptop takes the masked archive from staging: by its server, by the service that it is published to, or from a file. The
# archive is pg_dump's, of a database that a real run has masked.
class PullTest < IntegrationTest
  KEY = "5f0c9ae17b3d42860e9b71c4d2a8f635"

  # Staging's app, with the archive, and the app on the laptop, in development, which has neither the key nor a rule.
  Scene = Struct.new(:web, :staging, :archive, :laptop, :store) do
    def drop
      web.stop
      store.stop
      staging.drop
    end
  end

  def scene = Shared.made(:pull_scene) { make_scene }

  def make_scene
    directory = "#{Shared.directory}/pull"
    FileUtils.mkdir_p(directory)
    staging = Postgres.create_staging
    store = StoreServer.new("#{directory}/store")
    masked = Postgres.create_database("masked")
    run!(source: shop_dump, target: masked.url, rules: SHOP_RULES)
    archive = masked.dump("#{directory}/staging.dump")
    masked.drop
    ScalingoStagingSync.configuration.anonymization_secret = KEY
    MaskedArchive.seal(archive, tables: { "public.users" => SHOP_USERS })
    Scene.new(web_app(directory, staging, archive), staging, archive, laptop(directory, store), store)
  end

  def web_app(directory, staging, archive)
    rails = RailsApp.new("#{directory}/staging", database_url: staging.url, preloaded: true)
    rails.configure(<<~RUBY)
      config.anonymization_secret = #{KEY.inspect}
      config.archive_file = #{archive.inspect}
      config.server_enabled = true
    RUBY
    WebApp.new(rails)
  end

  def laptop(directory, store)
    rails = RailsApp.new("#{directory}/laptop", database_url: "postgres://nowhere/none", gem: RailsApp::IN_DEFAULT_GROUP, preloaded: true,
                                                environment: { "RAILS_ENV" => "development", "RACK_ENV" => "development", "APP" => nil,
                                                               "SECRET_KEY_BASE" => "fedcba9876543210" * 8, "SCALINGO_POSTGRESQL_URL" => nil })
    StoreServer.install(rails)
    rails.write("config/environments/development.rb", rails.read("config/environments/staging.rb"))
    rails.write("config/database.yml", rails.read("config/database.yml").sub("staging:", "development:"))
    rails.write("config/storage.yml", "linked: { service: Linked, root: \"#{store.root}\", url: \"#{store.url}\" }\n")
    rails.configure("config.publish_service = ENV[\"SERVICE\"]\n")
    rails
  end

  def web = scene.web

  # What the task `token` has printed for the laptop, made once.
  def credentials
    printed = Shared.made(:pull_credentials) { web.rails.rake("scalingo_staging_sync:token[laptop]").output }
    printed.scan(/^(STAGING_SYNC_\w+)=(\w+)$/).to_h
  end

  def by_server = credentials.merge("STAGING_SYNC_URL" => web.url)
  def by_store = credentials.slice("STAGING_SYNC_SEAL_KEY").merge("SERVICE" => "linked")

  # A database of the developer's own.
  def development = @development ||= new_database("development")

  def pull(environment, file = nil)
    scene.laptop.rake("scalingo_staging_sync:pull#{"[#{file}]" if file}", environment: { "DATABASE_URL" => development.url }.merge(environment))
  end

  def assert_pulled(result)
    assert result.success?, result.output
    assert_equal SHOP_USERS.to_s, development.value("SELECT count(*) FROM users")
    assert_nothing_raw development
    assert_equal "development", development.value("SELECT value FROM ar_internal_metadata WHERE key = 'environment'")
    assert_equal "complete|pull|complete", development.value("SELECT concat_ws('|', s.status, mode, r.status) FROM scalingo_staging_sync.state s JOIN scalingo_staging_sync.runs r USING (run_id)")
    refute_match(/#{credentials["STAGING_SYNC_TOKEN"]}|#{credentials["STAGING_SYNC_SEAL_KEY"]}|postgres:/, result.output)
    assert_empty Dir["#{scene.laptop.directory}/tmp/staging_sync_pull_*"]
  end

  def refused(result, error)
    assert_equal 1, result.status.exitstatus, result.output
    assert_includes result.output, "ScalingoStagingSync::#{error}: "
    refute_match(/rake aborted|\.rb:\d+:in|#{credentials["STAGING_SYNC_TOKEN"]}/, result.output)
    assert_empty Dir["#{scene.laptop.directory}/tmp/staging_sync_pull_*"]
    result.output
  end

  def test_a_laptop_pulls_from_stagings_server_without_a_rule_or_a_token_of_scalingo
    result = pull(by_server)
    assert_pulled result
    assert_match(/Pulling the masked archive of \d{4}-\d\d-\d\d \d\d:\d\d UTC \(.+\), of shop-production, from the server on 127\.0\.0\.1\./, result.output)
    assert_match(/Done in .+: \d+ tables, [\d,]+ rows, verified\./, result.output)
    status = scene.laptop.rake("scalingo_staging_sync:status", environment: { "DATABASE_URL" => development.url }).output
    assert_includes status.tr("\n", " "), "It comes from the backup bk-1 of 2026-11-28 02:00 UTC"
    assert_includes status.tr("\n", " "), "of shop-production, by way of the server on 127.0.0.1."
    assert_includes status, "pull: done"
    assert_equal scene.staging.database.value("SELECT bytes FROM scalingo_staging_sync.accesses WHERE request = 'GET /archive' ORDER BY id DESC LIMIT 1").to_i,
                 File.size(scene.archive)
  end

  def test_the_rows_of_named_tables_come_and_the_others_are_created_empty
    output = refused(pull(by_server.merge("TABLES" => "users,nowhere")), "PlanError")
    assert_includes output, "nowhere"
    assert_nil development.value("SELECT to_regclass('users')")
    result = pull(by_server.merge("TABLES" => "users"))
    assert result.success?, result.output
    assert_equal [SHOP_USERS.to_s, "0", "0"], %w[users emails addresses].map { |table| development.value("SELECT count(*) FROM #{table}") }
    assert_equal "complete", development.value("SELECT status FROM scalingo_staging_sync.state")
    assert_pulled pull(by_server)
  end

  # The same rows, in the same schema, as pg_restore makes of the archive.
  def test_what_is_pulled_is_what_pg_restore_makes_of_the_archive
    restored = new_database("restored")
    restored.restore(scene.archive)
    assert_pulled pull(by_server)
    # Rails' own table, which every app has, is written by the pull.
    skipped = ["-T", "ar_internal_metadata", "-T", "schema_migrations"]
    assert_same_text restored.canonical_dump(*skipped), development.canonical_dump(*skipped), "the pulled database is another"
  end

  def test_a_laptop_pulls_what_is_published
    published(scene.archive)
    result = pull(by_store)
    assert_pulled result
    assert_includes result.output, "from the service linked."
  ensure
    FileUtils.rm_f(Dir["#{scene.store.root}/*"])
  end

  # Publishes it by way of the laptop's own services, under staging's key.
  def published(archive)
    result = scene.laptop.rake("scalingo_staging_sync:publish[#{archive}]", environment: by_store.merge("DATABASE_URL" => development.url))
    assert result.success?, result.output
  end

  def test_a_laptop_loads_an_archive_from_a_file
    result = pull(credentials.slice("STAGING_SYNC_SEAL_KEY"), scene.archive)
    assert_pulled result
    assert_includes result.output, "Loading the masked archive of"
    assert_path_exists scene.archive
  end

  # From production's backup to a laptop, by the tasks alone: what a dump wrote is pulled as a run fills staging.
  def test_a_dump_that_is_published_fills_a_laptop_as_a_run_fills_staging
    staging, database, = new_app(configuration: <<~RUBY)
      config.clone_source_scalingo_app_name = "shop-production"
      config.anonymization_secret = #{KEY.inspect}
      config.anonymization_tables = #{SHOP_RULES.map { |table, strategy| { table:, strategy: } }.inspect}
      config.archive_file = "tmp/staging.dump"
      config.publish_service = "linked"
    RUBY
    FileUtils.mkdir_p("#{staging.directory}/tmp")
    StoreServer.install(staging)
    staging.write("config/storage.yml", scene.laptop.read("config/storage.yml"))
    %w[run dump publish].each do |task|
      result = staging.rake("scalingo_staging_sync:#{task}")
      assert result.success?, result.output
    end
    assert_pulled pull(by_store)
    development.exec("DROP EXTENSION pg_stat_statements") # which staging's role may not create
    skipped = ["-T", "ar_internal_metadata", "-T", "schema_migrations"]
    assert_same_text database.database.canonical_dump(*skipped), development.canonical_dump(*skipped), "the laptop has other data than staging"
  ensure
    FileUtils.rm_f(Dir["#{scene.store.root}/*"])
  end

  def test_what_no_pull_has_filled_is_replaced_only_when_a_person_says_so_and_the_next_pull_asks_nothing
    development.exec("CREATE TABLE public.mine (id int)")
    before = development.canonical_dump
    assert_includes refused(pull(by_server), "ConfirmationError"), "there is no terminal to type it in"
    typed = lambda do |answer|
      Terminal.run("bundle", "exec", "rake", "scalingo_staging_sync:pull", directory: scene.laptop.directory, typed: answer,
                                                                           environment: scene.laptop.environment.merge(by_server, "DATABASE_URL" => development.url))
    end
    no = typed.call("no\n")
    assert_equal 1, no.status.exitstatus, no.raw
    assert_includes no.raw, "No run has filled it, so no run can bring back what is in it."
    assert_equal before, development.canonical_dump
    assert_equal 0, typed.call("#{development.name}\n").status.exitstatus
    assert_pulled pull(by_server)
    assert_pulled pull(by_server.merge("VERBOSE" => "1"))
  end

  def test_a_database_that_is_not_there_is_said_so_before_its_name_is_asked_for
    missing = { "DATABASE_URL" => development.url.sub(development.name, "not_there") }
    assert_includes refused(pull(by_server.merge(missing)), "TargetConnectionError"), "The target database could not be asked"
  end

  def test_in_production_nothing_is_pulled
    assert_untouched(development) do
      refused(pull(by_server.merge("RAILS_ENV" => "production", "FORCE" => "1")), "Support::EnvironmentValidator::ProductionEnvironmentError")
      refused(pull(by_server.merge("APP" => "shop-prod", "FORCE" => "1")), "Support::EnvironmentValidator::ProductionEnvironmentError")
    end
  end

  def test_without_somewhere_to_pull_from_a_token_or_a_valid_one_it_says_what_to_set
    {
      {} => ["ConfigurationError", "Set STAGING_SYNC_URL and STAGING_SYNC_TOKEN"],
      { "STAGING_SYNC_URL" => web.url } => ["ConfigurationError", "Set STAGING_SYNC_TOKEN"],
      by_server.merge("STAGING_SYNC_TOKEN" => "a" * 64) => ["StoreError", "does not accept the token"],
      by_server.merge("STAGING_SYNC_SEAL_KEY" => nil) => ["VerificationError", "was sealed under another key"],
      by_server.merge("STAGING_SYNC_URL" => "#{web.url}/nowhere") => ["StoreError", "has no archive, or is switched off"],
      by_server.merge("STAGING_SYNC_URL" => "http://staging.example.com/staging_sync") => ["ConfigurationError", "in the clear"],
      by_server.merge("DRY_RUN" => "1") => ["ConfigurationError", "A dry run is asked for"],
      by_store => ["StoreError", "Nothing is published in the service linked"]
    }.each { |environment, (error, sentence)| assert_includes refused(pull(environment), error), sentence }
    assert_nil development.value("SELECT to_regnamespace('scalingo_staging_sync')")
  end

  # It ends before anything is touched, and a raw archive is refused.
  def test_an_archive_that_was_changed_is_not_loaded
    changed = file("changed.dump", File.binread(scene.archive))
    FileUtils.cp("#{scene.archive}.json", "#{changed}.json")
    whole = File.binread(changed)
    bytes = flipped(whole, whole.bytesize / 2)
    # In the header, the table of contents, the rows and the end.
    damaged = [*[1, 60, 3000, whole.bytesize - 1].map { |at| flipped(whole, at) }, bytes, whole[0, 3000], whole[0...-1]]
    assert_untouched(development) do
      damaged.each do |content|
        File.binwrite(changed, content)
        assert_includes refused(pull(credentials, changed), "VerificationError"), "is not the one that its manifest describes"
      end
      assert_includes refused(pull(credentials, shop_dump), "ConfigurationError"), "has no manifest"
      published(scene.archive)
      stored = Dir["#{scene.store.root}/*.dump"].first
      File.binwrite(stored, bytes)
      assert_includes refused(pull(by_store.merge("FORCE" => "1")), "VerificationError"), "is not the archive that its sealed manifest describes"
    end
  ensure
    FileUtils.rm_f(Dir["#{scene.store.root}/*"])
  end

  def flipped(bytes, at) = bytes.dup.tap { |changed| changed.setbyte(at, changed.getbyte(at) ^ 1) }
end

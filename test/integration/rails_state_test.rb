# frozen_string_literal: true

require "test_helper"
require "active_record"
require "open3"

# What the gem does to a restored database by way of ActiveRecord, against a real PostgreSQL.
class RailsStateTest < Minitest::Test
  RailsState = ScalingoStagingSync::Database::RailsState

  # A model, so that there is a schema to be remembered.
  class Shop < ActiveRecord::Base
    self.table_name = "shops"
  end

  def setup
    url = ENV.fetch("TEST_PG_URL") { flunk "TEST_PG_URL is not set: run this by bin/with-postgres or bin/test" }
    @database = "rails_state_#{Process.pid}_#{rand(1_000_000)}"
    ActiveRecord::Base.establish_connection(url)
    ActiveRecord::Base.connection.create_database(@database)
    @migrations = Dir.mktmpdir
    @url = url.sub(%r{/[^/]*\z}, "/#{@database}")
    hash = { url: @url, adapter: "postgresql", migrations_paths: [@migrations] }
    ActiveRecord::Base.establish_connection(hash)
    ActiveRecord::Migration.verbose = false
    RailsState.forget_schema
    @admin = url
    execute("CREATE TABLE shops (id bigint PRIMARY KEY, name text)")
    restored_from_production
  end

  def teardown
    RailsState.release_connections
    ActiveRecord::Base.establish_connection(@admin)
    ActiveRecord::Base.connection.drop_database(@database)
    ActiveRecord::Base.remove_connection
    FileUtils.rm_rf([@migrations, "#{@migrations}_queue", "#{@migrations}_cache"])
  end

  def restored_from_production
    execute("CREATE TABLE schema_migrations (version varchar PRIMARY KEY)")
    execute("INSERT INTO schema_migrations VALUES ('20250101000000')")
    execute("CREATE TABLE ar_internal_metadata (key varchar PRIMARY KEY, value varchar, " \
            "created_at timestamp NOT NULL, updated_at timestamp NOT NULL)")
    execute("INSERT INTO ar_internal_metadata VALUES ('environment', 'production', now(), now())")
    migration("20250101000000", "InProductionAlready", "raise 'ran twice'")
  end

  def migration(version, name, body)
    File.write("#{@migrations}/#{version}_#{name.gsub(/(?<!\A)([A-Z])/, '_\1').downcase}.rb",
               "class #{name} < ActiveRecord::Migration[7.2]\n  def up\n    #{body}\n  end\nend\n")
  end

  def execute(sql)
    ActiveRecord::Base.connection.execute(sql)
  end

  def test_only_pending_migrations_run_and_the_models_see_the_new_columns
    assert_equal %w[id name], Shop.column_names
    migration("20250201000000", "AddCity", "add_column :shops, :city, :text")
    migration("20250202000000", "AddCountry", "add_column :shops, :country, :text")
    labels = []
    assert_equal(2, RailsState.migrate { |label| labels << label })
    assert_equal ["20250201000000 AddCity", "20250202000000 AddCountry"], labels
    assert_equal %w[id name city country], Shop.column_names
    assert_equal 0, RailsState.migrate
  end

  # A later Rails may do away with ActiveRecord::Base.connection, which keeps a connection for as long as its thread lives.
  def test_nothing_needs_a_connection_that_is_kept
    migration("20250201000000", "AddCity", "add_column :shops, :city, :text")
    before = ActiveRecord.permanent_connection_checkout
    ActiveRecord.permanent_connection_checkout = :disallowed
    ActiveRecord::Base.connection_pool.release_connection
    assert_raises(ActiveRecord::ActiveRecordError) { ActiveRecord::Base.connection }
    history = ScalingoStagingSync::Database::History.new
    assert_equal [1, :complete, [], nil], [RailsState.migrate, history.state, history.runs, history.current]
    RailsState.record_environment
    RailsState.forget_schema
    assert_equal [2, 0], RailsState.migrations.map(&:size)
  ensure
    ActiveRecord.permanent_connection_checkout = before
  end

  # --- the databases of a new Rails app: primary, cache, queue, cable -------------------------------

  # The environment has these beside the primary database.
  def with_siblings(siblings)
    before = ActiveRecord::Base.configurations
    environment = ActiveRecord::ConnectionHandling::DEFAULT_ENV.call
    primary = { "adapter" => "postgresql", "url" => @url, "migrations_paths" => [@migrations] }
    ActiveRecord::Base.configurations = { environment => { "primary" => primary }.merge(siblings) }
    ActiveRecord::Base.establish_connection(:primary)
    yield
  ensure
    ActiveRecord::Base.configurations = before
  end

  # @return [Array<String>] the names of those in the target, and of those apart
  def names
    databases = ScalingoStagingSync::Database::SiblingDatabases.new
    [databases.shared, databases.apart].map { |list| list.map(&:name) }
  end

  def test_a_database_is_in_the_target_when_it_is_the_target_under_another_name
    other = { "adapter" => "postgresql", "url" => @url.sub(@database, "other") }
    by_parts = { "adapter" => "postgresql", "host" => "127.0.0.1", "port" => ENV.fetch("TEST_PG_PORT"), "database" => @database }
    with_siblings("queue" => { "adapter" => "postgresql", "url" => @url }, "cache" => by_parts, "cable" => other,
                  "local" => { "adapter" => "sqlite3", "database" => @database },
                  "primary_replica" => { "adapter" => "postgresql", "url" => @url, "replica" => true },
                  "reports" => { "adapter" => "postgresql", "url" => @url, "database_tasks" => false }) do
      assert_equal [%w[queue cache reports], %w[cable local]], names
    end
    with_siblings({}) { assert_equal [[], []], names }
  end

  def test_migrations_run_for_the_primary_database_and_for_what_shares_it_and_for_no_other
    queue, cache = %w[queue cache].map { |name| "#{@migrations}_#{name}".tap { |folder| FileUtils.mkdir_p(folder) } }
    File.write("#{queue}/20250401000000_add_queue.rb",
               "class AddQueue < ActiveRecord::Migration[7.2]\n  def change = add_column(:shops, :queue, :text)\nend\n")
    File.write("#{cache}/20250401000001_add_cache.rb", "class AddCache < ActiveRecord::Migration[7.2]\n  def change = raise('not here')\nend\n")
    migration("20250201000000", "AddCity", "add_column :shops, :city, :text")
    with_siblings("queue" => { "adapter" => "postgresql", "url" => @url, "migrations_paths" => queue },
                  "again" => { "adapter" => "postgresql", "url" => @url, "migrations_paths" => queue },
                  "cache" => { "adapter" => "postgresql", "url" => @url.sub(@database, "other"), "migrations_paths" => cache }) do
      assert_equal ["20250101000000 InProductionAlready", "20250201000000 AddCity", "20250401000000 AddQueue"], RailsState.migrations.first
      labels = []
      assert_equal(2, RailsState.migrate { |label| labels << label })
      assert_equal ["20250201000000 AddCity", "20250401000000 AddQueue"], labels
      assert_empty RailsState.migrations.last
      assert_equal %w[id name city queue], Shop.column_names
    end
  end

  def test_check_says_what_a_run_does_to_the_other_databases
    cache = { "adapter" => "postgresql", "url" => "#{@url}_cache" }
    config = staging_config
    ENV["DATABASE_URL"] = @url
    { { "cache" => cache } => /^passed  Other databases: a run does not touch cache\.$/,
      { "cache" => cache, "queue" => { "adapter" => "postgresql", "url" => @url } } =>
        /^warning Other databases: a run does not touch cache; what queue keeps in the target itself is replaced/,
      {} => %r{^passed  Other databases: config/database\.yml has none\.$} }.each do |siblings, line|
      with_siblings(siblings) { ScalingoStagingSync::Testing::Tester.new(config:, output: terminal, native: FakeNative.new).run }
      assert_match line, terminal.string
    end
  end

  def test_a_failing_migration_is_named_and_shows_no_row
    execute("INSERT INTO shops VALUES (1, 'ada@lovelace.example'), (2, 'ada@lovelace.example')")
    migration("20250203000000", "UniqueNames", "add_index :shops, :name, unique: true")
    error = assert_raises(ScalingoStagingSync::MigrationError) { RailsState.migrate }
    assert_includes error.what, "20250203000000 UniqueNames"
    assert_includes error.what, "SQLSTATE 23505"
    refute_includes error.message, "ada@lovelace.example"
    assert_includes error.cause.message, "duplicate"
  end

  def test_an_apps_migrations_are_found_from_wherever_the_task_is_started
    app = File.join(@migrations, "app")
    FileUtils.mkdir_p("#{app}/db/migrate")
    File.write("#{app}/db/migrate/20250301000000_add_zip.rb",
               "class AddZip < ActiveRecord::Migration[7.2]\n  def change = add_column(:shops, :zip, :text)\nend\n")
    code = <<~RUBY
      require "rails"
      require "active_record/railtie"
      require "scalingo-staging-sync"
      class ShopApp < Rails::Application
        config.root = #{app.inspect}
        config.eager_load = false
        config.secret_key_base = "a" * 64
        config.logger = Logger.new(File::NULL)
      end
      Rails.application.initialize!
      ScalingoStagingSync::Database::RailsState.migrate { |label| puts label }
    RUBY
    library = File.expand_path("../../lib", __dir__)
    output, status = Open3.capture2e({ "DATABASE_URL" => @url, "RAILS_ENV" => "staging" },
                                     RbConfig.ruby, "-I#{library}", "-e", code, chdir: "/")
    assert_predicate status, :success?, output
    assert_includes output, "20250301000000 AddZip"
    RailsState.forget_schema
    assert_includes Shop.column_names, "zip"
  end

  def test_the_environment_is_this_one_afterwards
    RailsState.record_environment
    stored = ActiveRecord::Base.connection.select_value("SELECT value FROM ar_internal_metadata WHERE key = 'environment'")
    assert_equal ActiveRecord::ConnectionHandling::DEFAULT_ENV.call, stored
    refute_equal "production", stored
  end

  def test_connections_are_given_up_and_come_back
    before = execute("SELECT pg_backend_pid()").first["pg_backend_pid"]
    RailsState.release_connections
    refute_predicate ActiveRecord::Base, :connected?
    refute_equal before, execute("SELECT pg_backend_pid()").first["pg_backend_pid"]
  end

  def test_a_schema_that_changed_underneath_is_seen_after_it_was_forgotten
    assert_equal %w[id name], Shop.column_names
    execute("ALTER TABLE shops ADD COLUMN zip text")
    RailsState.forget_schema
    assert_equal %w[id name zip], Shop.column_names
  end

  def test_the_target_is_active_records_database_where_no_variable_names_one
    assert_equal @url, ScalingoStagingSync::EngineSettings.target_url
  end

  def test_a_variable_that_names_another_database_than_active_records_is_refused
    config = staging_config
    error = assert_raises(ScalingoStagingSync::ConfigurationError) do
      ScalingoStagingSync::Guard::Preflight.new(config:).check!
    end
    assert_includes error.what, @database
    assert_includes error.what, "app_staging"
    ENV["DATABASE_URL"] = @url
    assert_nil ScalingoStagingSync::Guard::Preflight.new(config:).check!
  end
end

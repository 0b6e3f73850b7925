# frozen_string_literal: true

require "fileutils"
require "tmpdir"
require_relative "../test/support/postgres"
require_relative "../test/support/fake_scalingo"
require_relative "../test/support/rails_app"
require_relative "measure"
require_relative "contestants"

# What the benchmarks set up before they measure: a production database, its backup as Scalingo packs it, and a Rails
# app with the gem.
class Scene
  # The rules of the benchmark's own database.
  RULES = <<~RUBY
    config.anonymization_tables = [
      { table: "users", strategy: :user_anonymization },
      { table: "phone_numbers", strategy: :phone_anonymization },
      { table: "payment_methods", strategy: :payment_anonymization }
    ]
  RUBY

  # Restarts the benchmark beside a PostgreSQL cluster of its own, unless it runs beside one already.
  def self.with_cluster(script)
    return if ENV["TEST_PG_URL"]

    exec(File.expand_path("../bin/with-postgres", __dir__), "--setting", "max_wal_size=4GB", "--setting", "shared_buffers=256MB",
         RbConfig.ruby, script, *ARGV)
  end

  # `fake` is the API and the store that the app fetches its backup from.
  attr_reader :setting, :tables, :rails_start, :rails_cpu, :rails_memory, :packed_bytes, :production, :fake

  # directory::   where everything goes; the caller removes it
  # connections:: config.parallel_connections
  # rules::       Ruby for the initializer
  # keep::        leave the production database up
  # dump::        options of pg_dump
  # The block fills the production database.
  def initialize(directory, connections:, rules: RULES, keep: false, dump: [], &fill)
    @directory = directory
    FileUtils.chmod(0o755, directory)
    @production = Postgres.create_database("production")
    fill.call(@production)
    @dump = @production.dump(path("archive.pgsql"), *dump)
    archive = Postgres.pack(@dump, directory:)
    @packed_bytes = File.size(archive)
    @tables = @production.tables
    @size = @production.value("SELECT pg_size_pretty(pg_database_size(current_database()))")
    @production.drop unless keep
    @setting = Contestants::Setting.new(archive:, masked: folder("masked"), temporary: folder("tmp"), connections:,
                                        app: make_app(archive, connections, rules))
    measure_rails
  end

  def to_s = "#{@size} in PostgreSQL, #{@packed_bytes / 1_000_000} MB packed"

  # The floor's input comes from a run of the gem, so that all end with the same rows.
  def export_masked_rows
    FileUtils.ln(@dump, File.join(@setting.masked, "archive.pgsql"))
    database = Postgres.create_database("masked")
    Contestants::Gem.new(@setting, checks: true).run(database, Measure::Watch.new(@setting.temporary))
    @tables.each do |table|
      file = File.join(@setting.masked, "#{table.delete_prefix("public.")}.copy")
      Postgres.run("psql", "-X", "-q", "-c", "\\copy #{table} TO '#{file}'", database.url)
    end
    database.drop
  end

  # Measures one run of a contestant in a fresh database, which is dropped afterwards, or with the cluster. A block gets
  # the database that the run has filled. What a run that failed has left is removed.
  def measure(contestant, drop: true)
    database = Postgres.create_database("staging")
    cost = Measure.cost(database, @setting.temporary) { |watch| contestant.run(database, watch) }
    cost.work_seconds = contestant.work_seconds || cost.seconds
    yield database if block_given?
    cost
  rescue StandardError
    FileUtils.rm_rf(Dir.children(@setting.temporary).map { |name| File.join(@setting.temporary, name) })
    raise
  ensure
    database&.drop if drop
  end

  private

  def make_app(archive, connections, rules)
    @fake = FakeScalingo.new(archive:)
    app = RailsApp.new(path("app"), database_url: Postgres.url, environment: RailsApp.variables_for(@fake).merge(Measure.saying_peak))
    app.generate
    app.configure(<<~RUBY)
      config.clone_source_scalingo_app_name = "#{@fake.app}"
      config.parallel_connections = #{connections}
      config.pii_policy = ENV["BENCH_POLICY"]&.to_sym || :warn
      config.verify_anonymization = config.run_pii_scan = config.leak_check = ENV["BENCH_CHECKS"] != "false"
      config.anonymization_audit_file = "tmp/audit.json"
      #{rules}
    RUBY
    app
  end

  # What starting Rails costs, which the gem's figures are measured against: with ActiveRecord and its connection, as any
  # task of an app has that looks into the database. `environment` alone loads neither.
  def measure_rails
    database = Postgres.create_database("rails")
    watch = Measure::Watch.new(@setting.temporary)
    begun = Measure.now
    process = @setting.app.start_rake("db:version", environment: { "DATABASE_URL" => database.url })
    watch.process(process.pid)
    result = process.wait
    raise "Rails did not start:\n#{result.output}" unless result.success?

    @rails_start = Measure.now - begun
    @rails_memory = watch.stop.peak_memory
    @rails_cpu = watch.client_cpu
    database.drop
  end

  def path(name) = File.join(@directory, name)

  def folder(name) = path(name).tap { |path| FileUtils.mkdir_p(path) }
end

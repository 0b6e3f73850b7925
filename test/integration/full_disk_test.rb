# frozen_string_literal: true

require_relative "integration_helper"
require_relative "../support/small_disk"

# A disk that fills up in the middle of a run: the server's, or the one that the gem's own files are on.
class FullDiskTest < IntegrationTest
  # More in rows than in anything else, an index that is large too, and keys.
  PRODUCTION = <<~SQL
    CREATE TABLE people (id int PRIMARY KEY, email text NOT NULL, name text);
    CREATE TABLE orders (id int PRIMARY KEY, person_id int REFERENCES people, note text, code text);
    CREATE INDEX orders_code ON orders (code);
    CREATE MATERIALIZED VIEW totals AS SELECT person_id, count(*) AS n FROM orders GROUP BY 1;
    INSERT INTO people SELECT n, 'raw' || n || '@production.example', 'Raw Name ' || n FROM generate_series(1, 500) n;
    INSERT INTO orders SELECT n, 1 + n % 500, 'raw note ' || n, repeat(md5(n::text), 6) FROM generate_series(1, 20000) n;
    REFRESH MATERIALIZED VIEW totals;
  SQL

  RULES = [{ "table" => "people", "columns" => { "email" => "email", "name" => "name" } },
           { "table" => "orders", "columns" => { "note" => "redact" } }].freeze

  def setup
    super
    skip SmallDisk.missing if SmallDisk.missing
  end

  # Rows take some five megabytes, and an index as much again.
  MOMENTS = { "rows_load" => [2500, /loading the rows of public\.orders/], "an_index_is_built" => [7500, /restoring INDEX public\.orders_code/] }.freeze

  MOMENTS.each do |moment, (kilobytes, doing)|
    define_method(:"test_a_servers_disk_that_fills_while_#{moment}_ends_the_run_with_nothing_raw_and_the_next_completes") do
      staging, disk = small_staging
      disk.leave(kilobytes)
      error = assert_run_fails ScalingoStagingSync::RestoreError, **settings(staging)
      assert_match doing, error.what
      assert_match(/the server's disk is full \(SQLSTATE 53100/, error.what)
      assert_match(/larger plan/, error.remedy)
      assert_given_up(staging)
      disk.empty
      run!(**settings(staging))
      assert_equal({ "public.people" => 500, "public.orders" => 20_000 }, staging.database.counts)
      assert_equal "complete", state(staging)
    end
  end

  CONFIGURATION = <<~RUBY
    config.clone_source_scalingo_app_name = "shop-production"
    config.anonymization_tables = [{ table: "users", strategy: :user_anonymization }]
    config.pii_policy = :mask
    config.keep_backup = true
    config.temp_dir = ENV.fetch("SMALL_DISK")
    config.anonymization_audit_file = File.join(ENV.fetch("SMALL_DISK"), "audit.json") if ENV["AUDIT"]
  RUBY

  # A run needs no disk of its own: it goes on without its copy of the backup.
  def test_a_kept_archive_that_does_not_fit_is_left_out_with_a_warning
    app, disk, staging = app_beside_a_disk
    disk.leave(8)
    result = app.rake("scalingo_staging_sync:run")
    assert result.success?, result.output
    assert_match(/could not be kept in .*: No space left.*goes on without a copy/, result.output.gsub(/\s+/, " "))
    assert_equal %w[filler], Dir.children(disk.path)
    assert_equal "complete", state(staging)
    disk.empty
    assert app.rake("scalingo_staging_sync:run").success?
    assert_equal 2, Dir.children(disk.path).size
  end

  def test_a_masked_archive_that_does_not_fit_leaves_nothing_and_the_next_one_is_whole
    app, disk, = app_beside_a_disk
    disk.leave(8)
    result = app.rake("scalingo_staging_sync:dump[#{disk.path}/masked.dump]")
    refute result.success?, result.output
    assert_match(/ConfigurationError: The archive .*could not be written: no room is left there\. .* has room for it/, result.output.gsub(/\s+/, " "))
    assert_equal %w[filler], Dir.children(disk.path)
    disk.empty
    assert app.rake("scalingo_staging_sync:dump[#{disk.path}/masked.dump]").success?
    assert_includes Dir.children(disk.path), "masked.dump"
  end

  # A run that should leave an audit and did not is not complete.
  def test_an_audit_that_does_not_fit_is_an_error_and_the_files_before_it_stay
    app, disk, staging = app_beside_a_disk("AUDIT" => "1")
    assert app.rake("scalingo_staging_sync:run").success?
    before = audits(disk)
    assert_equal 3, before.size
    disk.leave(0)
    result = app.rake("scalingo_staging_sync:run")
    refute result.success?
    assert_match(/ConfigurationError: The database is restored and masked, but the audit file .*Errno::ENOSPC.* Make room there/, result.output.gsub(/\s+/, " "))
    assert_equal before, audits(disk)
    assert_equal "incomplete", state(staging)
    disk.empty
    assert app.rake("scalingo_staging_sync:run").success?
    refute_equal before, audits(disk)
    assert_equal "complete", state(staging)
  end

  private

  def settings(staging) = { source: archive, target: staging.url, masking_options: { rules: RULES } }

  def archive = Shared.archive_of(:full_disk_archive, PRODUCTION)

  # A database all of whose files are on a small disk.
  def small_staging
    disk = SmallDisk.new(64, owner: ENV.fetch("TEST_PG_DATA"))
    later { disk.remove }
    space = "small_#{SecureRandom.hex(4)}"
    Postgres.exec("CREATE TABLESPACE #{space} LOCATION '#{disk.path}'")
    later { Postgres.exec("DROP TABLESPACE #{space}") }
    staging = new_staging
    Postgres.exec("ALTER DATABASE #{staging.database.name} SET TABLESPACE #{space}")
    [staging, disk]
  end

  # Nothing raw, no session, and a state that is true.
  def assert_given_up(staging)
    staging.database.wait_until_idle(10)
    assert_equal "incomplete", state(staging)
    assert_equal "0", staging.database.value("SELECT count(*) FROM people WHERE email LIKE 'raw%' OR name LIKE 'Raw%'")
    assert_equal "0", staging.database.value("SELECT count(*) FROM orders WHERE note LIKE 'raw%'")
  end

  def state(staging) = staging.database.value("SELECT status FROM scalingo_staging_sync.state")

  def app_beside_a_disk(variables = {})
    disk = SmallDisk.new(8)
    later { disk.remove }
    app, staging, = new_app
    app.environment.update("SMALL_DISK" => disk.path, **variables)
    [app, disk, staging]
  end

  def audits(disk) = Dir.glob("#{disk.path}/audit*").to_h { |file| [file, File.read(file)] }
end

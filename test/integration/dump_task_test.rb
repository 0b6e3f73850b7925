# frozen_string_literal: true

require "json"
require_relative "integration_helper"

# `rake scalingo_staging_sync:dump[path]` in a Rails app: the archive, the manifest beside it, and who may not have one.
class DumpTaskTest < IntegrationTest
  CONFIGURATION = <<~RUBY
    config.clone_source_scalingo_app_name = "shop-production"
    config.anonymization_tables = [
      { table: "users", strategy: :user_anonymization },
      { table: "phone_numbers", strategy: :phone_anonymization },
      { table: "payment_methods", strategy: :payment_anonymization },
      { table: "addresses", strategy: :address_anonymization },
      { table: "emails", strategy: :email_anonymization }
    ]
    config.exclude_tables = ["sessions", "audit_logs"]
    config.anonymization_audit_file = "tmp/audit.json"
    config.archive_file = "staging.dump"
  RUBY

  def test_the_archive_gets_a_sealed_manifest_and_an_audit_and_no_database_is_touched
    app, staging, fake = new_app
    assert_untouched(staging.database) do
      result = app.rake("scalingo_staging_sync:dump[made.dump]")
      assert result.success?, result.output
      assert_match(/Writing rows, masked\.$.*Reading the archive again\.$.*masked, .* in .*made\.dump and made\.dump\.json; verified\.$/m, result.output)
      refute_includes result.output, fake.token
    end
    assert_equal %w[made.dump made.dump.audit.html made.dump.audit.json made.dump.audit.txt made.dump.json], files(app, "made.dump*")
    %w[made.dump.json made.dump.audit.json].each do |file|
      sealed = app.rake("scalingo_staging_sync:audit:verify[#{file}]")
      assert sealed.success?, sealed.output
    end
    assert_manifest JSON.parse(app.read("made.dump.json")), File.join(app.directory, "made.dump")
    assert_match(/^  - Masked archive, SHA-256: \h{64}$/, app.read("made.dump.audit.txt"))

    target = new_database
    Postgres.run("pg_restore", "-e", "-d", target.url, File.join(app.directory, "made.dump"))
    assert_equal SHOP_USERS.to_s, target.value("SELECT count(*) FROM users")
    assert_nothing_raw target
  end

  PART = <<~RUBY
    config.subset = { "users" => { last: 50, by: "id" } }
    config.anonymization_rules = { "addresses" => { "city" => "'City ' || id" } }
  RUBY

  # The target, which stays unchanged, or config.workspace_url.
  def test_a_part_and_rules_in_sql_are_computed_in_temporary_tables_of_a_database
    configuration = CONFIGURATION.sub(/^  { table: "addresses".*\n/, "") + PART
    app, staging, = new_app(configuration:)
    assert_untouched(staging.database) do
      result = app.rake("scalingo_staging_sync:dump[made.dump]")
      assert result.success?, result.output
    end
    target = new_database
    Postgres.run("pg_restore", "-e", "-d", target.url, File.join(app.directory, "made.dump"))
    # A user whose referrer stays behind does, too.
    assert_includes 1..50, target.value("SELECT count(*) FROM users").to_i
    assert_equal "0", target.value("SELECT count(*) FROM addresses WHERE city NOT LIKE 'City %'")
    app.configure("#{configuration}config.workspace_url = \"postgres://someone@127.0.0.1:1/none\"\n")
    result = app.rake("scalingo_staging_sync:dump[other.dump]")
    assert_match(/TargetConnectionError: The workspace cannot be reached: .* Check the host and the port in config\.workspace_url/, result.output)
    app.configure("#{configuration}config.workspace_url = \"postgres://someone@my-production-db:1/none\"\n")
    assert_includes app.rake("scalingo_staging_sync:dump[other.dump]").output, "The database host of config.workspace_url, my-production-db, matches"
    assert_empty files(app, "other.dump*")
  end

  def test_tables_that_are_named_alone_have_rows
    app, = new_app
    result = app.rake("scalingo_staging_sync:dump[made.dump]", environment: { "TABLES" => "users" })
    assert result.success?, result.output
    manifest = JSON.parse(app.read("made.dump.json"))
    assert_equal ["public.users"], manifest["tables"].map { |table| table["table"] }
    assert_includes manifest["without_rows"], "public.emails"
  end

  def test_without_a_path_it_is_the_archive_that_is_handed_out_and_the_next_one_replaces_it
    app, = new_app
    2.times do
      result = app.rake("scalingo_staging_sync:dump")
      assert result.success?, result.output
    end
    said = app.runner(<<~RUBY)
      ScalingoStagingSync::Archives::Local.new(ScalingoStagingSync.configuration.archive_file).open { |file, manifest| puts [file.size, manifest.size].inspect }
    RUBY
    size = File.size(File.join(app.directory, "staging.dump"))
    assert_equal "[#{size}, #{size}]", said.output.lines.last.strip, said.output
  end

  def test_standard_output_holds_the_archive_and_nothing_else
    app, = new_app
    app.write("config/initializers/quiet.rb", "Rails.logger = ActiveSupport::Logger.new($stdout)\n")
    command = "bundle exec rake 'scalingo_staging_sync:dump[-]' 2>said | cat > piped.dump"
    result = WatchedProcess.run("sh", "-c", command, environment: app.environment, directory: app.directory)
    assert result.success?, result.output
    assert_match(/cannot be taken back.*in standard output; verified\./m, app.read("said"))
    target = new_database
    Postgres.run("pg_restore", "-e", "-d", target.url, File.join(app.directory, "piped.dump"))
    assert_equal SHOP_USERS.to_s, target.value("SELECT count(*) FROM users")
    assert_nothing_raw target
  end

  # Before the first byte and among the rows: the archive is longer than what a pipe holds.
  def test_a_reader_that_goes_away_ends_the_task
    app, = new_app
    ["head -c 100 >read", "true"].each do |reader|
      command = "set -o pipefail; bundle exec rake 'scalingo_staging_sync:dump[-]' 2>said | #{reader}"
      result = WatchedProcess.run("bash", "-c", command, environment: app.environment, directory: app.directory)
      assert_equal 1, result.status.exitstatus, app.read("said")
      assert_match(/ConfigurationError: What reads the archive ended before the archive did\. Look at what .*$/, app.read("said"))
      refute_match(/rake aborted|\.rb:\d+:in|Done in/, app.read("said"))
    end
    assert_equal "PGDMP", app.read("read")[0, 5]
  end

  def test_what_is_no_archive_of_the_tasks_is_not_replaced
    app, = new_app
    app.write("notes.txt", "mine")
    ["[]", ""].each do |beside|
      app.write("notes.txt.json", beside)
      assert_refused app, "scalingo_staging_sync:dump[notes.txt]", /no manifest beside it/
    end
    assert_equal "mine", app.read("notes.txt")
  end

  def test_a_dry_run_production_and_a_path_that_is_none_are_refused_before_the_backup_is_asked_for
    app, _, fake = new_app
    assert_refused app, "scalingo_staging_sync:dump[x.dump]", /A dry run is asked for/, "DRY_RUN" => "1"
    assert_refused app, "scalingo_staging_sync:dump[x.dump]", /shop-production/, "APP" => "shop-production"
    assert_refused app, "scalingo_staging_sync:dump[nowhere/x.dump]", %r{nowhere/x\.dump cannot be written: its directory does not exist\.}
    assert_refused app, "scalingo_staging_sync:dump[config]", %r{config is a directory\. Name a file in it, such as .*config/staging\.dump}
    assert_refused app, "scalingo_staging_sync:dump[x.dump]", /The variable STAGING_SYNC_SEAL_KEY is not what config\.seal_key takes: the 64 hex/, "STAGING_SYNC_SEAL_KEY" => "zz"
    assert_refused app, "scalingo_staging_sync:dump[x.dump]", /The variable BACKUP_URL is not what config\.backup_url takes: a pre-signed link/, "BACKUP_URL" => "not a link"
    app.configure(CONFIGURATION.lines.grep_v(/archive_file/).join)
    assert_refused app, "scalingo_staging_sync:dump", /No file is named for the archive\. .*dump\[tmp/
    assert_empty fake.requests
    assert_empty files(app, "x.dump*")
  end

  def test_a_rule_that_a_dump_cannot_follow_is_refused_and_says_what_to_do
    app, = new_app
    app.configure(CONFIGURATION.sub("{ table: \"users\", strategy: :user_anonymization }",
                                    "{ table: \"users\", query: \"DELETE FROM users WHERE id > 5\" }"))
    assert_refused app, "scalingo_staging_sync:dump[x.dump]", /rows of public\.users, to which rows of .* a dump cannot follow them\. .*config\.subset/
    assert_empty files(app, "x.dump*")
  end

  private

  def files(app, pattern) = Dir.glob(pattern, base: app.directory).sort

  def assert_refused(app, task, message, environment = {})
    result = app.rake(task, environment:)
    assert_equal 1, result.status.exitstatus, result.output
    assert_match message, result.output
  end

  def assert_manifest(manifest, archive)
    assert_equal %w[manifest_version kind gem_version run_id made_at source_app target_app backup rules_fingerprint archive verification
                    leak_check totals order tables without_rows left_out findings warnings seal], manifest.keys
    assert_equal [1, "masked archive", "shop-production", "shop-staging"], manifest.values_at("manifest_version", "kind", "source_app", "target_app")
    assert_equal({ "name" => "made.dump", "size" => File.size(archive), "sha256" => Digest::SHA256.file(archive).hexdigest,
                   "format_version" => File.binread(archive, 2, 5).bytes.join("."), "compression" => "gzip" }, manifest["archive"])
    assert_equal({ "enabled" => true, "passed" => true, "violations" => 0 }, manifest["verification"])
    assert_includes manifest["without_rows"], "public.sessions"
    users = manifest["tables"].find { |table| table["table"] == "public.users" }
    assert_equal [SHOP_USERS, shop.columns("public.users") - ["greeting"], ["id"]], users.values_at("rows", "columns", "primary_key")
    email = users["masks"].find { |mask| mask["name"] == "email" }
    assert_equal %w[name mask masked kept nulls violations], email.keys
    assert_equal manifest["tables"].map { |table| table["table"] }.sort, manifest["order"].sort
  end
end

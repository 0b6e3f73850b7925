# frozen_string_literal: true

require_relative "integration_helper"
require_relative "../support/masked_archive"
require_relative "../support/store_server"

# What is removed because of its age: the data of staging, and what the gem keeps beside it.
class RetentionTest < IntegrationTest
  CONFIGURATION = <<~RUBY
    config.clone_source_scalingo_app_name = "shop-production"
    config.anonymization_tables = [{ table: "users", strategy: :user_anonymization }]
    config.pii_policy = :mask
    config.data_max_age = 30.days
    config.retention = 90.days
    config.anonymization_audit_file = "tmp/audit.json"
  RUBY

  def filled
    app, staging, = new_app
    assert app.rake("scalingo_staging_sync:run").success?
    [app, staging.database]
  end

  # As if its backup were so many days old.
  def age(database, days)
    time = (Time.now.utc - (days * 86_400)).iso8601
    database.exec("UPDATE scalingo_staging_sync.runs SET backup_created_at = '#{time}'; UPDATE scalingo_staging_sync.state SET backup_created_at = '#{time}'")
  end

  def said(result, *words)
    words.each { |word| assert_includes result.output.gsub(/\s+/, " "), word }
    refute_match(/rake aborted|\.rb:\d+:in/, result.output)
    result.status.exitstatus
  end

  def test_data_that_is_too_old_is_taken_out_and_the_next_run_brings_new_data
    app, database = filled
    database.exec("CREATE MATERIALIZED VIEW public.mine AS SELECT count(*) AS n FROM users; SELECT lo_from_bytea(0, 'large');")
    database.exec("ALTER MATERIALIZED VIEW public.mine OWNER TO #{database.value("SELECT tableowner FROM pg_tables WHERE tablename = 'users'")}")
    assert_equal 0, said(app.rake("scalingo_staging_sync:expire"), "and config.data_max_age is", "Nothing was touched.")
    age(database, 31)
    assert_equal 0, said(app.rake("scalingo_staging_sync:expire"), "The data was", "tables emptied.")
    kept = database.tables.grep(/\.(schema_migrations|ar_internal_metadata)\z/)
    assert_equal [0], database.counts.except(*kept).values.uniq
    assert_equal "1", database.value("SELECT count(*) FROM ar_internal_metadata")
    assert_equal "f", database.value("SELECT ispopulated FROM pg_matviews WHERE matviewname = 'mine'")
    assert_operator database.value("SELECT count(*) FROM pg_class WHERE relkind = 'i' AND relnamespace = 'public'::regnamespace").to_i, :>, 10
    assert_equal "expired", app.runner("puts ScalingoStagingSync.state").output.lines.last.strip
    assert_equal 0, said(app.rake("scalingo_staging_sync:status"), "The data was taken out, because it was older than config.data_max_age.", "expire: done")
    assert_equal 0, said(app.rake("scalingo_staging_sync:expire"), "The data has expired already.")
    assert app.rake("scalingo_staging_sync:run").success?
    assert_equal "complete", app.runner("puts ScalingoStagingSync.state").output.lines.last.strip
    assert_equal SHOP_USERS.to_s, database.value("SELECT count(*) FROM users")
  end

  def test_what_no_run_has_filled_and_what_a_run_replaces_now_does_not_expire
    app, staging, = new_app
    assert_untouched(staging.database) { assert_equal 0, said(app.rake("scalingo_staging_sync:expire"), "No run has filled this database.") }
    app, database = filled
    age(database, 31)
    run = PG.connect(app.environment["DATABASE_URL"])
    run.exec("SELECT pg_advisory_lock(#{ScalingoStagingSync::Database::History::LOCK_KEY})")
    assert_equal 1, said(app.rake("scalingo_staging_sync:expire"), "TargetBusyError: A run is replacing the data now.")
    assert_equal SHOP_USERS.to_s, database.value("SELECT count(*) FROM users")
  ensure
    run&.close
  end

  def test_a_table_of_another_role_is_named_and_the_target_never_counts_as_complete
    app, database = filled
    age(database, 31)
    database.exec("CREATE TABLE public.aaa (id int); INSERT INTO public.aaa VALUES (1)")
    assert_equal 1, said(app.rake("scalingo_staging_sync:expire"), "PrivilegeError: The role may not empty public.aaa, so its rows are still there.")
    assert_equal "expired", app.runner("puts ScalingoStagingSync.state").output.lines.last.strip
  end

  def test_status_fails_where_the_data_is_older_than_it_is_asked_for
    app, database = filled
    age(database, 2)
    assert_equal([0, 1, 1, 0, 1], %w[3d 47h 60 172900 x].map { |max| app.rake("scalingo_staging_sync:status", environment: { "MAX_AGE" => max }).status.exitstatus })
    said(app.rake("scalingo_staging_sync:status", environment: { "MAX_AGE" => "1h" }), "The data is complete.", "The data is older than MAX_AGE=1h.")
    said(app.rake("scalingo_staging_sync:status", environment: { "MAX_AGE" => "soon" }), "ConfigurationError: The variable MAX_AGE is \"soon\", which is no age.")
  end

  # Each with an old line and a new one.
  LINES = <<~SQL
    INSERT INTO scalingo_staging_sync.runs (run_id, mode, status, started_at) VALUES ('old', 'run', 'failed', now() - interval '91 days'),
      ('young', 'run', 'failed', now() - interval '89 days');
    INSERT INTO scalingo_staging_sync.tokens (name, digest, scope, expires_at, revoked_at) VALUES ('old', 'a', 'archive', now() + interval '1 day', now() - interval '91 days'),
      ('expired', 'b', 'archive', now() - interval '91 days', NULL), ('valid', 'c', 'archive', now() + interval '1 day', NULL);
    INSERT INTO scalingo_staging_sync.accesses (started_at, token_id, token, request, status) VALUES (now() - interval '91 days', 1, 'old', 'GET', 200), (now(), 1, 'young', 'GET', 200);
    INSERT INTO scalingo_staging_sync.wrong_tokens (hour, count, last_at) VALUES (now() - interval '91 days', 1, now() - interval '91 days'), (now(), 1, now());
    INSERT INTO scalingo_staging_sync.actions (at, action, outcome) VALUES (now() - interval '91 days', 'old', 'done');
  SQL

  def test_what_is_older_than_the_retention_is_removed_by_cleanup_and_by_the_next_run
    app, database = filled
    database.exec(ScalingoStagingSync::Database::OwnSchema::TABLES.values.join(";\n"))
    role = database.value("SELECT nspowner::regrole FROM pg_namespace WHERE nspname = 'scalingo_staging_sync'")
    ScalingoStagingSync::Database::OwnSchema::TABLES.each_key { |table| database.exec("ALTER TABLE scalingo_staging_sync.#{table} OWNER TO #{role}") }
    database.exec("UPDATE scalingo_staging_sync.runs SET started_at = now() - interval '200 days', finished_at = now() - interval '200 days'")
    database.exec(LINES)
    tmp = "#{app.directory}/tmp"
    kept = %w[shop.ad-1.b1.json shop.ad-1.b1.tar.gz].map { |name| "#{tmp}/#{name}" }
    File.write(kept.first, JSON.generate({ region: "osc-fr1", app: "shop", addon: "ad-1", id: "b1" }))
    File.write(kept.last, "raw")
    others = %w[a.b.c.json a.b.c.tar.gz young.txt].map { |name| "#{tmp}/#{name}".tap { |file| File.write(file, "{}") } }
    old = Time.now - (91 * 86_400)
    (kept + others + Dir["#{tmp}/audit.*"]).each { |file| File.utime(old, old, file) }
    result = app.rake("scalingo_staging_sync:cleanup")
    assert_equal 0, said(result, "Removed, because they were older than config.retention: 6 lines, 5 files.")
    assert_equal %w[valid], database.values("SELECT name FROM scalingo_staging_sync.tokens")
    assert_equal %w[young], database.values("SELECT token FROM scalingo_staging_sync.accesses")
    assert_equal "1", database.value("SELECT count(*) FROM scalingo_staging_sync.wrong_tokens")
    assert_equal "2|1", database.value("SELECT concat_ws('|', count(*), count(*) FILTER (WHERE status = 'complete')) FROM scalingo_staging_sync.runs"), "the run whose data is there stays"
    refute_includes database.values("SELECT action FROM scalingo_staging_sync.actions"), "old"
    assert_equal [[], others], [(kept + Dir["#{tmp}/audit.*"]).select { |file| File.exist?(file) }, others.select { |file| File.exist?(file) }]
    assert_equal 0, said(app.rake("scalingo_staging_sync:run"), "Removed, because they were older than config.retention: 1 line.")
  end

  def test_published_archives_that_are_too_old_are_removed
    app, staging, = new_app
    StoreServer.install(app)
    app.write("config/storage.yml", "files: { service: Disk, root: #{path("files")} }\n")
    app.configure("#{CONFIGURATION}config.publish_service = \"files\"\nconfig.anonymization_secret = #{TestHelpers::SECRET.inspect}\n")
    ScalingoStagingSync.configuration.anonymization_secret = TestHelpers::SECRET
    { "old" => 91, "young" => 89 }.each do |name, days|
      MaskedArchive.seal(file("#{name}.dump", name), made_at: Time.now - (days * 86_400))
      assert app.rake("scalingo_staging_sync:publish[#{path("#{name}.dump")}]").success?
    end
    staging.database.exec("SELECT 1")
    assert_equal 0, said(app.rake("scalingo_staging_sync:cleanup"), "Removed, because they were older than config.retention: 1 published archive.")
    assert_equal(%w[young], Dir["#{path("files")}/**/*.dump"].map { |stored| File.read(stored) })
  end
end

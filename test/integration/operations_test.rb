# frozen_string_literal: true

require_relative "integration_helper"
require "digest"
require "json"
require_relative "../support/terminal"

# What the person responsible sees of a run, through the rake tasks of a Rails app.
class OperationsTest < IntegrationTest
  CONFIGURATION = <<~RUBY
    config.clone_source_scalingo_app_name = "shop-production"
    config.anonymization_tables = [
      { table: "users", strategy: :user_anonymization, translation: "utilisateurs" },
      { table: "emails", strategy: :email_anonymization }
    ]
    config.exclude_tables = ["sessions", "audit_logs"]
  RUBY

  def test_a_dry_run_prints_the_plan_and_touches_nothing
    app, staging, fake = new_app(archive: Shared.large_archive, piece: 4096, pause: 0.002)
    result = assert_untouched(staging.database) { app.rake("scalingo_staging_sync:run", environment: { "DRY_RUN" => "true" }) }
    assert result.success?, result.output
    [/^Backup bk-/, /^public\.users .* masked$/, /^    email +e-mail/, /^public\.sessions .*without its rows/,
     /would be dropped: nothing/, /A run would go through/].each { |line| assert_match line, result.output }
    assert_empty fake.requests_of(:create_backup)
    sent = fake.requests_of(:download).sum { |request| request.bytes.to_i }
    assert_operator sent, :<, File.size(Shared.large_archive), "the download was not stopped"
    assert_nil staging.database.value("SELECT to_regnamespace('scalingo_staging_sync')")
  end

  def test_a_dry_run_as_json_is_nothing_but_json
    app, staging, = new_app
    staging.database.exec("CREATE TABLE public.old (id int); ALTER TABLE public.old OWNER TO #{staging.role}")
    plan = JSON.parse(app.rake("scalingo_staging_sync:run", environment: { "DRY_RUN" => "true", "FORMAT" => "json" }).output)
    assert_equal [1, true, []], plan.values_at("schema_version", "would_succeed", "problems")
    assert_equal 1, plan.dig("target", "drops", "table")
    assert_includes plan.dig("target", "dropped_tables"), "public.old"
    assert_equal ["public.old"], plan.dig("target", "lost_tables")
    users = plan["tables"].find { |table| table["table"] == "public.users" }
    assert_equal "mask", users["action"]
    assert_includes(users["columns"].map { |column| column["name"] }, "email")
  end

  def test_a_dry_run_knows_the_rows_of_the_last_run
    app, = new_app
    assert app.rake("scalingo_staging_sync:run").success?
    plan = JSON.parse(app.rake("scalingo_staging_sync:run", environment: { "DRY_RUN" => "true", "FORMAT" => "json" }).output)
    users = plan["tables"].find { |table| table["table"] == "public.users" }
    assert_equal SHOP_USERS, users["last_rows"]
    assert_equal "complete", plan.dig("target", "state")
  end

  def test_a_dry_run_fails_where_a_run_would
    app, staging, = new_app
    app.configure(CONFIGURATION.sub('"emails"', '"emial"'))
    assert_untouched(staging.database) do
      result = app.rake("scalingo_staging_sync:run", environment: { "DRY_RUN" => "true" })
      assert_equal 1, result.status.exitstatus, result.output
      assert_match(/A run would fail \(1 problem\)/, result.output)
      assert_match(/PlanError: .*emial/m, result.output)
    end
  end

  def test_the_check_tries_each_privilege_and_ends_with_the_plan
    app, staging, fake = new_app
    result = assert_untouched(staging.database) { app.rake("scalingo_staging_sync:check") }
    assert result.success?, result.output
    ["passed  Target database: #{staging.database.name}", "passed  Privileges: 8 trials", "passed  Backup: bk-",
     "passed  TLS: ", "A run would go through"].each { |line| assert_includes result.output, line }
    assert_nil staging.database.value("SELECT 1 FROM pg_db_role_setting s JOIN pg_roles r ON r.oid = setrole WHERE rolname = '#{staging.role}'")
    assert_empty fake.requests_of(:create_backup)
  end

  # PostGIS is for a superuser to create, where the server has it.
  def test_a_dry_run_and_the_check_fail_as_a_run_does_where_config_postgis_asks_for_what_the_role_cannot_have
    app, staging, = new_app
    app.configure("#{CONFIGURATION}config.postgis = true\n")
    run = app.rake("scalingo_staging_sync:run")
    refute run.success?, run.output
    words = run.output[/[^:\n]*extension postgis, which config\.postgis asks for\..* set config\.postgis = false\./].strip
    assert_untouched(staging.database) do
      plan = app.rake("scalingo_staging_sync:run", environment: { "DRY_RUN" => "true" })
      check = app.rake("scalingo_staging_sync:check")
      [plan, check].each do |result|
        refute result.success?, result.output
        assert_includes result.output, words
      end
      assert_includes plan.output, "(needed by config.postgis)"
      assert_includes check.output, "FAILED  Extensions: postgis cannot be created, and config.postgis needs it."
    end
  end

  def test_the_check_names_the_right_that_is_missing
    app, staging, = new_app
    staging.database.exec("REVOKE CREATE ON DATABASE #{staging.database.name} FROM #{staging.role}")
    result = app.rake("scalingo_staging_sync:check")
    refute result.success?
    assert_match(/^FAILED  Privileges: the role may not create a schema\. Grant the role CREATE on the database\./, result.output)
    staging.database.exec("REVOKE CREATE ON SCHEMA public FROM #{staging.role}, PUBLIC")
    result = app.rake("scalingo_staging_sync:run", environment: { "DRY_RUN" => "true" })
    assert_equal 1, result.status.exitstatus
    assert_match(/^A run would fail \(3 problems\).*PrivilegeError: .*may not create schemas.*PrivilegeError: .*schema public/m, result.output)
  end

  def test_the_evidence_of_a_run_is_written_and_its_seal_verifies
    app, staging, = new_app
    app.configure("#{CONFIGURATION}config.anonymization_audit_file = 'tmp/audit.json'\n")
    result = app.rake("scalingo_staging_sync:run")
    assert result.success?, result.output
    audit = JSON.parse(app.read("tmp/audit.json"))
    assert_equal Digest::SHA256.file(shop_archive).hexdigest, audit.dig("backup", "sha256")
    assert_equal staging.database.value("SELECT run_id FROM scalingo_staging_sync.runs"), audit["run_id"]
    assert_equal staging.database.value("SELECT rules_fingerprint FROM scalingo_staging_sync.runs"), audit["rules_fingerprint"]
    assert_equal %w[backup plan schema rows keys verify], audit["phases"].map { |phase| phase["name"] }
    users = audit["tables"].find { |table| table["table"] == "public.users" }
    assert_operator users["started"], :>, 0
    assert_operator audit.dig("size_bytes", "after"), :>, audit.dig("size_bytes", "before")
    personal = audit["findings"].reject { |finding| finding["heading"] == "outside" }
    masked, covered = %w[masked covered].map { |status| personal.select { |finding| finding["status"] == status } }
    refute_empty covered
    page = app.read("tmp/audit.html").gsub("<wbr>", "")
    assert_equal "scalingo_staging_sync:run", audit.dig("started_by", "task")
    assert_match(/was loaded into the app shop-staging on .*It was started by the user .* with the command rake\u00a0scalingo_staging_sync:run/m, page)
    (masked + covered).group_by { |finding| finding["table"] }.except(*audit["excluded"]).each do |table, found|
      row = page[%r{<th scope="row">#{Regexp.escape(table.delete_prefix("public."))}</th>(.*?)</tr>}m, 1]
      found.each { |finding| assert_includes row.to_s, "<code>#{finding["column"]}</code>" }
    end
    assert_match(/is as it was written/, app.rake("scalingo_staging_sync:audit:verify[tmp/audit.json]").output)
    app.write("tmp/audit.json", app.read("tmp/audit.json").sub('"violations": 0', '"violations": 1'))
    result = app.rake("scalingo_staging_sync:audit:verify[tmp/audit.json]")
    refute result.success?
    assert_match(/VerificationError: .*not as it was written/, result.output)
    raw = shop.values("SELECT email FROM users WHERE email IS NOT NULL") + staging.database.values("SELECT email FROM users WHERE email IS NOT NULL")
    %w[json txt html].each { |ending| raw.each { |value| refute_includes app.read("tmp/audit.#{ending}"), value } }
  end

  def test_a_preview_shows_rows_in_a_terminal_and_only_there
    app, staging, = new_app
    email = shop.value("SELECT email FROM users ORDER BY ctid LIMIT 1")
    assert_untouched(staging.database) do
      output, status = in_terminal(app, "scalingo_staging_sync:preview[users]")
      assert_equal 0, status, output
      assert_match(/^public\.users: 10 rows, \d+ columns masked/, output)
      assert_match(/^  email +#{Regexp.escape(email)} → \h+@demo\.example\.com/, output)
      result = app.rake("scalingo_staging_sync:preview[users]")
      refute result.success?
      assert_match(/ConfigurationError: .*not a terminal/, result.output)
      refute_includes result.output, email
    end
    output, status = in_terminal(app, "scalingo_staging_sync:preview[sessions]")
    assert_equal 1, status
    assert_match(/PlanError: .*sessions.*config\.exclude_tables leaves its rows out/, output)
    output, status = in_terminal(app, "scalingo_staging_sync:preview[user]")
    assert_equal 1, status
    assert_match(/PlanError: .*Did you mean "public\.users"\?/, output)
  end

  def test_the_confirmation_is_asked_in_a_terminal_and_fails_at_once_without_one
    app, staging, = new_app
    app.configure("#{CONFIGURATION}config.require_confirmation = true\n")
    result = app.rake("scalingo_staging_sync:run")
    refute result.success?
    assert_match(/ConfirmationError: .*no terminal/, result.output)
    output, status = in_terminal(app, "scalingo_staging_sync:run", typed: "shop-staging\n")
    assert_equal 0, status, output
    assert_includes output, "[CONFIRMATION REQUIRED] Type 'shop-staging' to continue: "
    assert_equal SHOP_USERS.to_s, staging.database.value("SELECT count(*) FROM users")
  end

  def test_the_history_says_what_is_in_staging_and_what_ran
    app, staging, = new_app
    assert_match(/\ANo run has filled this database\.$/, app.rake("scalingo_staging_sync:status").output)
    missing = { "BACKUP_FILE" => "nowhere.dump" }
    refute app.rake("scalingo_staging_sync:run", environment: missing).success? # there is no history yet
    refute app.rake("scalingo_staging_sync:run", environment: { "SCALINGO_API_TOKEN" => "tk-us-wrong" }).success?
    assert app.rake("scalingo_staging_sync:run").success?
    refute app.rake("scalingo_staging_sync:run", environment: { "SCALINGO_API_TOKEN" => "tk-us-wrong" }).success?
    status = JSON.parse(app.rake("scalingo_staging_sync:status", environment: { "FORMAT" => "json" }).output)
    assert_equal "complete", status["state"]
    failed, complete = status["runs"]
    assert_equal %w[failed complete], [failed, complete].map { |run| run["status"] }
    assert_equal "Integrations::ScalingoApiClient::AuthenticationError", failed["error_class"]
    assert_equal complete["run_id"], status.dig("data", "run_id")
    assert_operator complete["rows"], :>, SHOP_USERS
    assert_match(/\Abk-/, complete["backup_id"])
    assert_match(/\A\h{64}\z/, complete["rules_fingerprint"])
    refute app.rake("scalingo_staging_sync:run", environment: missing).success?
    refute app.rake("scalingo_staging_sync:run", environment: missing.merge("DRY_RUN" => "1")).success?
    text = app.rake("scalingo_staging_sync:status").output
    assert_match(/2 runs were refused, .* the last on [^:]+:\d\d: ConfigurationError\./, text.tr("\n", " "))
    assert_match(/^The data is complete\.$/, text)
    assert_match(/^It comes from the backup bk-.* old\)/, text.tr("\n", " ").sub("complete. It", "complete.\nIt"))
    assert_equal 1, staging.database.value("SELECT count(*) FROM scalingo_staging_sync.runs WHERE status = 'complete'").to_i
  end

  def test_the_app_knows_of_a_run_under_way_and_of_one_that_was_killed
    app, staging, fake = new_app(archive: Shared.large_archive, hold_at: File.size(Shared.large_archive) * 7 / 10, piece: 8192)
    ask = "answer = ScalingoStagingSync::RackMiddleware.new(->(_) { [200, {}, []] }).call({}); " \
          "p [ScalingoStagingSync.state, answer[0]]; puts answer[2].join.delete(10.chr)"
    assert_match(/^\[:complete, 200\]$/, app.runner(ask).output)
    process = app.start_rake("scalingo_staging_sync:run")
    fake.wait_until_held
    process.wait_for(/Loading rows/)
    asked = ""
    10.times { break if (asked = app.runner(ask).output).include?("<dt>Since<") } # a session may be ended while it asks
    assert_match(/^\[:syncing, 503\]$/, asked)
    assert_match(%r{<dt>Since</dt><dd><time datetime="\d{4}-\d\d-\d\dT[\d:]+Z">}, asked)
    process.kill(:KILL)
    process.wait(10)
    fake.release
    staging.database.wait_until_idle(10)
    staging.database.exec("INSERT INTO scalingo_staging_sync.runs (run_id, mode, status, started_at, finished_at) SELECT n::text, 'run', 'complete', " \
                          "now() - interval '9 h' + n * interval '1 h', now() - interval '9 h' + n * interval '1 h 1 min' FROM generate_series(0, 6) n")
    times = "times = ScalingoStagingSync::Database::History::Times.now; p times.expected - times.since"
    assert_in_delta 360, app.runner("ActiveRecord::Base.connection; #{times}").output[/^[\d.]+$/].to_f, 30
    staging.database.exec("DELETE FROM scalingo_staging_sync.runs WHERE status = 'complete'")
    assert_match(/^\[:incomplete, 503\]$/, app.runner("ActiveRecord::Base.connection; #{ask}").output)
    assert_match(/INCOMPLETE/, app.rake("scalingo_staging_sync:status").output)
    assert_match(/Cleared: 1 killed run noted as failed, the role may write again/, app.rake("scalingo_staging_sync:cleanup").output)
    assert_match(/Nothing was left over/, app.rake("scalingo_staging_sync:cleanup").output)
    assert_equal "killed", staging.database.value("SELECT error_class FROM scalingo_staging_sync.runs")
  end

  def test_a_stopped_run_says_what_state_the_target_is_in
    { INT: 130, TERM: 143 }.each do |signal, exit_status|
      app, staging, fake = new_app(archive: Shared.large_archive, hold_at: File.size(Shared.large_archive) * 7 / 10, piece: 8192)
      process = app.start_rake("scalingo_staging_sync:run")
      fake.wait_until_held
      process.wait_for(/Loading rows/)
      process.kill(signal)
      result = process.wait(30)
      assert_equal exit_status, result.status.exitstatus, result.output
      assert_match(/The run was stopped \(SIG#{signal}\)\. The target is incomplete/, result.output)
      staging.database.wait_until_idle(10)
      assert_equal "interrupted", staging.database.value("SELECT error_class FROM scalingo_staging_sync.runs")
    end
  end

  def test_a_migration_that_fails_leaves_the_target_marked_incomplete_and_the_run_failed
    app, staging, = new_app
    app.write("db/migrate/20261101000000_break_it.rb", <<~RUBY)
      class BreakIt < ActiveRecord::Migration[7.1]
        def change = execute("SELECT nonsense")
      end
    RUBY
    result = app.rake("scalingo_staging_sync:run")
    refute result.success?
    assert_match(/MigrationError: .*20261101000000 BreakIt/, result.output)
    assert_equal "incomplete", staging.database.value("SELECT status FROM scalingo_staging_sync.state")
    assert_equal %w[failed MigrationError],
                 staging.database.exec("SELECT status, error_class FROM scalingo_staging_sync.runs").first.values
    app.configure("#{CONFIGURATION}config.run_migrations = false\n")
    result = app.rake("scalingo_staging_sync:run")
    assert result.success?, result.output
  end

  def test_the_apps_own_blocks_are_called_with_the_report
    app, = new_app
    app.configure("#{CONFIGURATION}config.anonymization_audit_file = 'tmp/audit.json'\n")
    app.write("config/initializers/zz_hooks.rb", <<~RUBY)
      ScalingoStagingSync.on(:before_sync) { |report| puts "before \#{report.source_app} \#{report.target_app}" }
      ScalingoStagingSync.on(:after_sync) { |report| puts "after \#{report.tables.size > 5} \#{report.verified?} \#{report.audit_files.map { |file| File.extname(file) if File.file?(file) }}" }
      ScalingoStagingSync.on(:failed) { |report| puts "failed \#{report.error.class}" }
    RUBY
    assert_match(/^before shop-production shop-staging$.*^after true true \[".json", ".txt", ".html"\]$/m,
                 app.rake("scalingo_staging_sync:run").output)
    output = app.rake("scalingo_staging_sync:run", environment: { "SCALINGO_API_TOKEN" => "tk-us-wrong" }).output
    assert_match(/^failed .*AuthenticationError$/, output)
  end

  private

  # Runs a rake task in a terminal; returns what that has shown, and the exit status.
  def in_terminal(app, task, typed: nil)
    shown = Terminal.run("bundle", "exec", "rake", task, environment: app.environment, directory: app.directory, typed:)
    [shown.raw.gsub("\r\n", "\n"), shown.status.exitstatus]
  end
end

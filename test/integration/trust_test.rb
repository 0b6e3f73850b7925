# frozen_string_literal: true

require_relative "integration_helper"
require_relative "../support/terminal"
require "json"
require "socket"

# What keeps a run from the wrong database and what the person responsible hears of it, through the rake tasks of a
# Rails app in a process of its own.
class TrustTest < IntegrationTest
  CONFIGURATION = <<~RUBY
    config.clone_source_scalingo_app_name = "shop-production"
    config.anonymization_tables = [
      { table: "users", strategy: :user_anonymization, translation: "utilisateurs" },
      { table: "emails", query: "UPDATE emails SET email = 'e' || id || '@demo.test' WHERE email <> 'a  b'" }
    ]
    config.exclude_tables = ["sessions", "products"]
  RUBY

  def test_the_guard_names_everything_that_speaks_against_a_run_and_what_to_do
    app, staging, fake = new_app
    variables = { "APP" => "shop-production-pr7", "SCALINGO_POSTGRESQL_URL" => "postgres://u:p%zz@host/shop" }
    assert_untouched(staging.database) do
      %w[run check].each do |task|
        result = app.rake("scalingo_staging_sync:#{task}", environment: variables)
        assert_equal 1, result.status.exitstatus, result.output
        assert_match(/The app's name, APP=shop-production-pr7, matches/, result.output)
        assert_match(/SCALINGO_POSTGRESQL_URL cannot be read as a PostgreSQL URL/, result.output)
        refute_includes result.output, "p%zz"
      end
    end
    app.write("config/environments/production.rb", app.read("config/environments/staging.rb"))
    app.write("config/database.yml", app.read("config/database.yml").gsub("staging:", "production:"))
    app.write("Gemfile", app.read("Gemfile").sub("group :staging", "group :staging, :production"))
    result = app.rake("scalingo_staging_sync:run", environment: { "RAILS_ENV" => "production", "RACK_ENV" => "production" })
    assert_equal 1, result.status.exitstatus, result.output
    assert_match(/ProductionEnvironmentError: .*Rails\.env is production\..*env-set RAILS_ENV=staging.*buildpack sets production/m, result.output)
    assert_empty fake.requests
  end

  def test_a_review_app_of_production_and_the_source_itself_are_refused
    app, = new_app
    app.configure("#{CONFIGURATION}config.production_app_name_patterns = [/-live\\z/]\n")
    { "shop-live-pr12" => /APP=shop-live-pr12, matches/, "Shop-Production" => /source app and the target app are the same/ }.each do |name, reason|
      result = app.rake("scalingo_staging_sync:run", environment: { "APP" => name })
      assert_equal 1, result.status.exitstatus
      assert_match reason, result.output
    end
  end

  def test_a_target_on_the_source_addons_own_host_is_refused_whatever_it_is_called
    addon = FakeScalingo.addon.merge(resource_id: "shop_live_1234")
    app, staging, fake = new_app(addons: [addon])
    app.configure("#{CONFIGURATION}config.production_hostname_patterns = [/nothing/]\n")
    url = staging.url.sub("@127.0.0.1:", "@shop-live-1234.postgresql.example.test:").sub(/\z/, "?hostaddr=127.0.0.1")
    refute_equal staging.url, url.sub("?hostaddr=127.0.0.1", "")
    variables = { "DATABASE_URL" => url, "SCALINGO_POSTGRESQL_URL" => url }
    assert_untouched(staging.database) do
      result = app.rake("scalingo_staging_sync:run", environment: variables)
      assert_equal 1, result.status.exitstatus, result.output
      assert_match(/ProductionEnvironmentError: .*on the host of Scalingo app shop-production.*the source's own database/, result.output)
      result = app.rake("scalingo_staging_sync:run", environment: { **variables, "DRY_RUN" => "true" })
      assert_equal 1, result.status.exitstatus, result.output
      assert_match(/A run would fail/, result.output)
    end
    assert_empty fake.requests_of(:create_backup)
  end

  def test_a_dry_run_shows_the_sql_of_rules_keys_that_become_not_valid_drops_and_sessions
    app, staging, = new_app
    staging.database.exec("CREATE TABLE public.old (id int); ALTER TABLE public.old OWNER TO #{staging.role}")
    app.write("config/initializers/zz_session.rb",
              "Thread.new { PG.connect(ENV.fetch('DATABASE_URL') + '?application_name=worker-1'); sleep } if ENV['DRY_RUN']\nsleep 0.5 if ENV['DRY_RUN']\n")
    shown = Terminal.run("bundle", "exec", "rake", "scalingo_staging_sync:run", directory: app.directory, columns: 400,
                                                                                environment: app.environment.merge("DRY_RUN" => "true", "TERM" => "xterm"))
    text = shown.screen.join("\n")
    assert_equal 0, shown.status.exitstatus, text
    assert_match(/^public\.emails .*masked$/, text)
    assert_match(/^      UPDATE .*pg_temp.*email <> 'a  b'/i, text)
    assert_match(/^Foreign keys that become NOT VALID\n  \S+/, text)
    assert_match(/would be dropped: 1 table/, text)
    assert_match(/^  only in staging, and gone after a run: public.old$/, text)
    assert_match(/sessions that would be ended: \d+ \(.*worker-1/, text)
    assert_match(/The server was not asked about the SQL of rules/, text)
    plan = JSON.parse(app.rake("scalingo_staging_sync:run", environment: { "DRY_RUN" => "true", "FORMAT" => "json" }).output)
    emails = plan["tables"].find { |table| table["table"] == "public.emails" }
    assert_equal [["mask", ["email"]]], [[emails["action"], emails["sql"][0]["columns"]]]
    assert_includes(plan["target"]["sessions"].map { |session| session["application_name"] }, "worker-1")
  end

  def test_the_check_names_pending_migrations_and_a_webhook_that_slack_does_not_know_and_ends_with_the_plan
    app, staging, = new_app
    app.write("db/migrate/20261101000000_add_shoe_size.rb",
              "class AddShoeSize < ActiveRecord::Migration[7.1]\n  def change = add_column(:users, :shoe_size, :integer)\nend\n")
    with_slack("404 Not Found") do |url, _|
      app.configure("#{CONFIGURATION}config.slack_enabled = true\nconfig.slack_webhook_url = #{url.dump}\n")
      result = assert_untouched(staging.database) { app.rake("scalingo_staging_sync:check") }
      assert_equal 0, result.status.exitstatus, result.output
      assert_match(/^passed  Migrations: the app has 1 migration; pending here now: 20261101000000 AddShoeSize\./, result.output)
      assert_match(/^warning Slack: the webhook would not take a message: it answered 404/, result.output)
      refute_includes result.output, url
      assert_operator result.output.index("A run would go through"), :>, result.output.index("passed  Privileges")
      assert_nil staging.database.value("SELECT to_regclass('schema_migrations')")
    end
  end

  def test_slack_hears_of_start_steps_and_success_in_french
    app, = new_app
    with_slack("200 OK") do |url, bodies|
      app.configure("#{CONFIGURATION}config.slack_enabled = true\nconfig.slack_webhook_url = #{url.dump}\nconfig.slack_channel = '#base'\n")
      assert app.rake("scalingo_staging_sync:run").success?
      texts = Array.new(bodies.size) { bodies.pop }
      assert_equal ["#base"], texts.map { |body| body["channel"] }.uniq
      ["démarrage.", "chargement des données", "vérification en cours.", "terminée en"].each_with_index do |words, at|
        assert_includes texts[at]["text"], words
      end
      assert_match(/Données anonymisées[[:space:]]: .*utilisateurs \(400\)/, texts.last["text"])
    end
  end

  def test_a_slack_that_never_answers_holds_a_run_up_by_a_few_seconds_only
    app, = new_app
    with_slack(nil) do |url, _|
      app.configure("#{CONFIGURATION}config.slack_enabled = true\nconfig.slack_webhook_url = #{url.dump}\n")
      process = app.start_rake("scalingo_staging_sync:run")
      assert process.wait_for(/Done in /)
      sent = Process.clock_gettime(Process::CLOCK_MONOTONIC)
      result = process.wait
      assert result.success?, result.output
      assert_operator Process.clock_gettime(Process::CLOCK_MONOTONIC) - sent, :<, 15
      refute_includes result.output, url
    end
  end

  def test_a_run_that_is_stopped_in_a_migration_exits_with_143_and_is_incomplete
    app, staging, = new_app
    app.write("config/initializers/zz_beat.rb", <<~RUBY)
      ScalingoStagingSync::Terminal::ProgressReporter.send(:remove_const, :HEARTBEAT_EVERY)
      ScalingoStagingSync::Terminal::ProgressReporter::HEARTBEAT_EVERY = 0.3
    RUBY
    app.write("db/migrate/20261101000000_wait.rb", "class Wait < ActiveRecord::Migration[7.1]\n  def change = sleep(120)\nend\n")
    process = app.start_rake("scalingo_staging_sync:run")
    assert process.wait_for(/Migrating: 20261101000000 Wait\..*Still working/m), process.output
    process.kill(:TERM)
    result = process.wait(30)
    assert_equal 143, result.status.exitstatus, result.output
    assert_match(/The run was stopped \(SIGTERM\)\. The target is incomplete/, result.output)
    assert_equal %w[incomplete failed SignalException], staging.database.exec(<<~SQL).first.values
      SELECT s.status AS state, r.status, r.error_class FROM scalingo_staging_sync.state s JOIN scalingo_staging_sync.runs r USING (run_id)
    SQL
  end

  KILL = "Process.kill(:KILL, Process.pid)"

  # Where a run kills itself, as a container that runs out of memory does, and the file that does it.
  KILLS = {
    "as_the_engine_ends" => ["config/initializers/zz_kill.rb", <<~RUBY],
      ending = Module.new { def run(...) = super.tap { #{KILL} } }
      ScalingoStagingSync::Native.singleton_class.prepend(ending)
    RUBY
    "in_a_migration" => ["db/migrate/20261101000000_die.rb", "class Die < ActiveRecord::Migration[7.1]\n  def change = #{KILL}\nend\n"],
    "in_the_seeds" => ["db/dying.rb", "#{KILL}\n"]
  }.freeze

  KILLS.each do |place, (file, code)|
    define_method(:"test_a_run_that_is_killed_#{place}_leaves_the_target_incomplete_until_one_comes_to_its_end") do
      app, staging, = new_app
      app.configure("#{CONFIGURATION}config.seeds_file_path = 'db/dying.rb'\n")
      app.write("db/dying.rb", "# nothing\n")
      app.write(file, code)
      result = app.rake("scalingo_staging_sync:run")
      assert_equal Signal.list["KILL"], result.status.termsig, result.output
      assert_equal ["incomplete", nil, "running", nil, nil, SHOP_USERS.to_s],
                   states(staging).last.values + [staging.database.value("SELECT count(*) FROM users")]
      app.write(file, (place == "in_a_migration") ? code.sub(KILL, "nil") : "# nothing\n")
      result = app.rake("scalingo_staging_sync:run")
      assert result.success?, result.output
      assert_equal [%w[failed killed], ["complete", nil]], states(staging).map { |run| run.values_at("status", "error_class") }
      assert_equal %w[complete t], states(staging).last.values_at("state", "ended")
    end
  end

  # Where a run stands still, and what has been shown by then; its signal; its exit status and what is left.
  STOPS = {
    "while_scalingo_makes_a_backup" => [{ pending: true }, /Scalingo is making a backup/, :INT, 130, /The target was not touched/],
    "before_the_plan" => [{ hold_at: 1000, piece: 500 }, /table of contents/, :TERM, 143, /The target was not touched/],
    "while_rows_stream" => [{ hold_at: 0.7, piece: 8192 }, /Loading rows/, :HUP, 129, /The target is incomplete/],
    "in_the_seeds" => [{ seeds: true }, /Running the seeds/, :INT, 130, /The target is incomplete/]
  }.freeze

  STOPS.each do |place, (at, shown, signal, status, left)|
    define_method(:"test_a_run_that_is_stopped_#{place}_says_so_at_once_and_leaves_nothing_behind") do
      with_slack("200 OK") { |url, bodies| stop(at.dup, shown, signal, status, left, url, bodies) }
    end
  end

  def test_a_run_whose_terminal_is_closed_stops_and_leaves_nothing_behind
    archive = Shared.large_archive
    app, staging, fake = new_app(archive:, hold_at: File.size(archive) * 7 / 10, piece: 8192)
    process = nil
    PTY.spawn(app.environment.merge("TERM" => "xterm"), "bundle", "exec", "rake", "scalingo_staging_sync:run",
              chdir: app.directory) do |output, keys, pid|
      shown = +""
      shown << output.readpartial(4096) until shown.include?("Loading rows")
      fake.wait_until_held
      [output, keys].each(&:close)
      process = Timeout.timeout(30) { Process.wait2(pid) }.last
    end
    assert_equal 129, process.exitstatus
    staging.database.wait_until_idle(10)
    assert_equal %w[incomplete failed],
                 staging.database.exec("SELECT s.status AS state, r.status FROM scalingo_staging_sync.state s JOIN scalingo_staging_sync.runs r USING (run_id)").first.values
    assert_nothing_raw_of_users staging.database
  end

  def test_a_check_or_a_dry_run_that_is_stopped_exits_as_shells_expect_and_touches_nothing
    { "check" => [:INT, 130], "run" => [:TERM, 143] }.each do |task, (signal, status)|
      app, staging, fake = new_app(archive: Shared.large_archive, hold_at: 1000, piece: 500)
      assert_untouched(staging.database) do
        process = app.start_rake("scalingo_staging_sync:#{task}", environment: { "DRY_RUN" => "true" })
        fake.wait_until_held
        process.kill(signal)
        result = process.wait(30)
        assert_equal status, result.status.exitstatus, result.output
        assert_match(/[Ss]topped \(SIG#{signal}\)/, result.output)
        refute_match(/\.rb:\d+:in/, result.output)
      end
    end
  end

  def test_a_refused_run_and_a_failed_one_say_what_is_left_and_slack_hears_it_too
    app, staging, = new_app
    with_slack("200 OK") do |url, bodies|
      slack = "config.slack_enabled = true\nconfig.slack_webhook_url = #{url.dump}\n"
      app.configure("#{CONFIGURATION}#{slack}")
      assert app.rake("scalingo_staging_sync:run").success?
      bodies.clear
      result = app.rake("scalingo_staging_sync:run", environment: { "APP" => "shop-production" })
      assert_equal 1, result.status.exitstatus
      assert_match(/refusée, rien n'a été modifié\.\n.*ressemble à un environnement de production \(ProductionEnvironmentError\)\.\n> /, bodies.pop(timeout: 5)["text"])
      app.configure("#{CONFIGURATION}#{slack}".sub("UPDATE emails SET email", "UPDATE emails SET nosuch"))
      result = app.rake("scalingo_staging_sync:run")
      assert_equal 1, result.status.exitstatus
      assert_match(/PlanError: .*The target was not touched: its old data is still there\./m, result.output)
      last = Array.new(bodies.size) { bodies.pop }.last["text"]
      assert_match(/échec\.\n.* \(PlanError\)\.\n> .*Les anciennes données de staging sont toujours en place\.$.*`scalingo .* logs --lines 500`\z/m, last)
      assert_equal SHOP_USERS.to_s, staging.database.value("SELECT count(*) FROM users")
    end
  end

  def test_a_restart_is_advised_only_when_the_schema_has_changed
    app, = new_app
    assert_match(/^.*Restart the app's web and worker processes/, app.rake("scalingo_staging_sync:run").output)
    refute_match(/Restart the app/, app.rake("scalingo_staging_sync:run").output)
    app.write("db/migrate/20261101000000_add_shoe_size.rb",
              "class AddShoeSize < ActiveRecord::Migration[7.1]\n  def change = add_column(:users, :shoe_size, :integer)\nend\n")
    assert_match(/Migrating: 20261101000000 AddShoeSize.*Restart the app's web/m, app.rake("scalingo_staging_sync:run").output)
  end

  private

  # The runs, oldest first, each with the target's state.
  def states(staging)
    staging.database.exec(<<~SQL).to_a
      SELECT s.status AS state, s.finished_at > r.started_at AS ended, r.status, r.error_class, r.finished_at
      FROM scalingo_staging_sync.state s CROSS JOIN scalingo_staging_sync.runs r ORDER BY r.started_at
    SQL
  end

  def stop(place, shown, signal, status, left, url, bodies)
    archive = Shared.large_archive
    seeds, pending = %i[seeds pending].map { |key| place.delete(key) }
    place[:hold_at] = (File.size(archive) * place[:hold_at]).to_i if place[:hold_at].is_a?(Float)
    app, staging, = new_app(archive:, **(pending ? { new_backup_statuses: %w[pending] } : {}), **place)
    more = "config.slack_enabled = true\nconfig.slack_webhook_url = #{url.dump}\n"
    more += "config.backup_max_age = 0\n" if pending
    more += "config.seeds_file_path = 'db/waiting.rb'\n" if seeds
    app.write("db/waiting.rb", "sleep(120)\n")
    app.configure("#{CONFIGURATION}#{more}")
    process = app.start_rake("scalingo_staging_sync:run")
    assert process.wait_for(shown), process.output
    began = Process.clock_gettime(Process::CLOCK_MONOTONIC)
    process.kill(signal)
    result = process.wait(30)
    assert_operator Process.clock_gettime(Process::CLOCK_MONOTONIC) - began, :<, 4 # a second, and a busy machine
    assert_equal status, result.status.exitstatus, result.output
    assert_match(/The run was stopped \(SIG#{signal}\)\. #{left.source}/, result.output)
    refute_match(/\.rb:\d+:in/, result.output)
    assert_match(/interrompue\./, Array.new(bodies.size) { bodies.pop }.last["text"])
    staging.database.wait_until_idle(10)
    assert_nothing_raw_of_users staging.database
    assert_nil staging.database.value("SELECT 1 FROM pg_db_role_setting s JOIN pg_roles r ON r.oid = setrole WHERE rolname = '#{staging.role}'")
  end

  def assert_nothing_raw_of_users(target)
    return unless target.value("SELECT to_regclass('public.users')")

    raw = Shared.large_shop.values("SELECT email FROM users WHERE email IS NOT NULL")
    assert_empty raw & target.values("SELECT email FROM users WHERE email IS NOT NULL")
  end

  # A server that stands for Slack's, and what it received.
  def with_slack(answer)
    server = TCPServer.new("127.0.0.1", 0)
    bodies = Queue.new
    thread = Thread.new { loop { Thread.new(server.accept) { |socket| serve(socket, answer, bodies) } } }
    yield "http://127.0.0.1:#{server.addr[1]}/services/hush", bodies
  ensure
    thread&.kill&.join
    server&.close
  end

  def serve(socket, answer, bodies)
    length = 0
    while (line = socket.gets) && line != "\r\n"
      length = line.split(":").last.to_i if line.downcase.start_with?("content-length:")
    end
    bodies << JSON.parse(socket.read(length))
    answer ? socket.write("HTTP/1.1 #{answer}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n") : sleep
    socket.close
  end
end

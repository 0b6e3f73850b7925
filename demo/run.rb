# frozen_string_literal: true

# The main job from end to end, narrated as it happens. Run by bin/demo, beside a PostgreSQL cluster of its own.

require_relative "../test/support/fake_scalingo"
require_relative "../test/support/postgres"
require_relative "../test/support/rails_app"
require_relative "screen"
require_relative "shop"
require_relative "measured_task"
require_relative "pg_restore_way"
require_relative "proof"
require_relative "further"

# One run of the demo: production, its backup, the API, the staging app, the rake task, and the result.
class Demo
  # What a fast demo does not show of the run: a line for each table, what was downloaded, and the warnings, which the audit has.
  DETAIL = /\] (?:\S+: [\d,]+ rows?|Downloaded|Warning: )/

  # Where the run's audit stays.
  AUDIT = File.expand_path("../tmp/demo", __dir__)

  def initialize(keep:, fast:)
    @keep = keep
    @fast = fast
    @users = Integer(ENV.fetch("DEMO_USERS", fast ? "5000" : "50000"))
    @screen = Screen.new
    @work = Dir.mktmpdir("staging-sync-demo")
  end

  # Returns whether everything holds.
  def run
    make_production
    make_backup
    make_staging
    check
    run_the_task
    show_rows
    unless @fast
      show_what_was_left_out
      compare_with_pg_restore
    end
    proof = prove
    go_further(proof)
    @screen.verdict(proof.holds?)
    print_how_to_connect if @keep
    proof.holds?
  ensure
    @fake&.stop
    @check&.drop
    FileUtils.remove_entry(@work) unless @keep
  end

  private

  def make_production
    @screen.chapter("A production database")
    @production = Postgres.create_database("production")
    @screen.step("an online shop with #{Screen.number(@users)} customers, made by SQL") do
      @production.load_sql(Shop::SQL, users: @users)
    end
    @counts = @production.counts
    @screen.say("#{Screen.number(@counts.values.sum)} rows in #{@counts.length} tables")
  end

  def make_backup
    @screen.chapter("Its nightly backup, as Scalingo makes and serves it")
    dump = File.join(@work, "shop.dump")
    @screen.step("pg_dump -Fc") { @production.dump(dump) }
    @screen.step("packed as .tar.gz") { @archive = Postgres.pack(dump) }
    FileUtils.rm(dump)
    @fake = FakeScalingo.new(archive: @archive)
    @screen.say("#{Screen.megabytes(File.size(@archive))} behind a Scalingo API on #{@fake.urls["api"]}")
  end

  def make_staging
    @screen.chapter("A staging app")
    @staging = Postgres.create_staging
    @screen.say("database #{@staging.database.name}; its role owns nothing and may only create in it, as on Scalingo")
    @screen.step("a Rails app with the gem's initializer, written by its generator") do
      @app = RailsApp.new(File.join(@work, "app"), database_url: @staging.url, environment: RailsApp.variables_for(@fake))
      @app.generate
    end
    @app.configure(Shop::CONFIGURATION)
    @screen.say("the generator's initializer says config.pii_policy = :mask: what looks personal is masked; the rules below are extra")
    @screen.quote(Shop::CONFIGURATION)
  end

  def check
    @screen.chapter("bundle exec rake scalingo_staging_sync:check")
    result = nil
    @screen.step("everything that a run needs") { result = @app.rake("scalingo_staging_sync:check") }
    lines = result.output.lines(chomp: true)
    lines.grep(/\A(warning|FAILED) /).each { |line| @screen.echo(line) }
    @screen.echo("#{lines.grep(/\Apassed /).size} checks passed. #{lines.grep(/\A(Everything holds|\d+ check)/).last}")
    raise "the check failed:\n#{result.output}" unless result.success?
  end

  def run_the_task
    @screen.chapter("bundle exec rake scalingo_staging_sync:run")
    @rails_only = MeasuredTask.new(@app, "environment")
    @rails_only.run
    Postgres.exec("CHECKPOINT")
    @task = MeasuredTask.new(@app, "scalingo_staging_sync:run")
    @task.run { |line| @screen.echo(line) unless @fast && line.match?(DETAIL) }
    raise "the rake task failed:\n#{@task.output}" unless @task.success?

    @screen.say(format("%.1f s, of which loading Rails takes %.1f s", @task.seconds, @rails_only.seconds))
  end

  def show_rows
    @screen.chapter("The same rows in production and in staging")
    (@fast ? Shop::FEW : Shop::EXAMPLES).each do |table, columns, where|
      before, after = [@production, @staging.database].map do |database|
        database.exec("SELECT #{columns.join(", ")} FROM #{table} WHERE #{where}").first
      end
      @screen.side_by_side("#{table}, #{where}", before, after)
    end
  end

  def show_what_was_left_out
    @screen.chapter("What was left out")
    audit = JSON.parse(@app.read("tmp/audit.json"))
    audit["excluded"].each { |table| @screen.say("rows of #{table} (#{Screen.number(@counts.fetch(table, 0))} in production)") }
    audit["left_out"].each { |entry| @screen.say("#{entry["kind"].downcase} #{entry["name"]}: #{entry["why"]}") }
    audit["warnings"].each { |warning| @screen.say("warning: #{warning}") }
  end

  def compare_with_pg_restore
    @screen.chapter("The same with tar, pg_restore and UPDATEs")
    Postgres.exec("CHECKPOINT")
    @other_way = PgRestoreWay.new(@archive, @work)
    @other_way.steps.each { |name, work| @screen.step(name, &work) }
    @screen.say(format("all of it %.1f s; the rake task %.1f s, of which loading Rails takes %.1f s",
                       @screen.seconds_of_chapter, @task.seconds, @rails_only.seconds))
  ensure
    @other_way&.drop
  end

  def prove
    @screen.chapter("Proof")
    @check = Postgres.create_database("check")
    proof = Proof.new(production: @production, staging: @staging, check: @check, screen: @screen, audit: JSON.parse(@app.read("tmp/audit.json")))
    proof.data
    proof.requests(@fake)
    proof.resources(@task, @rails_only)
    keep_the_audit
    proof
  end

  # For the reader: the app is removed at the end.
  def keep_the_audit
    FileUtils.mkdir_p(AUDIT)
    FileUtils.cp(Dir[File.join(@app.directory, "tmp/audit.*")], AUDIT)
  end

  def go_further(proof)
    further = Further.new(app: @app, staging: @staging, production: @production, work: @work, screen: @screen, proof:)
    further.leak
    further.part
    further.archive
    @screen.chapter("What it leaves for those who answer for it")
    @screen.say("the audit of the run, as a page:  #{File.join(AUDIT, "audit.html")}")
    @screen.say("the same, sealed, for machines:   #{File.join(AUDIT, "audit.json")}")
  end

  def print_how_to_connect
    psql = Postgres.program("psql")
    @screen.chapter("Left for you")
    @screen.say("production   #{psql} #{@production.url}")
    @screen.say("staging      #{psql} #{@staging.url}")
    @screen.say("the app      #{@app.directory}")
    @screen.say("to remove it bin/with-postgres --stop #{ENV.fetch("TEST_PG_DIR")} && rm -r #{@work}")
  end
end

exit Demo.new(keep: ARGV.include?("--keep"), fast: ARGV.include?("--fast")).run

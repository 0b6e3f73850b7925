# frozen_string_literal: true

require "fileutils"
require "json"

# The ways from a packed production backup to a staging database that the benchmark compares. Each fills a fresh
# database and ends with ANALYZE; `run` gets the database and a Measure::Watch for the processes it starts.
module Contestants
  # What all of them work with.
  #
  # archive::     the packed backup, as Scalingo makes it
  # masked::      a directory with each table's masked rows as COPY text, for the floor
  # temporary::   where those that need a disk may write
  # connections:: how many at once
  Setting = Struct.new(:archive, :masked, :temporary, :connections, :app, keyword_init: true)

  # The same masking as the user, phone and payment strategies, as the Ruby original does it.
  UPDATES = [
    <<~SQL,
      UPDATE users SET
        email = substr(encode(sha256(lower(email)::bytea), 'hex'), 1, 20) || '@demo.example.com',
        email_md5 = md5(substr(encode(sha256(lower(email)::bytea), 'hex'), 1, 20) || '@demo.example.com'),
        first_name = 'Demo', last_name = 'User' || id, full_name = 'Demo User' || id,
        credit_card_last_4 = '0000', iban_last4 = '0000', stripe_customer_id = NULL,
        address_line1 = '8 rue du sentier', address_line2 = NULL, city = 'Paris', postal_code = '75002',
        birth_date = NULL, birth_place = NULL, google_token = NULL, facebook_token = NULL, apple_id = NULL,
        billing_extra = NULL, zendesk_user_id = NULL
    SQL
    "UPDATE phone_numbers SET number = '060' || lpad(coalesce(user_id, id)::text, 7, '0')",
    "UPDATE payment_methods SET card_last4 = '0000'"
  ].freeze

  # One way; what it shares with the others.
  class Contestant
    def initialize(setting)
      @setting = setting
    end

    # Seconds of the last run for what the floor does too; nil: all of them.
    def work_seconds = nil

    # Whether a run fills the database, and whether the columns of Masking::COLUMNS are masked in it then.
    def fills? = true
    def masks? = true

    # Runs a program of PostgreSQL's, watched. What it says goes to standard error, since it says nothing when all is well.
    def program(watch, name, *arguments)
      wait(watch.process(Process.spawn(Postgres.program(name), *arguments.map(&:to_s), out: File::NULL)))
    end

    def psql(watch, database, *statements)
      program(watch, "psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", *statements.flat_map { |sql| ["-c", sql] }, database.url)
    end

    def unpack(watch)
      wait(watch.process(Process.spawn("tar", "xzf", @setting.archive, "-C", @setting.temporary)))
      Dir.glob("#{@setting.temporary}/*.pgsql").first
    end

    # Runs blocks, at most `width` at once.
    def in_parallel(width, jobs)
      queue = Queue.new
      jobs.each { |job| queue << job }
      queue.close
      Array.new(width) { Thread.new { while (job = queue.pop) do yield job end } }.each(&:join)
    end

    private

    def wait(pid)
      Process.wait(pid)
      raise "#{self.class} failed" unless $?.success?
    end
  end

  # B: unpacked, restored by pg_restore, nothing masked.
  class PgRestore < Contestant
    def initialize(setting, jobs)
      super(setting)
      @jobs = jobs
    end

    def name = "B  tar + pg_restore -j#{@jobs}"

    def masks? = false

    def run(database, watch)
      restore(database, watch)
      psql(watch, database, "ANALYZE")
    end

    def restore(database, watch)
      path = unpack(watch)
      program(watch, "pg_restore", "--no-owner", "--no-privileges", "-j", @jobs, "-d", database.url, path)
      FileUtils.rm(path)
    end
  end

  # A: the same, then masked by UPDATEs.
  class Updates < PgRestore
    def name = "A  tar + pg_restore -j#{@jobs} + UPDATEs"

    def masks? = true

    def run(database, watch)
      restore(database, watch)
      in_parallel(@setting.connections, UPDATES) { |sql| psql(watch, database, sql) }
      psql(watch, database, "ANALYZE")
    end
  end

  # C: this gem, as the rake task runs it. It masks what A does; with the policy :mask also what detection finds, which
  # is free text of three million orders and the JSON of half a million audits.
  class Gem < Contestant
    def initialize(setting, checks:, policy: :warn)
      super(setting)
      @checks = checks
      @policy = policy
    end

    def name = "C  scalingo-staging-sync#{", checks off" unless @checks}#{", findings masked" if @policy == :mask}"

    def run(database, watch)
      task = @setting.app.start_rake("scalingo_staging_sync:run", environment: environment(database))
      watch.process(task.pid)
      result = task.wait(3600)
      raise "the rake task failed:\n#{result.output}" unless result.success?
    end

    # What the rake task is started with.
    def environment(database)
      { "DATABASE_URL" => database.url, "SCALINGO_POSTGRESQL_URL" => database.url, "TMPDIR" => @setting.temporary,
        "BENCH_CHECKS" => @checks.to_s, "BENCH_POLICY" => @policy.to_s }
    end

    # As the audit reports: without Rails, the backup's way here, and the plan; with verification.
    def work_seconds
      phases = JSON.parse(@setting.app.read("tmp/audit.json")).fetch("phases")
      phases.select { |phase| %w[schema rows keys verify].include?(phase["name"]) }.sum { |phase| phase["seconds"] }
    end
  end

  # D: the floor. Rows that are masked already, loaded by COPY … FREEZE two tables at a time, then the indexes.
  class Floor < Contestant
    def name = "D  COPY FREEZE of masked files, then indexes"

    def run(database, watch)
      path = File.join(@setting.masked, "archive.pgsql")
      program(watch, "pg_restore", "--no-owner", "--no-privileges", "--section=pre-data", "-d", database.url, path)
      files = Dir.glob("#{@setting.masked}/*.copy").sort_by { |file| -File.size(file) }
      # One transaction empties the table and fills it, which is what FREEZE asks for.
      in_parallel(2, files) do |file|
        table = File.basename(file, ".copy")
        psql(watch, database, "BEGIN", "TRUNCATE #{table}", "\\copy #{table} FROM '#{file}' WITH (FREEZE)", "COMMIT")
      end
      program(watch, "pg_restore", "--no-owner", "--no-privileges", "--section=post-data", "-j", @setting.connections, "-d", database.url, path)
      psql(watch, database, "ANALYZE")
    end
  end
end

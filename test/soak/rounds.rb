# frozen_string_literal: true

require "json"
require "tmpdir"
require "scalingo_staging_sync"
require_relative "../support/engine"
require_relative "../support/fake_scalingo"
require_relative "../support/postgres"
require_relative "breaking_proxy"
require_relative "small_disks"
require_relative "traces"

# Breaks a small run in a way that a seed chooses, again and again, and looks each time at what is left.
module Soak
  # Something that must not be.
  Failure = Class.new(StandardError)

  # A production that has a bit of everything that a run does.
  PRODUCTION = <<~SQL
    CREATE TABLE people (id bigserial PRIMARY KEY, email text NOT NULL UNIQUE, name text, photo oid);
    CREATE TABLE orders (id bigserial PRIMARY KEY, person_id bigint REFERENCES people, note text, total numeric(10,2));
    CREATE INDEX orders_total ON orders (total);
    CREATE MATERIALIZED VIEW totals AS SELECT person_id, sum(total) AS total FROM orders GROUP BY 1;
    INSERT INTO people (email, name, photo)
      SELECT 'raw' || n || '@production.example', 'Raw Name ' || n, lo_from_bytea(0, convert_to('photo ' || n, 'UTF8')) FROM generate_series(1, 40) n;
    INSERT INTO orders (person_id, note, total) SELECT 1 + n % 40, 'raw note ' || n, n FROM generate_series(1, 400) n;
    REFRESH MATERIALIZED VIEW totals;
  SQL

  # Queries that count raw values, by the table that they need.
  RAW = {
    "people" => "SELECT count(*) FROM people WHERE email LIKE 'raw%' OR name LIKE 'Raw Name%'",
    "orders" => "SELECT count(*) FROM orders WHERE note LIKE 'raw note%'"
  }.freeze

  # What no file of the server's, no WAL and no line of its log may hold.
  ORIGINALS = ["@production.example", "Raw Name ", "raw note "].freeze

  KINDS = %i[server store api kill_gem kill_server locks fills].freeze

  # The errors that a fault may end in; nil is a run that got by. Others are a failure of the round.
  ERRORS = {
    locks: [nil, "LockTimeoutError", "TargetConnectionError"],
    fills: [nil, "RestoreError", "TargetConnectionError"]
  }.freeze

  # What another session may take a table for, from the least to all.
  MODES = ["ACCESS SHARE", "ROW EXCLUSIVE", "SHARE", "ACCESS EXCLUSIVE"].freeze

  # Rounds from a seed: the same seed gives the same faults in the same order.
  class Rounds
    # Seconds that a round may take, when its stall_timeout is one.
    LIMIT = 120

    # @param seed [Integer]
    # @param only [Array<Symbol>] the kinds of faults, of KINDS
    def initialize(seed:, only: KINDS)
      @seed = seed
      @only = only
      @directory = Dir.mktmpdir("soak")
      @archive = Postgres.pack(production, directory: @directory)
      @staging = Postgres.create_staging("soak")
      @disks = SmallDisks.new(@staging.database) if only.include?(:fills)
      @traces = Traces.new(@staging.database)
      @reached = Hash.new(0)
    end

    attr_reader :reached

    # A run without a fault, to learn how many messages there are and how long it takes.
    def measure
      started = now
      fault = { kind: :none }
      room = @disks&.free
      wal = position
      @messages = run_through(fault) do |process, _|
        output = process.wait(LIMIT).output
        raise Failure, "a run without a fault fails: #{output.lines.last(12).join}" unless output.include?('"done":true')
      end
      @seconds = now - started
      @takes = { data: room[:data] - @disks.free[:data], wal: (position - wal) / 1024 } if @disks
      check(fault, nil)
      "#{@messages.map { |place, count| "#{count} messages (#{place})" }.join(", ")}, #{@seconds.round(1)} s"
    end

    # @param number [Integer] from 0 up
    # @return [String] what was done, and the result
    # @raise [Failure] when something is left that must not be
    def round(number)
      fault = fault_of(number)
      result = nil
      run_through(fault) do |process, proxies|
        disturb(fault, process)
        result = process.wait(LIMIT)
        @reached[fault[:kind]] += 1 if proxies[place_of(fault)]&.happened || fault[:after] || fault[:leave]
      end
      @disks&.empty
      error = result.output[/"error":"([^"]+)"/, 1] || result.output[/\((\w*Error)\)/, 1]
      ended = error || (result.output.include?('"done":true') ? "done" : "signal #{result.signal}")
      check(fault, result)
      unexpected(fault, error, result)
      run_again(fault)
      "#{describe(fault)}: #{ended}"
    rescue RuntimeError => error
      raise if error.is_a?(Failure) || !error.message.start_with?("still running")

      raise Failure, "#{describe(fault)}: it has not ended after #{LIMIT} seconds"
    end

    def clean
      @disks&.empty
      @staging.drop
      @disks&.remove
      FileUtils.remove_entry(@directory)
    end

    private

    # Its database is gone before the first round: autovacuum would write statistics of it, originals among them, to the WAL.
    def production
      source = Postgres.create_database("soak_production")
      source.exec(PRODUCTION)
      source.dump("#{@directory}/production.dump")
    ensure
      source&.drop
    end

    def now = Process.clock_gettime(Process::CLOCK_MONOTONIC)

    # Chosen by the seed and the number alone.
    def fault_of(number)
      random = Random.new((@seed * 1_000_003) + number)
      kind = @only[number % @only.length]
      case kind
      when :kill_gem, :kill_server then { kind:, after: random.rand * @seconds }
      # The lock is held for less than the lock_timeout of five seconds, or longer; then another table is asked for, or not.
      when :locks
        { kind:, at: 1 + random.rand(@messages.fetch(:server)), way: BreakingProxy::HOLD, held: [0.5, 8.0][random.rand(2)],
          mode: MODES[random.rand(MODES.length)], tables: %w[people orders totals].sample(1 + random.rand(2), random:) }
      when :fills
        place = SmallDisks::PLACES[random.rand(2)]
        { kind:, place:, leave: (random.rand * @takes.fetch(place)).to_i }
      else { kind:, at: 1 + random.rand(@messages.fetch(kind)), way: BreakingProxy::WAYS[random.rand(BreakingProxy::WAYS.length)] }
      end
    end

    def describe(fault)
      return "#{fault[:kind]}, #{fault[:leave]} KiB for #{fault[:place]}" if fault[:leave]
      return "#{fault[:kind]} after #{fault[:after]&.round(3)} s" unless fault[:at]

      words = ["#{fault[:kind]}, message #{fault[:at]}, #{fault[:way]}"]
      words << "#{fault[:mode]} of #{fault[:tables].join(", then ")} for #{fault[:held]} s" if fault[:mode]
      words.join(", ")
    end

    # Starts a run with a proxy before each server, and says how many messages passed each.
    def run_through(fault)
      fake = FakeScalingo.new(archive: @archive, piece: 2048)
      places = { server: [Postgres.port, :postgres], store: [fake.port_of(:store), :http], api: [fake.port_of(:api), :http] }
      proxies = places.to_h do |place, (port, protocol)|
        breaks = (place_of(fault) == place) ? fault.slice(:at, :way) : {}
        [place, BreakingProxy.new(port, protocol, **breaks) { lock(fault) }]
      end
      @disks.leave(fault[:place], fault[:leave]) if fault[:leave]
      fake.store_url = "http://127.0.0.1:#{proxies[:store].port}"
      fake.api_url = "http://127.0.0.1:#{proxies[:api].port}"
      process = Engine.start(settings(fake.source("stall_timeout" => 1.0), proxies[:server].port))
      yield process, proxies
      proxies.transform_values(&:count)
    ensure
      finish(process)
      @holder&.join
      proxies&.each_value(&:stop)
      fake&.stop
    end

    def finish(process)
      process&.kill(:KILL)
    rescue Errno::ESRCH
      nil
    end

    def settings(source, port)
      # The proxy reads what passes.
      url = "#{@staging.url.sub(":#{Postgres.port}/", ":#{port}/")}?sslmode=disable"
      rules = [{ "table" => "people", "columns" => { "email" => "email", "name" => "name" } }]
      sql = [{ "table" => "orders", "query" => "UPDATE orders SET note = 'masked ' || id" }]
      Engine.settings(source:, target: url, target_options: { stall_timeout: 1.0 }, masking_options: { rules:, sql_rules: sql, allow_unmasked_copy: false })
    end

    def disturb(fault, process)
      return unless fault[:after]

      sleep fault[:after]
      return process.kill(:KILL) if fault[:kind] == :kill_gem

      # PostgreSQL restarts when one of its processes is killed.
      pids = @staging.database.values("SELECT pid FROM pg_stat_activity WHERE datname = '#{@staging.database.name}' AND pid <> pg_backend_pid()")
      Process.kill(:KILL, Integer(pids.first)) if pids.any?
    rescue Errno::ESRCH, PG::Error
      nil
    end

    # Another session takes a table, and holds it while the run goes on; then it asks for the next, so that each may wait for
    # the other. Where the table is not there, or the run has it, nothing happens.
    def lock(fault)
      other = PG.connect(@staging.database.url)
      other.exec("SET lock_timeout = '0.2s'; SET deadlock_timeout = '1h'; BEGIN; #{locks(fault[:tables].first, fault[:mode])}")
      @holder = Thread.new do
        sleep 0.2
        other.exec("SET lock_timeout = '10s'; #{locks(fault[:tables][1], fault[:mode])}") if fault[:tables][1]
        sleep fault[:held]
      rescue PG::Error
        nil # It was the other that got the lock.
      ensure
        other.close
      end
    rescue PG::Error
      other&.close
    end

    # A materialized view is locked by what reads it, or fills it.
    def locks(table, mode)
      return "LOCK TABLE public.#{table} IN #{mode} MODE" unless table == "totals"

      (mode == "ACCESS EXCLUSIVE") ? "REFRESH MATERIALIZED VIEW public.totals" : "SELECT FROM public.totals LIMIT 0"
    end

    # The proxy that a fault is at.
    def place_of(fault) = (fault[:kind] == :locks) ? :server : fault[:kind]

    # How far the WAL has come, in bytes.
    def position = Integer(Postgres.exec("SELECT pg_current_wal_lsn() - '0/0' AS at").first["at"])

    def unexpected(fault, error, result)
      expected = ERRORS[fault[:kind]]
      name = error&.split("::")&.last
      return if expected.nil? || expected.include?(name)

      raise Failure, "#{describe(fault)}: it ended in #{name}: #{result.output.lines.last}"
    end

    # What must hold in every case.
    def check(fault, result)
      awake
      idle(fault)
      locks = @staging.database.value("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())")
      raise Failure, "#{describe(fault)}: #{locks} advisory locks are left" unless locks == "0"

      nothing_raw(fault)
      state = @staging.database.value("SELECT status FROM scalingo_staging_sync.state")
      done = result.nil? || result.output.include?('"done":true')
      raise Failure, "#{describe(fault)}: it is done, and the state is #{state}" if done && state != "complete"
      raise Failure, "#{describe(fault)}: the state is #{state}" unless %w[complete incomplete].include?(state)

      whole(fault) if state == "complete"
    end

    def idle(fault)
      @staging.database.wait_until_idle(10)
    rescue RuntimeError
      left = @staging.database.values("SELECT concat_ws(' ', state, wait_event, xact_start, left(query, 60)) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()")
      raise Failure, "#{describe(fault)}: sessions are left after ten seconds: #{left.join("; ")}" if left.any?
    end

    def nothing_raw(fault)
      RAW.each do |table, query|
        next unless @staging.database.value("SELECT to_regclass('public.#{table}')")

        raw = @staging.database.value(query)
        raise Failure, "#{describe(fault)}: #{raw} raw values in #{table}" unless raw == "0"
      end
      place = @traces.of(ORIGINALS)
      raise Failure, "#{describe(fault)}: an original is in #{place}" if place
    end

    def whole(fault)
      here = %w[people orders].map { |table| @staging.database.value("SELECT count(*) FROM #{table}") }
      raise Failure, "#{describe(fault)}: complete with #{here.join(" and ")} rows" unless here == %w[40 400]
    end

    # The next run, without a fault, comes to its end.
    def run_again(fault)
      outcome = Engine.run(settings({ "file" => @archive }, Postgres.port))
      raise Failure, "#{describe(fault)}: the next run fails: #{outcome.error.message}" if outcome.error

      check({ kind: :"the run after #{fault[:kind]}" }, nil)
    end

    # Waits for a server that restarts.
    def awake
      Timeout.timeout(30) do
        @staging.database.value("SELECT 1")
      rescue PG::Error
        sleep 0.1
        retry
      end
    end
  end
end

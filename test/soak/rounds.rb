# frozen_string_literal: true

require "json"
require "tmpdir"
require "scalingo_staging_sync"
require_relative "../support/engine"
require_relative "../support/fake_scalingo"
require_relative "../support/postgres"
require_relative "breaking_proxy"
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

  KINDS = %i[server store api kill_gem kill_server lock].freeze

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
      @traces = Traces.new(@staging.database)
      @reached = Hash.new(0)
    end

    attr_reader :reached

    # A run without a fault, to learn how many messages there are and how long it takes.
    def measure
      started = now
      fault = { kind: :none }
      @messages = run_through(fault) do |process, _|
        output = process.wait(LIMIT).output
        raise Failure, "a run without a fault fails: #{output.lines.last(12).join}" unless output.include?('"done":true')
      end
      @seconds = now - started
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
        @reached[fault[:kind]] += 1 if proxies[fault[:kind]]&.happened || fault[:after]
      end
      error = result.output[/"error":"([^"]+)"/, 1] || result.output[/\((\w*Error)\)/, 1]
      ended = error || (result.output.include?('"done":true') ? "done" : "signal #{result.signal}")
      check(fault, result)
      run_again(fault)
      "#{describe(fault)}: #{ended}"
    rescue RuntimeError => error
      raise if error.is_a?(Failure) || !error.message.start_with?("still running")

      raise Failure, "#{describe(fault)}: it has not ended after #{LIMIT} seconds"
    end

    def clean
      @staging.drop
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
      # Below the lock_timeout of five seconds, or above.
      when :lock then { kind:, after: random.rand * @seconds, held: [0.5, 7.0][random.rand(2)], tables: %w[people orders].shuffle(random:) }
      else { kind:, at: 1 + random.rand(@messages.fetch(kind)), way: BreakingProxy::WAYS[random.rand(BreakingProxy::WAYS.length)] }
      end
    end

    def describe(fault)
      fault[:at] ? "#{fault[:kind]}, message #{fault[:at]}, #{fault[:way]}" : "#{fault[:kind]} after #{fault[:after]&.round(3)} s"
    end

    # Starts a run with a proxy before each server, and says how many messages passed each.
    def run_through(fault)
      fake = FakeScalingo.new(archive: @archive, piece: 2048)
      places = { server: [Postgres.port, :postgres], store: [fake.port_of(:store), :http], api: [fake.port_of(:api), :http] }
      proxies = places.to_h do |place, (port, protocol)|
        breaks = (fault[:kind] == place) ? fault.slice(:at, :way) : {}
        [place, BreakingProxy.new(port, protocol, **breaks)]
      end
      fake.store_url = "http://127.0.0.1:#{proxies[:store].port}"
      fake.api_url = "http://127.0.0.1:#{proxies[:api].port}"
      process = Engine.start(settings(fake.source("stall_timeout" => 1.0), proxies[:server].port))
      yield process, proxies
      proxies.transform_values(&:count)
    ensure
      finish(process)
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
      return lock(fault) if fault[:kind] == :lock

      # PostgreSQL restarts when one of its processes is killed.
      pids = @staging.database.values("SELECT pid FROM pg_stat_activity WHERE datname = '#{@staging.database.name}' AND pid <> pg_backend_pid()")
      Process.kill(:KILL, Integer(pids.first)) if pids.any?
    rescue Errno::ESRCH, PG::Error
      nil
    end

    # Another session takes both tables, one after the other, so that the two may wait for each other.
    def lock(fault)
      @staging.database.connect do |connection|
        connection.exec("BEGIN")
        connection.exec("SET LOCAL lock_timeout = '8s'")
        fault[:tables].each do |table|
          connection.exec("LOCK TABLE public.#{table} IN ACCESS EXCLUSIVE MODE")
          sleep 0.2
        end
        sleep fault[:held]
        connection.exec("COMMIT")
      end
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

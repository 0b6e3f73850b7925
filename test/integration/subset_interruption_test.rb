# frozen_string_literal: true

require_relative "integration_helper"

# A run of a subset that is stopped: while it chooses the target is as it was, later it is marked incomplete; and of the
# choice nothing stays in any case.
class SubsetInterruptionTest < IntegrationTest
  # In any database but production's a row of `users`, or an index over them, takes minutes.
  PRODUCTION = <<~SQL
    CREATE FUNCTION slow(bigint) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN
      IF current_database() NOT LIKE 'slow%%' AND pg_catalog.current_setting('slow.off', true) IS NULL AND pg_catalog.current_query() ~* '%<slow>s' THEN
        PERFORM pg_catalog.pg_sleep(0.05) FROM pg_catalog.generate_series(1, 4000);
      END IF; RETURN true; END $$;
    CREATE TABLE organisations (id bigint PRIMARY KEY);
    CREATE TABLE users (id bigint PRIMARY KEY, organisation_id bigint REFERENCES organisations %<check>s);
    CREATE TABLE nodes (id bigint PRIMARY KEY, parent_id bigint REFERENCES nodes);
    INSERT INTO organisations SELECT generate_series(1, 10);
    INSERT INTO users SELECT n, 1 + n %% 10 FROM generate_series(1, 100) n;
    INSERT INTO nodes SELECT n, nullif(n - 1, 0) FROM generate_series(1, %<nodes>s) n;
    %<index>s
  SQL

  # In each phase something that takes long: the rule's condition; a chain of rows that goes one by one; a CHECK; an index;
  # an index's expression that ANALYZE computes.
  SLOW = {
    choice: { where: "id = 2 AND pg_sleep(100)::text = ''", event: /"phase":"choice"/, statement: "%discreetly%" },
    closure: { nodes: 300_000, event: /"phase":"choice"/, statement: "DO $rounds$%" },
    rows: { check: "CHECK (slow(organisation_id))", slow: "^COPY", event: /"phase":"rows"/, statement: "COPY%users%" },
    keys: { index: "CREATE INDEX slow_users ON users (slow(id));", slow: "slow_users", event: /"table_loaded"/, statement: "%slow_users%" },
    analyze: { index: "CREATE INDEX slow_users ON users (slow(id));", slow: "^ANALYZE", event: /"phase":"rows"/, statement: "ANALYZE%" }
  }.freeze

  SIGNALS = %i[INT TERM KILL].freeze

  SLOW.each_key do |phase|
    SIGNALS.each do |signal|
      define_method(:"test_sig#{signal.downcase}_during_the_#{phase}_leaves_nothing_and_the_next_run_completes") do
        slow = { where: "id = 2", check: "", index: "", slow: "^never", nodes: 1 }.merge(SLOW.fetch(phase))
        production = new_database("slow_subset")
        production.exec(format(PRODUCTION, **slow.slice(:check, :index, :slow, :nodes)))
        stop(production.dump(path("slow.dump")), slow, signal, touched: !%i[choice closure].include?(phase))
      end
    end
  end

  # Byte counts at which the download stands still: before the plan, and while keys are looked at.
  HELD = { plan: [1000, /"event":"phase"/], first_look: [0.7, /"phase":"choice"/] }.freeze

  HELD.each do |phase, (bytes, event)|
    SIGNALS.each do |signal|
      define_method(:"test_sig#{signal.downcase}_during_the_#{phase}_leaves_nothing_and_the_next_run_completes") do
        archive = Shared.large_archive
        bytes = (File.size(archive) * bytes).to_i if bytes.is_a?(Float)
        fake = fake_scalingo(archive:, hold_at: bytes, piece: 8192)
        stop_held(fake, event, signal)
      end
    end
  end

  private

  def stop(archive, slow, signal, touched:)
    staging = new_staging
    before = staging.database.canonical_dump
    process = Engine.start(settings(archive, staging, slow[:where], slow[:nodes]))
    assert process.wait_for(slow[:event]), process.output
    wait_for_statement(staging, slow[:statement])
    assert_stopped(process, signal)
    assert_nothing_left(staging)
    assert_equal "incomplete", staging.database.value("SELECT status FROM scalingo_staging_sync.state") if touched
    assert_equal before, staging.database.canonical_dump unless touched

    Postgres.exec("ALTER DATABASE #{staging.database.name} SET slow.off = 'on'")
    outcome = Engine.run(settings(archive, staging, "id = 2", 1))
    assert_nil outcome.error
    assert_equal %w[10 complete], [staging.database.value("SELECT count(*) FROM users"), staging.database.value("SELECT status FROM scalingo_staging_sync.state")]
  end

  def stop_held(fake, event, signal)
    staging = new_staging
    before = staging.database.canonical_dump
    cut = { subset: { "tables" => [{ "table" => "users", "option" => "subset", "where" => "id % 20 = 0" }], "others" => "follow" } }
    settings = Engine.settings(source: fake.source, target: staging.url, rules: SHOP_RULES, options: cut)
    process = Engine.start(settings)
    fake.wait_until_held
    assert process.wait_for(event), process.output
    assert_stopped(process, signal)
    assert_nothing_left(staging)
    assert_equal before, staging.database.canonical_dump

    fake.release
    assert_nil Engine.run(settings).error
    assert_equal "0", staging.database.value("SELECT count(*) FROM users WHERE id % 20 <> 0")
    assert_nothing_raw staging.database, source: Shared.large_shop
  end

  # Nodes go where their chain's first does, unless there is only one.
  def settings(archive, staging, where, nodes)
    tables = [{ "table" => "organisations", "option" => "subset", "where" => where }]
    tables << { "table" => "nodes", "option" => "subset", "where" => "id > 1" } if nodes > 1
    Engine.settings(source: archive, target: staging.url, options: { subset: { "tables" => tables, "others" => "follow" } })
  end

  def assert_nothing_left(staging)
    staging.database.wait_until_idle(10)
    assert_empty staging.database.values("SELECT relname FROM pg_class WHERE relname LIKE 'scalingo_staging_sync_%'")
  end

  def assert_stopped(process, signal)
    process.kill(signal)
    result = process.wait(30)
    assert_equal Signal.list[signal.to_s], result.signal, result.output
  end

  def wait_for_statement(staging, pattern)
    Timeout.timeout(30) do
      sleep 0.05 until Postgres.exec("SELECT 1 FROM pg_stat_activity WHERE datname = '#{staging.database.name}' AND state = 'active' AND query ILIKE '#{pattern}'").any?
    end
  end
end

# frozen_string_literal: true

require_relative "integration_helper"

# A run of a subset that is stopped: while it chooses the target is as it was, later it is marked incomplete; and of the
# choice nothing stays in any case.
class SubsetInterruptionTest < IntegrationTest
  # In any database but production's a row of `users`, or an index over them, takes minutes.
  PRODUCTION = <<~SQL
    CREATE FUNCTION slow(bigint) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN
      IF current_database() NOT LIKE 'slow%%' THEN PERFORM pg_catalog.pg_sleep(0.05) FROM pg_catalog.generate_series(1, 4000); END IF; RETURN true; END $$;
    CREATE TABLE organisations (id bigint PRIMARY KEY);
    CREATE TABLE users (id bigint PRIMARY KEY, organisation_id bigint REFERENCES organisations %<check>s);
    INSERT INTO organisations SELECT generate_series(1, 10);
    INSERT INTO users SELECT n, 1 + n %% 10 FROM generate_series(1, 100) n;
    %<index>s
  SQL

  SLOW = { choice: ["id = 2 AND pg_sleep(100)::text = ''", "", "", /"phase":"choice"/, "%discreetly%"],
           rows: ["id = 2", "CHECK (slow(organisation_id))", "", /"phase":"rows"/, "COPY%users%"],
           keys: ["id = 2", "", "CREATE INDEX slow_users ON users (slow(id));", /"table_loaded"/, "%slow_users%"] }.freeze

  SLOW.each do |phase, (where, check, index, event, statement)|
    %i[INT TERM KILL].each do |signal|
      define_method(:"test_sig#{signal.downcase}_during_the_#{phase}_leaves_nothing") do
        production = new_database("slow_subset")
        production.exec(format(PRODUCTION, check:, index:))
        stop(production.dump(path("slow.dump")), where, event, statement, signal, phase)
      end
    end
  end

  private

  def stop(archive, where, event, statement, signal, phase)
    staging = new_staging
    before = staging.database.canonical_dump
    process = Engine.start(Engine.settings(source: archive, target: staging.url, options: { subset: {
                                             "tables" => [{ "table" => "organisations", "option" => "subset", "where" => where }], "others" => "follow"
                                           } }))
    assert process.wait_for(event), process.output
    wait_for_statement(staging, statement)
    assert_stopped(process, signal)
    staging.database.wait_until_idle(10)
    assert_empty staging.database.values("SELECT relname FROM pg_class WHERE relname LIKE 'scalingo_staging_sync_%'")
    return assert_equal(before, staging.database.canonical_dump) if phase == :choice

    assert_equal "incomplete", staging.database.value("SELECT status FROM scalingo_staging_sync.state")
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

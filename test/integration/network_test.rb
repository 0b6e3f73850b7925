# frozen_string_literal: true

require_relative "integration_helper"
require_relative "../support/distant_proxy"

# A database that is another machine: what can be sent ahead does not wait for an answer.
class NetworkTest < IntegrationTest
  ROUND_TRIP = 0.01

  # One table more needs no turn of its own: not for being created, filled, indexed, looked at or analyzed.
  def test_the_turns_of_a_run_do_not_grow_by_one_with_each_table
    few, many = [50, 250].map { |tables| turns_of_a_run(tables) }
    assert_operator many - few, :<, 100, "#{few} turns for 50 tables, #{many} for 250"
  end

  # Rows go one COPY behind the other, and one that is refused is known by its name.
  def test_a_small_table_that_is_refused_among_many_is_named
    source = tables(20)
    source.exec("CREATE FUNCTION is_ours(text) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$ SELECT $1 LIKE '%@b.example' $$;
                 ALTER TABLE small_7 ADD CHECK (public.is_ours(email))")
    error = assert_run_fails(ScalingoStagingSync::RestoreError, source: source.dump(path("refused.dump")), target: new_staging.url,
                                                                rules: { "small_7" => :email_anonymization })
    assert_includes error.message, "small_7"
  end

  # A function in a CHECK names another without its schema, so the rows are refused at first and come once more.
  def test_a_small_table_that_is_refused_at_first_is_there_in_the_end
    source = tables(20)
    source.exec("CREATE FUNCTION has_at(text) RETURNS boolean LANGUAGE sql AS $$ SELECT $1 LIKE '%@%' $$;
                 CREATE FUNCTION is_address(text) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RETURN has_at($1); END $$;
                 ALTER TABLE small_7 ADD CHECK (public.is_address(email))")
    staging = new_staging
    run!(source: source.dump(path("late.dump")), target: staging.url)
    assert_equal source.counts, staging.database.counts
  end

  # Small numbers are shorter as text, of which the server reads more than it would of tuples.
  def test_rows_go_a_long_way_in_the_form_that_takes_fewer_bytes
    source = new_database("network")
    source.exec("CREATE TABLE numbers (at timestamp, a int, b int, c int, d int, e int);
                 INSERT INTO numbers SELECT '2026-01-01', 1, 2, 3, 4, n % 100 FROM generate_series(1, 40000) AS n")
    text = source.copy("SELECT * FROM numbers").sum(&:bytesize)
    sent = from_afar { |url| run!(source: source.dump(path("numbers.dump")), target: url) }.sent
    assert_operator sent, :<, 1.2 * text
  end

  private

  # A database of so many tables, with two rows each.
  def tables(count)
    new_database("network").tap do |source|
      source.exec((1..count).map { |number| <<~SQL }.join)
        CREATE TABLE small_#{number} (id serial PRIMARY KEY, email text);
        INSERT INTO small_#{number} (email) VALUES ('a#{number}@b.example'), (NULL);
        CREATE INDEX ON small_#{number} (email);
      SQL
    end
  end

  def turns_of_a_run(count)
    archive = tables(count).dump(path("#{count}.dump"))
    from_afar { |url| run!(source: archive, target: url, rules: { "small_1" => :email_anonymization }) }.turns
  end

  # Yields the URL of a staging database that is far away, and returns what has passed to it and back.
  def from_afar
    proxy = DistantProxy.start({ database: Postgres.port }, round_trip: ROUND_TRIP)
    later { proxy.stop }
    yield new_staging.url.sub(":#{Postgres.port}/", ":#{proxy.port(:database)}/")
    proxy.traffic(:database)
  end
end

# frozen_string_literal: true

require_relative "integration_helper"

# The role that Scalingo hands out: owner of nothing but what it makes itself.
class RestrictedRoleTest < IntegrationTest
  def test_the_role_of_scalingo_can_be_filled_and_filled_again
    staging = new_staging
    2.times { run!(source: shop_archive, target: staging.url, rules: SHOP_RULES) }
    assert_equal shop.counts, staging.database.counts
    assert_nothing_raw staging.database
  end

  def test_an_extension_that_the_role_is_refused_is_left_out_with_a_warning
    staging = new_staging
    outcome = run!(source: shop_archive, target: staging.url, rules: SHOP_RULES)
    assert_equal %w[citext plpgsql], staging.database.values("SELECT extname FROM pg_extension ORDER BY 1")
    assert(outcome.warnings.any? { |warning| warning.include?("pg_stat_statements") }, outcome.warnings.join("\n"))
  end

  def test_an_extension_that_the_platform_has_made_stays
    staging = new_staging(before: "CREATE EXTENSION pg_stat_statements; CREATE EXTENSION citext;")
    run!(source: shop_archive, target: staging.url, rules: SHOP_RULES)
    assert_equal %w[citext pg_stat_statements plpgsql], staging.database.values("SELECT extname FROM pg_extension ORDER BY 1")
  end

  def test_what_the_role_made_in_any_schema_is_gone_afterwards
    staging = new_staging
    staging.database.connect(staging.url) do |connection|
      connection.exec(<<~SQL)
        CREATE SCHEMA old; CREATE TABLE old.t (id serial PRIMARY KEY); CREATE TYPE mood AS ENUM ('a'); CREATE TABLE m (m mood);
        CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'; CREATE VIEW v AS SELECT f(); CREATE SEQUENCE s;
        CREATE TABLE old.parts (id int) PARTITION BY RANGE (id); CREATE TABLE old.part PARTITION OF old.parts DEFAULT;
        CREATE DOMAIN d AS int; CREATE AGGREGATE agg(int) (SFUNC = int4pl, STYPE = int); SELECT lo_from_bytea(0, 'x');
      SQL
    end
    run!(source: shop_archive, target: staging.url, rules: SHOP_RULES)
    assert_equal shop.counts, staging.database.counts
    assert_nil staging.database.value("SELECT to_regnamespace('old')")
    assert_equal shop.value("SELECT count(*) FROM pg_largeobject_metadata"), staging.database.value("SELECT count(*) FROM pg_largeobject_metadata")
    assert_equal "0", staging.database.value("SELECT count(*) FROM pg_type WHERE typname IN ('mood', 'd')")
  end

  def test_a_table_of_another_role_in_the_way_is_named_and_nothing_is_lost
    staging = new_staging
    staging.database.connect(staging.url) { |connection| connection.exec("CREATE TABLE mine (id int PRIMARY KEY)") }
    staging.database.exec("CREATE TABLE theirs (id int REFERENCES mine)")
    before = staging.database.canonical_dump
    outcome = Engine.run(Engine.settings(source: shop_archive, target: staging.url, rules: SHOP_RULES))
    refute_nil outcome.error
    assert_match(/theirs/, outcome.error.message)
    assert_equal before, staging.database.canonical_dump
  end

  def test_a_role_that_owns_its_database
    role = Postgres.create_role("owner")
    later { Postgres.exec("DROP ROLE #{role}") }
    database = Postgres.create_database("owned", owner: role)
    later { database.drop }
    2.times { run!(source: shop_archive, target: database.url_as(role), rules: SHOP_RULES) }
    assert_equal shop.counts, database.counts
  end

  def test_a_role_that_may_not_create_anything_gets_an_error_that_says_so
    role = Postgres.create_role("poor")
    later { Postgres.exec("DROP ROLE #{role}") }
    database = new_database
    assert_untouched(database) do
      assert_run_fails ScalingoStagingSync::PrivilegeError, source: shop_archive, target: database.url_as(role), rules: SHOP_RULES
    end
  end

  def test_a_role_that_may_not_use_what_another_has_made_is_sent_to_the_check
    role = Postgres.create_role("stranger")
    later { Postgres.exec("DROP ROLE #{role}") }
    database = new_database
    run!(source: shop_archive, target: database.url, rules: SHOP_RULES)
    error = assert_untouched(database) do
      assert_run_fails ScalingoStagingSync::PrivilegeError, source: shop_archive, target: database.url_as(role), rules: SHOP_RULES
    end
    assert_includes error.remedy, "`rake scalingo_staging_sync:check` names each that it lacks."
  end
end

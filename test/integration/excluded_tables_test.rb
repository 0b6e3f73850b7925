# frozen_string_literal: true

require_relative "integration_helper"

# `exclude_tables`: the table is there, its rows are not, and keys that point at it do not stand in the way.
class ExcludedTablesTest < IntegrationTest
  def test_an_excluded_table_is_empty_and_keys_to_it_are_not_valid
    target = new_database
    outcome = run!(source: shop_archive, target: target.url, rules: SHOP_RULES, exclude: %w[sessions audit_logs])
    assert_equal %w[0 0], %w[sessions audit_logs].map { |table| target.value("SELECT count(*) FROM #{table}") }
    assert_equal shop.counts.except("public.sessions", "public.audit_logs"), target.counts.except("public.sessions", "public.audit_logs")
    assert_equal ["fk_impersonations_session"], target.values("SELECT conname FROM pg_constraint WHERE NOT convalidated")
    assert_equal shop.columns("public.sessions"), target.columns("public.sessions")
    assert(outcome.warnings.any? { |warning| warning.include?("fk_impersonations_session") }, outcome.warnings.join("\n"))
    assert_equal %w[public.audit_logs public.sessions], outcome.report[:excluded].sort
  end

  def test_patterns_schema_qualified_and_quoted_names
    source = new_database("source")
    source.exec(<<~SQL)
      CREATE SCHEMA log;
      CREATE TABLE log.a (id int); CREATE TABLE log.b (id int); CREATE TABLE log_c (id int); CREATE TABLE "Odd Name" (id int); CREATE TABLE stays (id int);
      INSERT INTO log.a VALUES (1); INSERT INTO log.b VALUES (1); INSERT INTO log_c VALUES (1); INSERT INTO "Odd Name" VALUES (1); INSERT INTO stays VALUES (1);
    SQL
    target = new_database
    run!(source: source.dump(path("dump")), target: target.url, exclude: ["log.*", "log_*", '"Odd Name"'])
    assert_equal({ "log.a" => 0, "log.b" => 0, "public.\"Odd Name\"" => 0, "public.log_c" => 0, "public.stays" => 1 }, target.counts)
  end

  def test_a_name_that_matches_nothing_is_an_error_with_near_misses
    target = new_database
    error = assert_untouched(target) do
      assert_run_fails ScalingoStagingSync::PlanError, source: shop_archive, target: target.url, rules: SHOP_RULES, exclude: ["session"]
    end
    assert_match(/sessions/, error.message)
  end

  def test_a_key_of_a_partitioned_table_to_an_excluded_one_is_left_out
    source = new_database("source")
    source.exec(<<~SQL)
      CREATE TABLE visitors (id int PRIMARY KEY);
      CREATE TABLE visits (id int, visitor_id int CONSTRAINT to_visitors REFERENCES visitors) PARTITION BY RANGE (id);
      CREATE TABLE visits_all PARTITION OF visits DEFAULT;
      INSERT INTO visitors VALUES (1); INSERT INTO visits VALUES (1, 1);
    SQL
    target = new_database
    outcome = run!(source: source.dump(path("dump")), target: target.url, exclude: ["visitors"])
    assert_equal "1", target.value("SELECT count(*) FROM visits")
    assert(outcome.warnings.any? { |warning| warning.include?("to_visitors") }, outcome.warnings.join("\n"))
  end

  def test_excluding_a_partitioned_table_excludes_its_partitions
    target = new_database
    run!(source: shop_archive, target: target.url, rules: SHOP_RULES, exclude: ["page_views"])
    assert_equal "0", target.value("SELECT count(*) FROM page_views")
  end
end

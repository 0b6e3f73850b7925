# frozen_string_literal: true

require "test_helper"
require "support/postgres"
require_relative "../../bench/masking"
require_relative "../../bench/contestants"

# A contestant of bench/run counts only when it has left what it should: every row, every index, and no original.
class BenchmarkMaskingTest < Minitest::Test
  DATASET = File.expand_path("../../bench/dataset.sql", __dir__)

  def setup
    @production = Postgres.create_database("production").tap { |database| database.load_sql(DATASET, users: 200) }
    @staging = Postgres.create_database("staging")
    Dir.mktmpdir { |folder| @staging.restore(@production.dump("#{folder}/dump")) }
  end

  def teardown = [@production, @staging].each(&:drop)

  def mask = Contestants::UPDATES.each { |sql| @staging.exec(sql) }

  def refused(masked) = assert_raises(Masking::Wrong) { Masking.check!(@production, @staging, masked:) }.message

  def test_a_copy_is_a_copy_and_not_masked
    Masking.check!(@production, @staging, masked: false)
    assert_match(/not masked: users\.email holds 200 originals/, refused(true))
  end

  def test_what_the_updates_leave_is_masked
    mask
    Masking.check!(@production, @staging, masked: true)
  end

  def test_one_original_is_found
    mask
    @staging.exec("UPDATE phone_numbers SET number = '#{@production.value("SELECT number FROM phone_numbers WHERE id = 7")}' WHERE id = 7")
    assert_equal "not masked: phone_numbers.number holds 1 originals", refused(true)
  end

  def test_a_missing_row_is_found
    @staging.exec("DELETE FROM orders WHERE id = 7")
    assert_equal "incomplete: public.orders has 599 rows instead of 600", refused(false)
  end

  def test_a_missing_index_and_a_missing_constraint_are_found
    @staging.exec("ALTER TABLE orders DROP CONSTRAINT fk_orders_users")
    assert_equal "incomplete: without the constraint fk_orders_users", refused(false)
    @staging.exec("DROP INDEX index_orders_on_reference")
    assert_equal "incomplete: without the index index_orders_on_reference", refused(false)
  end

  def test_tables_of_rails_are_no_concern
    @staging.exec("CREATE TABLE schema_migrations (version varchar PRIMARY KEY)")
    Masking.check!(@production, @staging, masked: false)
  end
end

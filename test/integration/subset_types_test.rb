# frozen_string_literal: true

require_relative "integration_helper"

# Rows of a part of production are compared as PostgreSQL compares them: across types, and by a column's own collation.
class SubsetTypesTest < IntegrationTest
  KEYS = <<~SQL
    CREATE COLLATION ci (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
    CREATE TABLE days (d date PRIMARY KEY);
    CREATE TABLE visits (id int PRIMARY KEY, d timestamp REFERENCES days);
    CREATE TABLE nets (n inet PRIMARY KEY);
    CREATE TABLE hosts (id int PRIMARY KEY, n cidr REFERENCES nets);
    CREATE TABLE codes (c char(5) PRIMARY KEY);
    CREATE TABLE uses (id int PRIMARY KEY, c varchar REFERENCES codes);
    CREATE TABLE names (n text COLLATE ci PRIMARY KEY);
    CREATE TABLE calls (id int PRIMARY KEY, n text COLLATE ci REFERENCES names);
    INSERT INTO days VALUES ('2024-01-01'), ('2024-01-02');
    INSERT INTO visits VALUES (1, '2024-01-01'), (2, '2024-01-02');
    INSERT INTO nets VALUES ('10.0.0.0/8'), ('192.168.0.0/16');
    INSERT INTO hosts VALUES (1, '10.0.0.0/8'), (2, '192.168.0.0/16');
    INSERT INTO codes VALUES ('ab'), ('cd');
    INSERT INTO uses VALUES (1, 'ab'), (2, 'cd');
    INSERT INTO names VALUES ('Anna'), ('Ben');
    INSERT INTO calls VALUES (1, 'anna'), (2, 'BEN');
  SQL

  ORDERED = <<~SQL
    CREATE TABLE names (id int PRIMARY KEY, n text COLLATE "en-x-icu");
    CREATE TABLE others (id int PRIMARY KEY, n text COLLATE "en-x-icu");
    INSERT INTO names VALUES (1, 'B'), (2, 'a'), (3, 'c');
    INSERT INTO others SELECT * FROM names;
  SQL

  def test_keys_are_equal_where_a_foreign_key_takes_them_for_equal
    target = copy(KEYS, days: { where: "d = '2024-01-01'" }, nets: { where: "n = '10.0.0.0/8'" }, codes: { where: "c = 'ab'" },
                        names: { where: "n = 'ANNA'" })
    %w[visits hosts uses calls].each { |table| assert_equal ["1"], target.values("SELECT id FROM #{table}"), table }
    assert_empty target.values("SELECT conname FROM pg_constraint WHERE NOT convalidated")
  end

  def test_conditions_and_orders_follow_a_columns_own_collation
    target = copy(ORDERED, names: { rows: 1, order_by: ["n"], descending: false }, others: { where: "n < 'b'" })
    assert_equal %w[a], target.values("SELECT n FROM names")
    assert_equal %w[a], target.values("SELECT n FROM others")
  end

  private

  # What a subset leaves of a database that this SQL makes.
  def copy(sql, **rules)
    production = new_database("types").tap { |database| database.exec(sql) }
    tables = rules.map { |table, rule| { "table" => table.to_s, "option" => "subset", **rule.transform_keys(&:to_s) } }
    new_database.tap do |target|
      run!(source: production.dump(path("#{rules.keys.first}.dump")), target: target.url, options: { subset: { "tables" => tables, "others" => "follow" } })
    end
  end
end

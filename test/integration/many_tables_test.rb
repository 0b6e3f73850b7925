# frozen_string_literal: true

require_relative "integration_helper"

# More objects than the server's lock table holds.
class ManyTablesTest < IntegrationTest
  TABLES = 2000

  def test_two_thousand_tables_are_restored_and_replaced
    source = new_database("many")
    (1..TABLES).each_slice(100) do |numbers|
      source.exec(numbers.map { |n| <<~SQL }.join)
        CREATE TABLE t#{n} (id serial PRIMARY KEY, email text, parent_id int#{" REFERENCES t#{n - 1}" if n > 1});
        CREATE INDEX t#{n}_email ON t#{n} (email);
        INSERT INTO t#{n} (email) VALUES ('a#{n}@x.example');
      SQL
    end
    archive = source.dump(path("many.dump"))
    staging = new_staging
    2.times { run!(source: archive, target: staging.url, rules: { "t7" => :email_anonymization }) }
    assert_equal TABLES, staging.database.tables.length
    assert_equal "0", staging.database.value("SELECT count(*) FROM t7 WHERE email LIKE '%@x.example'")
    staging.database.exec("UPDATE t7 SET email = 'a7@x.example'")
    assert_same_text source.canonical_dump, staging.database.canonical_dump, "not what production has"
  end

  def test_many_large_objects_are_replaced
    staging = new_staging
    staging.database.connect(staging.url) do |connection|
      20.times { connection.exec("SELECT count(lo_create(0)) FROM generate_series(1, 1000)") }
    end
    run!(source: shop_archive, target: staging.url, rules: SHOP_RULES)
    assert_equal shop.value("SELECT count(*) FROM pg_largeobject_metadata"), staging.database.value("SELECT count(*) FROM pg_largeobject_metadata")
  end
end

# frozen_string_literal: true

# A database of many small tables, each with a key, an index and fifty rows.
module SmallTables
  # As the generator writes it: what no rule names is masked because it is found.
  RULES = <<~RUBY
    config.anonymization_tables = [{ table: "small_1", columns: { email: :email } }]
    config.pii_policy = :mask
  RUBY

  module_function

  # @param database [Postgres::Database]
  # @param tables [Integer] how many
  # @param personal [Integer] how many of them hold addresses
  def fill(database, tables:, personal:)
    # In portions, since one transaction's locks do not fit the server's table.
    (1..tables).each_slice(200) { |numbers| database.exec(numbers.map { |number| sql(number, is_personal: number <= personal) }.join) }
  end

  def sql(number, is_personal:)
    column, value = is_personal ? ["email", "'a' || i || '.#{number}@b.example'"] : ["label", "'a' || i"]
    <<~SQL
      CREATE TABLE small_#{number} (id bigserial PRIMARY KEY, #{column} varchar(255), created_at timestamp NOT NULL);
      INSERT INTO small_#{number} (#{column}, created_at) SELECT #{value}, now() FROM generate_series(1, 50) AS i;
      CREATE INDEX ON small_#{number} (created_at);
    SQL
  end
end

# frozen_string_literal: true

# Looks at what the run has left, by queries that know nothing of how it was made.
class Proof
  MEMORY_LIMIT = 64 * 1024 * 1024

  # Room for a few small files (the audit, this demo's report), far below the size of the backup.
  SMALL_FILES = 1024 * 1024

  # `audit`: what the run's audit says, which names every column that was masked.
  def initialize(production:, staging:, check:, screen:, audit:)
    @production = production
    @staging = staging.database
    @role = staging.role
    @check = check
    @screen = screen
    @masked = audit["tables"].to_h { |table| [table["table"], table["columns"].map { |column| column["name"] }] }
    @holds = true
  end

  def holds? = @holds

  # What is in the staging database.
  def data
    counts
    unmasked_columns
    masked_columns
    no_original
    keys
    claim("no connection of the run is left in the staging database", @staging.sessions(@role).zero?)
  end

  # What the API and the store were asked.
  def requests(fake)
    downloads = fake.requests_of(:download)
    claim("the API's token was not sent to the store that serves the backup",
          downloads.any? && downloads.none?(&:authorization))
    claim("production's account was only read", fake.requests_of(:create_backup).empty?)
  end

  # What the run needed.
  def resources(task, rails_only)
    memory(task, rails_only)
    claim("bytes in temporary files: #{Screen.number(task.most_temporary_bytes)}", task.most_temporary_bytes.zero?)
    return unless task.bytes_to_disk

    more = task.bytes_to_disk - rails_only.bytes_to_disk
    claim("bytes that the process wrote to disk at all, audit file included: #{Screen.number(more)}", more < SMALL_FILES)
  end

  # Prints a statement, and keeps whether it holds.
  def claim(statement, holds)
    @holds &&= holds
    @screen.check(statement, holds)
  end

  private

  def counts
    expected = @production.counts.to_h { |table, rows| [table, Shop::EXCLUDED.include?(table) ? 0 : rows] }
    actual = @staging.counts
    claim("every table has production's number of rows (#{Screen.number(actual.values.sum)} in all), the excluded ones none",
          expected == actual)
  end

  # A sum over the rows' hashes does not depend on their order.
  def unmasked_columns
    differing = (@production.tables - Shop::EXCLUDED).reject do |table|
      columns = @production.columns(table) - Shop::MASKED.fetch(table, {}).keys - @masked.fetch(table, [])
      columns -= %w[value updated_at] if table == "public.ar_internal_metadata" # Rails writes "staging" there
      list = columns.map { |column| PG::Connection.quote_ident(column) }.join(", ")
      query = "SELECT sum(hashtextextended(ROW(#{list})::text, 0)::numeric) FROM #{table}"
      @production.value(query) == @staging.value(query)
    end
    claim("every column that the audit does not name is, in every row, what it is in production#{" except in #{differing.join(", ")}" if differing.any?}",
          differing.empty?)
  end

  def masked_columns
    Shop::MASKED.each do |table, columns|
      wrong = columns.reject do |column, form|
        values = @staging.values("SELECT DISTINCT #{column}::text FROM #{table} WHERE #{column} IS NOT NULL")
        form ? values.any? && values.all? { |value| value.match?(form) } : values.empty?
      end
      claim("masked columns of #{table.delete_prefix("public.")} have their documented form (#{columns.length})" \
            "#{", but not #{wrong.keys.join(", ")}" if wrong.any?}", wrong.empty?)
    end
  end

  # Every original e-mail address, phone number and name goes to a third database, and so does every text of the
  # staging database; there they are joined.
  def no_original
    gather
    { "e-mail addresses" => "email", "phone numbers" => "phone", "names" => "name" }.each do |what, kind|
      originals = @check.value("SELECT count(*) FROM originals WHERE kind = '#{kind}'").to_i
      found = @check.value("SELECT count(*) FROM originals WHERE kind = '#{kind}' AND value IN (SELECT value FROM staged)").to_i
      places = @check.values("SELECT DISTINCT place FROM staged WHERE value IN (SELECT value FROM originals WHERE kind = '#{kind}')")
      claim("none of production's #{Screen.number(originals)} #{what} is anywhere in staging" \
            "#{": #{Screen.number(found)} are, in #{places.join(", ")}" if found.positive?}", originals.positive? && found.zero?)
    end
  end

  def gather
    @check.exec("CREATE UNLOGGED TABLE originals (kind text, value text); CREATE UNLOGGED TABLE staged (place text, value text)")
    {
      "email" => "SELECT lower(email) FROM users UNION SELECT lower(email) FROM emails",
      "phone" => "SELECT phone_number FROM phone_numbers WHERE phone_number IS NOT NULL",
      "name" => "SELECT lower(first_name) FROM users UNION SELECT lower(last_name) FROM users UNION SELECT lower(full_name) FROM users"
    }.each { |kind, query| copy(@production, "SELECT '#{kind}', value FROM (#{query}) AS every (value)", "originals") }

    texts.each { |table, column, masked| copy(@staging, words_of(table, column, names: masked), "staged") }
    @check.exec("ANALYZE")
  end

  # Each text as a whole, every e-mail address and phone number inside a longer one, and, in the masked tables, every
  # word. (Elsewhere a word may well be part of a name: a product's, a street's.)
  def words_of(table, column, names:)
    parts = ["SELECT lower(text) FROM texts",
             "SELECT lower(found[1]) FROM texts, regexp_matches(text, '[[:alnum:]._%+-]+@[[:alnum:].-]+', 'g') AS found",
             # As a word of its own: ten digits in a row turn up by chance inside some of a million pseudonyms.
             "SELECT found[1] FROM texts, regexp_matches(text, '\\m0[1-9][0-9]{8}\\M', 'g') AS found"]
    parts << "SELECT lower(word) FROM texts, regexp_split_to_table(text, '[^[:alnum:]'']+') AS word" if names
    <<~SQL
      WITH texts AS (SELECT DISTINCT #{PG::Connection.quote_ident(column)}::text AS text FROM #{table} WHERE #{PG::Connection.quote_ident(column)} IS NOT NULL)
      SELECT DISTINCT '#{table}.#{column}', every.value FROM (#{parts.join(" UNION ")}) AS every (value) WHERE every.value <> ''
    SQL
  end

  # Every column that can hold text: table, column, and whether the table is one of the masked ones.
  def texts
    @staging.exec(<<~SQL).map { |row| [row["table"], row["column"], Shop::MASKED.key?(row["table"])] }
      SELECT format('%I.%I', n.nspname, c.relname) AS table, a.attname AS column
      FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_type t ON t.oid = a.atttypid
      WHERE c.relkind IN ('r', 'm') AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND a.attnum > 0 AND NOT a.attisdropped
        AND (t.typcategory IN ('S', 'A') OR t.typname IN ('json', 'jsonb', 'bytea', 'citext'))
    SQL
  end

  def copy(from, query, into)
    from.connect do |source|
      @check.connect do |sink|
        sink.copy_data("COPY #{into} FROM STDIN") do
          source.copy_data("COPY (#{query}) TO STDOUT") do
            while (line = source.get_copy_data)
              sink.put_copy_data(line)
            end
          end
        end
      end
    end
  end

  def keys
    indexes = "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY 1"
    claim("all #{@staging.values(indexes).length} indexes of production are there and valid",
          @production.values(indexes) == @staging.values(indexes) && @staging.value("SELECT count(*) FROM pg_index WHERE NOT indisvalid") == "0")
    not_valid = @staging.values("SELECT conname FROM pg_constraint WHERE NOT convalidated")
    foreign_keys = "SELECT count(*) FROM pg_constraint WHERE contype = 'f'"
    claim("all #{@staging.value(foreign_keys)} foreign keys are there and hold; not checked is only the one to an excluded table",
          @production.value(foreign_keys) == @staging.value(foreign_keys) && not_valid == ["fk_impersonations_session"])
    same_person = "SELECT count(*) FROM users u JOIN emails e ON e.user_id = u.id AND e.email = u.email"
    claim("the same address has the same pseudonym in users and emails (#{Screen.number(@staging.value(same_person))} pairs)",
          @production.value(same_person) == @staging.value(same_person))
    objects = "SELECT count(*) FROM pg_largeobject_metadata"
    claim("all #{@staging.value(objects)} large objects are there", @production.value(objects) == @staging.value(objects))
    sales = "SELECT sum(cents) FROM monthly_sales"
    claim("the materialized view shows production's sales", @production.value(sales) == @staging.value(sales))
  end

  def memory(task, rails_only)
    return @screen.say("      peak memory: not measured, this system has no /proc") unless task.peak_memory

    more = task.peak_memory - rails_only.peak_memory
    claim("peak memory: #{Screen.mebibytes(task.peak_memory)}, #{Screen.mebibytes(more)} over a Rails process that only loads " \
          "the app (limit: #{Screen.mebibytes(MEMORY_LIMIT)})", more < MEMORY_LIMIT)
  end
end

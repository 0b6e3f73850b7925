# frozen_string_literal: true

require "digest"
require "json"

# A schema of bench/corpus/schemas/tuning, made in a database and filled from bench/corpus/values.
class FilledSchema
  CORPUS = File.join(__dir__, "corpus")

  # The locale of a schema's values, by the language that its name begins with.
  LOCALES = { "fr" => "fr_FR", "de" => "de_DE", "es" => "es_ES", "it" => "it_IT", "nl" => "nl_NL", "pt" => "pt_BR" }.freeze

  # A column of a schema: what it holds by its readers (a kind, `-` for nothing personal, nil where they differ or doubt),
  # and the source of its values.
  Column = Struct.new(:table, :name, :type, :nullable, :kind, :source) do
    def personal? = !kind.nil? && kind != "-"

    def other? = kind == "-"

    def to_s = "#{table}.#{name}"
  end

  # Types that PostgreSQL calls otherwise.
  TYPES = { "double" => "double precision", "timestamp" => "timestamp without time zone" }.freeze

  # The types that it has; an app's own is text here.
  KNOWN = /\A(?:varchar|char|text|bigint|integer|smallint|numeric|decimal|double|float8|boolean|date|timestamp|time|json|jsonb|uuid|inet|
             bytea|tsvector)\b/x

  attr_reader :name, :tables

  # name:: its file's name, such as `fr_monstage`
  # rows:: of each table
  def initialize(name, rows:)
    @name = name
    @rows = rows
    lines = File.readlines(File.join(CORPUS, "schemas", "tuning", "#{name}.tsv"), chomp: true).drop(1)
    @tables = lines.map { |line| column(line.split("\t", -1)) }.group_by(&:table)
    locale = LOCALES.fetch(name[0, 2]) { name.length.even? ? "en_GB" : "en_US" }
    @values = [read("common"), read(locale)].reduce(:merge)
  end

  def columns = @tables.values.flatten

  # Makes the tables and fills them. What has no `id` gets one, by which rows are compared.
  def make(database)
    database.connect do |connection|
      @tables.each do |table, columns|
        quoted = PG::Connection.quote_ident(table)
        connection.exec("CREATE TABLE #{quoted} (#{definitions(columns).join(", ")})")
        encoder = PG::TextEncoder::CopyRow.new
        connection.copy_data("COPY #{quoted} (#{names(columns).map { |name| PG::Connection.quote_ident(name) }.join(", ")}) FROM STDIN", encoder) do
          (1..@rows).each { |row| connection.put_copy_data(values(columns, row)) }
        end
      end
    end
  end

  private

  def column(fields)
    table, name, type, null, first, second, source = fields
    second = first if second == "="
    kind = if first == "-" && second == "-" then "-"
           elsif [first, second].none? { |reading| ["-", "?"].include?(reading) } then first
           end
    Column.new(table, name, type.match?(KNOWN) ? type : "text", null.empty?, kind, source)
  end

  def read(file)
    lines = File.readlines(File.join(CORPUS, "values", "#{file}.tsv"), chomp: true)
    lines.map { |line| line.split("\t", 2) }.group_by(&:first).transform_values { |pairs| pairs.map { |_, value| value.gsub("\\n", "\n") } }
  end

  def names(columns) = ["id", *columns.map(&:name)].uniq

  def definitions(columns)
    columns.map do |column|
      type = TYPES.fetch(column.type) { column.type.sub(/\Afloat8/, "double precision") }
      next "id #{type} PRIMARY KEY" if column.name == "id"

      "#{PG::Connection.quote_ident(column.name)} #{type}#{" NOT NULL" unless column.nullable}"
    end.then { |all| (columns.any? { |column| column.name == "id" }) ? all : ["id bigint PRIMARY KEY", *all] }
  end

  def values(columns, row)
    names(columns).map do |name|
      column = columns.find { |one| one.name == name }
      next (column&.type == "uuid") ? uuid("#{column}/#{row}") : row if name == "id"

      random = Random.new(Digest::MD5.hexdigest("#{@name}/#{column}/#{row}").to_i(16))
      pool = @values.fetch(column.source, [])
      next if column.nullable && (pool.empty? || random.rand(5).zero?)

      stored(pool.empty? ? "" : pool[random.rand(pool.size)], column.type, row)
    end
  end

  def uuid(seed) = Digest::MD5.hexdigest(seed).sub(/(.{8})(.{4})(.{4})(.{4})(.{12})/, "\\1-\\2-\\3-\\4-\\5")

  # A value of the corpus as a column of this type holds it, or another where it cannot.
  def stored(value, type, row)
    case type
    when /\[\]\z/ then PG::TextEncoder::Array.new.encode([stored(value, type.delete_suffix("[]"), row)])
    when /\A(?:varchar|char)\((\d+)\)/ then value[0, Integer(::Regexp.last_match(1))]
    when /\A(?:bigint|integer|smallint)/ then (value.match?(/\A-?\d{1,9}\z/) ? value.to_i : row) % ((type == "smallint") ? 32_000 : 2**31)
    when /\Anumeric|\Adouble|\Afloat|\Adecimal/ then format("%.2f", value.to_f % 100)
    when "boolean" then (row % 3).zero?
    when "date" then value[/\A\d{4}-\d\d-\d\d/] || "2024-01-#{(row % 28) + 1}"
    when /\Atimestamp/ then value[/\A\d{4}-\d\d-\d\d(?: \d\d:\d\d:\d\d)?/] || "2024-01-#{(row % 28) + 1} 12:00:00"
    when /\Atime/ then value[/\A\d\d:\d\d:\d\d/] || "12:00:00"
    when /\Ajsonb?\z/ then value.start_with?("{") ? value : JSON.generate(value)
    when "uuid" then uuid("#{value}/#{row}")
    when "inet" then value.match?(/\A[\h:.]+\z/) ? value : "192.0.2.#{row % 250}"
    when "bytea" then "\\x#{value.unpack1("H*")}"
    when "tsvector" then ""
    else value
    end
  end
end

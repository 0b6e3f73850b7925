# frozen_string_literal: true

require "active_support/inflector"

module ScalingoStagingSync
  module PersonalData
    # An app's schema as SQL: `db/structure.sql` as it is, `db/schema.rb` read by the few methods that Rails writes
    # into it. Only tables, columns, types and keys matter here; what else a schema.rb says is passed over.
    class SchemaFile
      # What `t.NAME` makes in PostgreSQL, where it has another name there.
      TYPES = {
        "string" => "character varying", "datetime" => "timestamp", "timestamp" => "timestamp", "binary" => "bytea",
        "float" => "double precision", "decimal" => "numeric", "virtual" => "text", "st_point" => "geometry",
        "timestamptz" => "timestamp with time zone", "bit_varying" => "bit varying"
      }.freeze
      private_constant :TYPES

      # @param path [String] the file
      # @return [String] the SQL that makes its tables
      # @raise [ConfigurationError] when it cannot be read
      def self.sql(path)
        Support::Echo.refuse_secret(path, "the schema", "Name db/structure.sql, db/schema.rb, or \"database\".")
        text = File.read(path, encoding: "UTF-8")
        (File.extname(path) == ".rb") ? new(text, path).sql : text
      rescue ConfigurationError
        raise
      rescue ScriptError, StandardError => error
        raise ConfigurationError.new("The schema #{Support::Echo.of(path)} could not be read (#{error.class}).",
                                     "Name db/structure.sql or a db/schema.rb as Rails writes it.")
      end

      # @param text [String] a schema.rb
      # @param path [String] its name, for Ruby's messages
      def initialize(text, path = "db/schema.rb")
        @text = text
        @path = path
      end

      # @return [String] the SQL that makes its tables
      # @raise [ConfigurationError] when Rails could not write some of them
      def sql
        refuse_missing_tables
        schema = Schema.new
        definition = Class.new
        definition.define_singleton_method(:[]) { |_version| definition }
        definition.define_singleton_method(:define) { |**, &block| schema.instance_exec(&block) }
        # The file's ActiveRecord is this one: constants are looked up where the text is evaluated.
        place = Module.new
        place.const_set(:ActiveRecord, Module.new.tap { |active_record| active_record.const_set(:Schema, definition) })
        place.module_eval(@text, @path)
        schema.statements.join("\n")
      end

      # A table with a type that Rails does not know is a comment in a schema.rb.
      def refuse_missing_tables
        missing = @text.scan(/^# Could not dump table "([^"]+)"/).flatten
        return if missing.empty?

        raise ConfigurationError.new("#{Support::Echo.of(@path)} lacks tables that Rails could not write into it: #{missing.join(", ")}.",
                                     "Use db/structure.sql (config.active_record.schema_format = :sql), or look at the " \
                                     "database itself: `rake 'scalingo_staging_sync:coverage[database]'`.")
      end
      private :refuse_missing_tables

      # What stands inside `ActiveRecord::Schema.define`.
      class Schema
        # @return [Array<String>] the statements
        attr_reader :statements

        def initialize
          @statements = []
        end

        def create_table(name, id: :bigint, primary_key: "id", **)
          table = Table.new
          key = Array(primary_key)
          # The columns of a key of several stand inside.
          table.column(key.first, key_type(id), null: false) if id && key.one?
          yield table if block_given?
          keys = id ? ", PRIMARY KEY (#{SchemaFile.quote_all(key)})" : ""
          statements << "CREATE TABLE #{SchemaFile.quote_table(name)} (#{table.columns.join(", ")}#{keys});"
          statements.concat(table.indexes.map { |columns| unique(name, columns) })
        end

        def create_enum(name, values, **)
          statements << "CREATE TYPE #{SchemaFile.quote_table(name)} AS ENUM (#{values.map { |value| "'#{value.gsub("'", "''")}'" }.join(", ")});"
        end

        def add_index(name, columns, unique: false, **)
          statements << unique(name, columns) if unique
        end

        def add_foreign_key(from, to, column: nil, primary_key: "id", **)
          column ||= "#{ActiveSupport::Inflector.singularize(to.to_s.split(".").last)}_id"
          statements << "ALTER TABLE ONLY #{SchemaFile.quote_table(from)} ADD CONSTRAINT #{SchemaFile.quote("fk_#{from}_#{column}")} FOREIGN KEY " \
                        "(#{SchemaFile.quote_all(Array(column))}) " \
                        "REFERENCES #{SchemaFile.quote_table(to)}(#{SchemaFile.quote_all(Array(primary_key))});"
        end

        private

        def key_type(id)
          type = id.is_a?(Hash) ? id.fetch(:type, :bigint) : id
          (type == :primary_key) ? :bigint : type
        end

        def unique(name, columns)
          columns = columns.is_a?(Array) ? SchemaFile.quote_all(columns) : "(#{columns})"
          "CREATE UNIQUE INDEX ON #{SchemaFile.quote_table(name)} USING btree (#{columns});"
        end

        # Extensions, checks, schemas: nothing that a column's name or type depends on.
        def method_missing(*, **) = nil

        def respond_to_missing?(*) = true
      end

      # What stands inside `create_table`.
      class Table
        # @return [Array<String>] the columns' definitions
        attr_reader :columns

        # @return [Array<Array<String>, String>] the columns of unique indexes
        attr_reader :indexes

        def initialize
          @columns = []
          @indexes = []
        end

        # A column of any type.
        def column(name, type, limit: nil, array: false, null: true, enum_type: nil, as: nil, **options)
          type = options[:type] if type.to_s == "virtual"
          columns << [SchemaFile.quote(name), "#{type(type, limit, enum_type)}#{"[]" if array}",
                      (" GENERATED ALWAYS AS (#{as}) STORED" if as), (" NOT NULL" unless null)].compact.join(" ").squeeze(" ")
        end

        def index(columns, unique: false, **)
          indexes << columns if unique
        end

        def unique_constraint(columns, **)
          indexes << columns
        end

        private

        # `t.string "email"` and all other types.
        def method_missing(type, *names, **options)
          return if %i[check_constraint exclusion_constraint].include?(type)

          names.each { |name| column(name, type, **options) }
        end

        def respond_to_missing?(*) = true

        def type(type, limit, enum_type)
          return SchemaFile.quote_table(enum_type) if enum_type
          return { 2 => "smallint", 8 => "bigint" }.fetch(limit, "integer") if type.to_s == "integer"

          name = TYPES.fetch(type.to_s, type.to_s)
          (limit && name == "character varying") ? "#{name}(#{limit})" : name
        end
      end

      class << self
        # @return [String] an identifier in quotes
        def quote(name) = %("#{name.to_s.gsub('"', '""')}")

        # @return [String] identifiers in quotes
        def quote_all(names) = names.map { |name| quote(name) }.join(", ")

        # @return [String] a table's name with its schema, in quotes
        def quote_table(name)
          schema, bare = name.to_s.include?(".") ? name.to_s.split(".", 2) : ["public", name]
          "#{quote(schema)}.#{quote(bare)}"
        end
      end
    end
  end
end

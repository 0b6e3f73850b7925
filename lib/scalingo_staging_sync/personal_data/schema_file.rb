# frozen_string_literal: true

require "active_support/inflector"

module ScalingoStagingSync
  module PersonalData
    # An app's schema as SQL: `db/structure.sql` unchanged, `db/schema.rb` read by the few methods that Rails writes
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
      # @yieldparam sentence [String] what was passed over, and in which line
      # @return [String] the SQL that makes its tables
      # @raise [ConfigurationError] when it cannot be read
      def self.sql(path, &)
        Support::Echo.refuse_secret(path, "the schema", "Name db/structure.sql, db/schema.rb, or \"database\".")
        text = File.read(path, encoding: "UTF-8")
        return text unless File.extname(path) == ".rb"

        file = new(text, path)
        file.sql.tap { file.passed_over.each(&) if block_given? }
      rescue ConfigurationError
        raise
      rescue ScriptError, StandardError => error
        line = error.is_a?(SyntaxError) ? error.message[/:(\d+):/, 1] : nil
        raise ConfigurationError.new("The schema #{Support::Echo.of(path)} could not be read (#{error.class}#{" in line #{line}" if line}).",
                                     "Name db/structure.sql or a db/schema.rb as Rails writes it.")
      end

      # @return [Array<String>] what was passed over, a sentence each, with its line
      attr_reader :passed_over

      # @param text [String] a schema.rb
      # @param path [String] its name, for Ruby's messages
      def initialize(text, path = "db/schema.rb")
        @text = text
        @path = path
        @passed_over = []
      end

      # @return [String] the SQL that makes its tables
      # @raise [ConfigurationError] when Rails could not write some of them
      def sql
        refuse_missing_tables
        schema = Schema.new { |statement, error| pass_over(statement, error) }
        front = Front.new(schema) { |statement, error| pass_over(statement, error) }
        definition = Class.new
        definition.define_singleton_method(:[]) { |_version| definition }
        definition.define_singleton_method(:define) { |**, &block| front.instance_exec(&block) }
        # The file's ActiveRecord is this one: constants are looked up where the text is evaluated.
        place = tolerant
        place.const_set(:ActiveRecord, tolerant.tap { |active_record| active_record.const_set(:Schema, definition) })
        place.module_eval(@text, @path)
        schema.statements.join("\n")
      end

      # A module whose constants are all there: what a schema.rb asks of the app has nothing to do with its tables.
      def tolerant
        missing = method(:pass_over)
        Module.new.tap do |place|
          place.define_singleton_method(:const_missing) do |name|
            missing.call(name)
            Nothing.new
          end
        end
      end
      private :tolerant

      def pass_over(statement, error = nil)
        line = caller_locations.find { |place| place.path == @path }&.lineno
        reason = error ? "could not be read (#{error.class})" : "is not known"
        sentence = "#{Support::Echo.of(@path)}, line #{line}: #{statement} #{reason}, and was passed over."
        passed_over << sentence unless passed_over.include?(sentence)
      end
      private :pass_over

      # A table with a type that Rails does not know is a comment in a schema.rb.
      def refuse_missing_tables
        missing = @text.scan(/^# Could not dump table "([^"]+)"/).flatten
        return if missing.empty?

        raise ConfigurationError.new("#{Support::Echo.of(@path)} lacks tables that Rails could not write into it: #{missing.join(", ")}.",
                                     "Use db/structure.sql (config.active_record.schema_format = :sql), or look at the " \
                                     "database itself: `rake 'scalingo_staging_sync:coverage[database]'`.")
      end
      private :refuse_missing_tables

      # Answers to everything with itself: what a statement that is passed over returns, so that what follows it
      # (`create_trigger("x").on("users").after(:insert) { … }`) is passed over, too.
      class Nothing < BasicObject
        private

        def method_missing(*, **) = self

        def respond_to_missing?(*) = true
      end

      # Extensions, checks, views (scenic), functions and triggers (fx, hairtrigger): nothing that a column's name or type
      # depends on.
      SILENT = %i[
        enable_extension create_schema add_check_constraint add_exclusion_constraint add_unique_constraint
        create_view create_function create_aggregate create_trigger create_virtual_table
        check_constraint exclusion_constraint foreign_key
      ].freeze
      private_constant :SILENT

      # Stands before a {Schema} or a {Table}: what that does not know, or cannot read, is passed over.
      class Front < BasicObject
        # @param behind [Schema, Table]
        # @yieldparam statement [Symbol] what is passed over
        # @yieldparam error [StandardError, nil] why; nil if it is not known
        def initialize(behind, &pass_over)
          @behind = behind
          @pass_over = pass_over
        end

        private

        def method_missing(name, ...)
          return Nothing.new if SILENT.include?(name)

          @behind.public_send(name, ...)
        rescue ::StandardError => error
          unknown = ::NoMethodError === error && error.name == name
          @pass_over.call(name, unknown ? nil : error)
          Nothing.new
        end

        def respond_to_missing?(*) = true
      end

      # What stands inside `ActiveRecord::Schema.define`.
      class Schema
        # @return [Array<String>] the statements
        attr_reader :statements

        # @yieldparam statement [Symbol] what cannot be read
        # @yieldparam error [StandardError, nil] why
        def initialize(&pass_over)
          @statements = []
          @pass_over = pass_over
        end

        def create_table(name, id: :bigint, primary_key: "id", **)
          table = Table.new
          key = Array(primary_key)
          # The columns of a key of several stand inside.
          table.column(key.first, key_type(id), null: false) if id && key.one?
          yield Front.new(table, &@pass_over) if block_given?
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
          indexes << columns if unique && columns
        end

        def unique_constraint(columns, **)
          indexes << columns
        end

        # Keys and times as migrations write them, which some schema.rb hold.
        def references(*names, type: :bigint, polymorphic: false, null: true, **)
          names.each do |name|
            column("#{name}_type", :string, null:) if polymorphic
            column("#{name}_id", type, null:)
          end
        end
        alias belongs_to references

        def timestamps(null: false, **)
          %w[created_at updated_at].each { |name| column(name, :datetime, null:) }
        end

        private

        # `t.string "email"` and all other types: what names a column.
        def method_missing(type, *names, **options)
          return super if names.empty? || names.any? { |name| !name.is_a?(String) && !name.is_a?(Symbol) }

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

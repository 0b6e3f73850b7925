# frozen_string_literal: true

module ScalingoStagingSync
  class Configuration
    # The entries of `subset_references`, each read into a table, its columns, and what they refer to: nothing where it is false.
    module PartReferences
      # One reference.
      #
      # @!attribute [r] table
      #   @return [String] the table that refers
      # @!attribute [r] columns
      #   @return [Array<String>] its columns
      # @!attribute [r] references
      #   @return [String] the table that it refers to
      # @!attribute [r] referenced_columns
      #   @return [Array<String>] the columns there; none: the primary key
      # @!attribute [r] type_column
      #   @return [String, nil] the column that says which table is meant
      # @!attribute [r] types
      #   @return [Array<String>] its values that mean this one
      # @!attribute [r] nothing
      #   @return [Boolean] whether these columns refer to nothing, even if the app's models say so
      # @!attribute [r] unread
      #   @return [Boolean] whether only its names could be read, or some of them
      Reference = Data.define(:table, :columns, :references, :referenced_columns, :type_column, :types, :nothing, :unread)

      UNREAD = "what it refers to cannot be read; write a table, { \"table\" => \"column\" }, " \
               "{ \"type_column\" => { \"Type\" => \"table\" } } or false."
      private_constant :UNREAD

      module_function

      # @param given [Hash] what the option was given
      # @return [Array<Reference>] the references; of an entry that cannot be read, the names that can
      def read(given) = given.flat_map { |from, to| entry(from, to) || unread(from, to) }

      # @param given [Object] what the option was given
      # @return [Array<String>] which of its entries cannot be read
      def explain(given)
        return [] unless given.is_a?(Hash)

        found = given.flat_map do |from, to|
          problems(from, to).map { |problem| "#{Support::Echo.inspect(from)}: #{problem}" }
        end
        twice = Kind.alike(given.keys) { |from| place(from) }.map { |keys| "#{keys} are one place; give it once." }
        [*twice, *found]
      end

      def problems(from, to)
        _, types = by_type(to)
        twice = Kind.alike(types.to_h.keys) { |name| Kind.name_of(name) }
        [
          *("it names no table and column; write table.column, or table.column,column for a key of several." unless place(from)),
          *(UNREAD unless entry("table.column", to)),
          *twice.map { |names| "#{names} are one type; give it once." }
        ]
      end
      private_class_method :problems

      # The column and the tables by its values, where that is how a reference is given.
      def by_type(given)
        return unless given.is_a?(Hash) && given.one?

        column, types = given.first
        [Kind.name_of(column), types] if types.is_a?(Hash)
      end
      private_class_method :by_type

      def unread(from, to)
        table, columns = place(from) || ["", []]
        type_column, types = by_type(to)
        ends = (types ? types.values : [to]).filter_map { |one| to_place(one) }
        ends = ends.reject { |names| Support::Echo.secret?(names) }
        ends << ["", []] if ends.empty?
        ends.map { |references, referenced| reference(table, columns, references, referenced, type_column, unread: true) }
      end
      private_class_method :unread

      # A reference by a column: to a table, to one of its columns, or to one of several tables by a type.
      def entry(from, to)
        table, columns = place(from)
        return unless table

        return [reference(table, columns, "", [], nothing: true)] if to == false
        return [reference(table, columns, *to_place(to))] if to_place(to)

        type_column, types = by_type(to)
        polymorphic(table, columns, type_column, types)
      end
      private_class_method :entry

      def polymorphic(table, columns, type_column, types)
        return unless type_column && types.is_a?(Hash) && types.any?

        places = types.to_h { |name, to| [Kind.name_of(name), to_place(to)] }
        return unless places.all? { |name, to| name && to }

        places.group_by(&:last).map { |to, same| reference(table, columns, *to, type_column, same.map(&:first)) }
      end
      private_class_method :polymorphic

      def reference(table, columns, references, referenced_columns, type_column = nil, types = [], nothing: false, unread: false)
        Reference.new(table:, columns:, references:, referenced_columns:, type_column:, types:, nothing:, unread:)
      end
      private_class_method :reference

      # "sales.shop, land" → the table and its columns.
      def place(text)
        first, *others = text.to_s.split(",").map(&:strip)
        table, dot, column = first.to_s.rpartition(".")
        columns = [column, *others]
        [table, columns] if !dot.empty? && !table.empty? && columns.none?(&:empty?) && !Support::Echo.secret?(text)
      end
      private_class_method :place

      # A table, or a Hash from it to the columns there.
      def to_place(given)
        return [Kind.name_of(given), []] if Kind.name_of(given)
        return unless given.is_a?(Hash) && given.one?

        table, columns = given.first
        columns = [columns] unless columns.is_a?(Array)
        names = columns.map { |column| Kind.name_of(column) }
        [Kind.name_of(table), names] if Kind.name_of(table) && names.any? && names.all?
      end
      private_class_method :to_place
    end
  end
end

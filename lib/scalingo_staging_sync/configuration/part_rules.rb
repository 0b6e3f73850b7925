# frozen_string_literal: true

require "did_you_mean"

module ScalingoStagingSync
  class Configuration
    # The rules of `subset` and `limits`: what is wrong with one, and the form it is kept in.
    module PartRules
      # The keys that a rule of `subset` may have, and one of `limits`.
      SUBSET_KEYS = %i[where first last by on_missing allow_empty].freeze
      LIMIT_KEYS = %i[max_rows order_by direction].freeze

      # Words that are a whole rule.
      WORDS = %i[all referenced].freeze

      # PostgreSQL counts rows up to here.
      MOST_ROWS = (2**63) - 1

      # What :first, :last and :max_rows take.
      ROWS = "a whole number of rows, from 1 to #{MOST_ROWS}".freeze

      # The keys that say how many rows come, and in which order.
      COUNTS = %i[first last max_rows].freeze
      ORDERS = %i[by order_by].freeze
      private_constant :MOST_ROWS, :ROWS, :COUNTS, :ORDERS

      module_function

      # @param given [Object] what `subset` was given
      # @return [Hash{String => Symbol, Hash}, nil] the rules by table; nil if one is wrong
      def subset(given) = kept(given) { |rule| subset_problems(rule) }

      # @param given [Object] what `limits` was given
      # @return [Hash{String => Hash}, nil] the caps by table; nil if one is wrong
      def limits(given) = kept(given) { |rule| limit_problems(rule) }

      # @param given [Object] what `subset` was given
      # @return [Array<String>] what is wrong with its rules, each by its table
      def explain_subset(given) = explained(given) { |rule| subset_problems(rule) }

      # @param given [Object] what `limits` was given
      # @return [Array<String>] what is wrong with its caps, each by its table
      def explain_limits(given) = explained(given) { |rule, table| limit_problems(rule, table) }

      # @param given [Object] a value of `subset` that is refused
      # @return [Hash{String => Symbol, Hash}] the tables that can be read, each with what is not wrong in its rule
      def sound_subset(given) = sound(given, WORDS, :first) { |rule| subset_problems(rule) }

      # @param given [Object] a value of `limits` that is refused
      # @return [Hash{String => Hash}] the tables that can be read, each with what is not wrong in its cap
      def sound_limits(given) = sound(given, [], :max_rows) { |rule| limit_problems({ max_rows: 1, **rule }) }

      # A rule with nothing left in it still names its table, and that name may be wrong, too.
      def sound(given, words, count, &)
        return {} unless given.is_a?(Hash)

        readable = given.select { |table, _| named?(table) }
        readable.to_h { |table, rule| [Kind.name_of(table), sound_rule(plain(rule), words, count, &).freeze] }
      end
      private_class_method :sound

      def sound_rule(rule, words, count)
        return rule if words.include?(rule)
        # A word that is misspelt stands for one of them.
        return words.first if words.any? && [String, Symbol].include?(rule.class) && rule.match?(/\A\w+\z/)
        return {} unless rule.is_a?(Hash)

        rule = rule.to_h { |key, value| [key, readable_names(key, value)] }
        # :by is wrong by itself.
        sound = rule.select { |key, value| yield({ key => value, **((key == :by) ? { first: 1 } : {}) }).empty? }
        counted(sound, rule, count)
      end
      private_class_method :sound_rule

      # Columns may be wrong whatever else is wrong where they are named.
      def readable_names(key, value)
        case value
        when Array then ORDERS.include?(key) ? value.select { |name| Kind.name_of(name) } : value
        when Hash then (key == :on_missing) ? value.keys.select { |name| Kind.name_of(name) }.to_h { |name| [name, :nullify] } : value
        else value
        end
      end
      private_class_method :readable_names

      # A number that cannot be read stands for any, so that the order is looked at; without the order that was meant another
      # one would be.
      def counted(sound, rule, count)
        return sound.except(*COUNTS) if (ORDERS & rule.keys).any? && (ORDERS & sound.keys).empty?

        has_cap = count == :max_rows || ((COUNTS + ORDERS) & rule.keys).any?
        (has_cap && (COUNTS & sound.keys).empty?) ? sound.merge(count => 1) : sound
      end
      private_class_method :counted

      def kept(given, &)
        return unless given.is_a?(Hash) && Kind.alike(given.keys) { |table| Kind.name_of(table) }.empty?
        return unless given.all? { |table, rule| named?(table) && problems_of(rule, &).empty? }

        given.to_h { |table, rule| [Kind.name_of(table), plain(rule).freeze] }.freeze
      end
      private_class_method :kept

      def explained(given, &)
        return [] unless given.is_a?(Hash)

        found = given.flat_map do |table, rule|
          problems = named?(table) ? [] : ["this is not a table's name; write one, such as \"users\"."]
          [*problems, *problems_of(rule, named?(table) ? Kind.name_of(table) : "table", &)].map { |problem| "#{named(table)}: #{problem}" }
        end
        twice = Kind.alike(given.keys) { |table| Kind.name_of(table) }.map { |keys| "#{keys} are one table; give it one rule." }
        [*twice, *found]
      end
      private_class_method :explained

      def problems_of(rule, table = "table")
        twice = rule.is_a?(Hash) ? Kind.alike(rule.keys, &:to_s) : []
        [*twice.map { |keys| "#{keys} are one key; give it once." }, *yield(plain(rule), table)]
      end
      private_class_method :problems_of

      def named?(table) = Kind.name_of(table) && !Support::Echo.secret?(table)
      private_class_method :named?

      def named(table) = Kind.name_of(table) ? Support::Echo.short(table) : Support::Echo.inspect(table)
      private_class_method :named

      # A rule with Symbols for what may be Strings, too.
      def plain(rule)
        case rule
        when String then Kind.symbol(rule, WORDS).then { |word| Kind::REFUSED.equal?(word) ? rule : word }
        when Hash
          rule.to_h do |key, value|
            key = key.to_sym if key.is_a?(String)
            value = value.to_sym if %i[on_missing direction].include?(key) && value.is_a?(String)
            [key, value]
          end
        else rule
        end
      end
      private_class_method :plain

      def subset_problems(rule)
        return [] if WORDS.include?(rule)
        return ["it takes :all, :referenced or a Hash with #{words(SUBSET_KEYS)}."] unless rule.is_a?(Hash) && rule.any?

        [
          *unknown(rule.except(*PartElsewhere.of_limits(rule)), SUBSET_KEYS),
          *PartElsewhere.in_subset(rule),
          *(":first and :last exclude one another; give one of them." if rule.key?(:first) && rule.key?(:last)),
          *(":by orders the rows of :first or :last; it has neither, so give one of them." if rule.key?(:by) && (COUNTS & rule.keys).empty?),
          *wrong(rule, :where, "an SQL condition, a String") { |value| text?(value) },
          *%i[first last].flat_map { |key| wrong(rule, key, ROWS) { |value| count?(value) } },
          *wrong(rule, :by, "a column, or an Array of them") { |value| names?(value) },
          *missing_problems(rule),
          *wrong(rule, :allow_empty, "true or false") { |value| [true, false].include?(value) }
        ]
      end
      private_class_method :subset_problems

      def limit_problems(rule, table = "table")
        return [not_a_limit(rule, table)] unless rule.is_a?(Hash)

        [
          *unknown(rule.except(*PartElsewhere.of_subset(rule)), LIMIT_KEYS),
          *PartElsewhere.in_limits(rule, table),
          *("it has no :max_rows; say how many rows may come." if !rule.key?(:max_rows) && PartElsewhere.of_subset(rule).empty?),
          *wrong(rule, :max_rows, ROWS) { |value| count?(value) },
          *wrong(rule, :order_by, "a column, or an Array of them") { |value| names?(value) },
          *wrong(rule, :direction, "\"asc\" or \"desc\"") { |value| %i[asc desc].include?(value) }
        ]
      end
      private_class_method :limit_problems

      def not_a_limit(rule, table)
        of_subset = ", or, under config.subset, #{Messages::RubySource.literal(table)} => #{rule.inspect}" if table && WORDS.include?(rule)
        "it takes a Hash with #{words(LIMIT_KEYS)}#{of_subset}."
      end
      private_class_method :not_a_limit

      def unknown(rule, keys)
        (rule.keys - keys).map do |key|
          near = DidYouMean::SpellChecker.new(dictionary: keys).correct(key.to_s).first
          "there is no key #{Support::Echo.inspect(key)}; #{near ? "did you mean #{near.inspect}?" : "remove it."}"
        end
      end
      private_class_method :unknown

      def wrong(rule, key, expectation)
        return [] if !rule.key?(key) || yield(rule[key])

        ["#{key.inspect} takes #{expectation}."]
      end
      private_class_method :wrong

      def text?(value) = value.is_a?(String) && !value.strip.empty?
      private_class_method :text?

      # 5.days says of itself that it is an Integer.
      def count?(value)
        case value
        when Integer then value.between?(1, MOST_ROWS)
        end
      end
      private_class_method :count?

      def names?(value) = [*value].any? && [*value].all? { |name| Kind.name_of(name) }
      private_class_method :names?

      def missing_problems(rule)
        columns = rule[:on_missing]
        unless columns.is_a?(Hash) && columns.any?
          return wrong(rule, :on_missing, ":nullify, or a Hash from columns to :nullify") { |value| value == :nullify }
        end

        columns.filter_map do |column, what|
          next ":on_missing: #{Support::Echo.inspect(column)} is not a column's name; write one." unless Kind.name_of(column)

          ":on_missing: #{Support::Echo.short(column)} takes :nullify." unless what.to_s == "nullify"
        end
      end
      private_class_method :missing_problems

      def words(keys) = "#{keys[0...-1].map(&:inspect).join(", ")} and #{keys.last.inspect}, as needed"
      private_class_method :words
    end
  end
end

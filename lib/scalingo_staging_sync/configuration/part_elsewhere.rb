# frozen_string_literal: true

module ScalingoStagingSync
  class Configuration
    # Keys of `subset` under `limits` and the other way round: what is written instead, as Ruby.
    module PartElsewhere
      # What each option calls how many rows come, in which order.
      CAP_KEYS = { subset: %i[first last by], limits: %i[max_rows order_by direction] }.freeze

      # What only `subset` has.
      SUBSET_ALONE = %i[where on_missing allow_empty].freeze
      private_constant :CAP_KEYS, :SUBSET_ALONE

      module_function

      # @param rule [Hash{Symbol => Object}] a rule of `subset`
      # @return [Array<Symbol>] its keys that `limits` has
      def of_limits(rule) = rule.keys & CAP_KEYS[:limits]

      # @param rule [Hash{Symbol => Object}] a rule of `limits`
      # @return [Array<Symbol>] its keys that `subset` has
      def of_subset(rule) = rule.keys & [*CAP_KEYS[:subset], *SUBSET_ALONE]

      # @param rule [Hash{Symbol => Object}] a rule of `subset`
      # @return [Array<String>] what to write in place of the keys that `limits` has
      def in_subset(rule)
        keys = of_limits(rule)
        return [] if keys.empty?

        ["#{named(keys)} of limits; write { #{source(for_subset(rule))} } instead."]
      end

      # @param rule [Hash{Symbol => Object}] a rule of `limits`
      # @param table [String] its table
      # @return [Array<String>] what to write in place of the keys that `subset` has: a cap where these say no more, else a rule of
      #   `subset` in place of this one
      def in_limits(rule, table)
        keys = of_subset(rule)
        return [] if keys.empty?
        return ["#{named(keys)} of subset; write { #{source(for_limits(rule))} } instead."] if (keys & SUBSET_ALONE).empty?

        entry = "#{Messages::RubySource.literal(table)} => { #{source(for_subset(rule))} }"
        ["#{named(keys)} of subset; remove this entry, and write #{entry} under config.subset."]
      end

      def named(keys)
        "#{keys.map(&:inspect).join(", ")} #{(keys.size == 1) ? "is a key" : "are keys"}"
      end
      private_class_method :named

      def for_subset(rule)
        rows = %i[last first max_rows].filter_map { |key| rule[key] }.first
        count = (rule.key?(:first) || rule[:direction].to_s == "asc") ? :first : :last
        order = rule[:by] || rule[:order_by]
        # What orders no number of rows is no rule of `subset`.
        rows ||= 1000 if order || rule.key?(:direction)
        { **rule.slice(:where), count => rows, by: order, **rule.slice(:on_missing, :allow_empty) }.compact
      end
      private_class_method :for_subset

      def for_limits(rule)
        rows = %i[max_rows last first].filter_map { |key| rule[key] }.first || 1000
        direction = rule[:direction] || (rule.key?(:first) ? "asc" : nil)
        { max_rows: rows, order_by: rule[:order_by] || rule[:by], direction: direction&.to_s }.compact
      end
      private_class_method :for_limits

      def source(rule) = rule.map { |key, value| "#{key}: #{shown(key, value)}" }.join(", ")
      private_class_method :source

      # Texts of a condition may be a person's.
      def shown(key, value)
        return "\"…\"" if key == :where && (value.to_s.match?(/['"$@]/) || value.to_s.length > Support::Echo::LONGEST)

        Support::Echo.inspect(value)
      end
      private_class_method :shown
    end
  end
end

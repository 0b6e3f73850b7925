# frozen_string_literal: true

module ScalingoStagingSync
  class EngineSettings
    # Which part of production is copied, as the engine takes it: the rules of `subset` and `limits`, and the references that
    # no foreign key says.
    class Part
      include Support::Discreet

      # @param config [Configuration] what to read
      def initialize(config)
        @config = config
      end

      # @return [Boolean] whether rows are chosen
      def rules? = @config.subset.any? || @config.limits.any?

      # @return [Hash{String => Object}, nil] the part; nil if all of production is copied and no reference is declared that
      #   could be wrong
      def to_h
        return unless rules? || @config.subset_references.any?

        # Under `limits` alone a table without a rule keeps its rows; a subset is made of what its rules keep.
        others = @config.subset.empty? ? "whole" : "follow"
        # The models are asked only where rows are chosen by what they say.
        { "tables" => subset + limits, "others" => others, "references" => rules? ? declared + RailsReferences.all : declared }
      end

      private

      def subset
        @config.subset.map do |table, rule|
          entry = { "table" => table, "option" => "subset" }
          rule.is_a?(Symbol) ? entry.merge("keep" => rule.to_s) : entry.merge(kept(rule))
        end
      end

      def kept(rule)
        rows = rule[:last] || rule[:first]
        missing = rule[:on_missing]
        {
          "where" => rule[:where], "rows" => rows, "order_by" => names(rule[:by]), "descending" => !rule[:last].nil?,
          "nullify_all" => missing == :nullify, "nullify" => missing.is_a?(Hash) ? names(missing.keys) : [],
          "allow_empty" => rule[:allow_empty] == true
        }
      end

      def limits
        @config.limits.map do |table, limit|
          { "table" => table, "option" => "limits", "rows" => limit[:max_rows], "order_by" => names(limit[:order_by]),
            "descending" => limit[:direction] != :asc }
        end
      end

      def declared
        Configuration::PartReferences.read(@config.subset_references).map do |reference|
          reference.to_h.transform_keys(&:to_s).reject { |key, value| key == "unread" && !value }
        end
      end

      def names(given) = [*given].map { |name| name.to_s.strip }
    end
  end
end

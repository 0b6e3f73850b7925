# frozen_string_literal: true

module ScalingoStagingSync
  module PersonalData
    # `config.pii_detection_patterns`, as the engine asks for them: it names the columns of the backup, and asks which
    # of them match and under which heading. The expressions are Ruby's, so Ruby evaluates them.
    class OwnPatterns
      # @param patterns [Hash{Symbol => Regexp}, nil] heading => expression on a column's name
      def initialize(patterns)
        @patterns = patterns || {}
      end

      # A block for {Native} that answers the engine's question and hands on every other event.
      #
      # @param onward [#call, nil] who takes the events
      # @return [Proc]
      def block(onward = nil)
        lambda do |event|
          (event[:event].to_s == "columns") ? answer(event[:columns]) : onward&.call(event)
        end
      end

      # @param columns [Array<Array(String, String)>] tables and columns
      # @return [Array<Hash{Symbol => String}>] those that match: :table, :column and :heading
      def answer(columns)
        columns.filter_map do |table, column|
          heading = heading(column)
          { table:, column:, heading: heading.to_s } if heading
        end
      end

      # @param column [String] a column's name
      # @return [Symbol, nil] the first heading whose expression matches the name as it is, or with `_` as a space; one of
      #   the app's own is :personal
      def heading(column)
        names = [column, column.tr("_", " ")]
        found = @patterns.find { |_, pattern| names.any? { |name| pattern.match?(name) } }&.first
        (found.nil? || Configuration::Kind::PII_HEADINGS.include?(found)) ? found : :personal
      end
    end
  end
end

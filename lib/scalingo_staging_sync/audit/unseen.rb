# frozen_string_literal: true

module ScalingoStagingSync
  module Audit
    # What a run did not look at, as sentences' names with their values: what no verdict may speak of.
    class Unseen
      include Support::Discreet

      # @param document [Document] the audit
      # @param personal [Personal] its columns
      def initialize(document, personal)
        @config = document.config
        @run = document.run
        @personal = personal
      end

      # @return [Array<Array(String, Hash{Symbol => Object})>] each
      def items = @items ||= [*detection, *leaks, *channels, *left_alone, ["files", {}]]

      private

      attr_reader :run

      def detection
        return [["scan_off", {}]] unless @config.run_pii_scan

        case @config.pii_sample_rows
        when :all then []
        when 0 then [["names_only", {}]]
        else [["sample", { rows: @config.pii_sample_rows }]]
        end
      end

      def leaks
        return [["leaks_off", {}]] unless run.leak_check

        [(["names", {}] unless @config.leak_check_names), ["leak_limits", {}]].compact
      end

      def channels
        unscanned = run.channels.select { |channel| channel.outcome.to_s == "unscanned" }
                       .map { |channel| [channel.channel.to_s, { name: channel.name, count: channel.count.to_i }] }
        [*large_objects, *unscanned]
      end

      # If the engine reports nothing about them, as without a search for originals, they were not read either.
      def large_objects
        return if run.channels.any? { |channel| channel.channel.to_s == "large_objects" } || @config.exclude_large_objects

        counted("large_objects", run.large_objects.to_i)&.then { |item| [item] }
      end

      def left_alone
        declared = @personal.with(:declared).size
        [verification, counted("kept", run.kept.size), counted("declared", declared)].compact
      end

      # What a rule in SQL writes has no form that could be checked.
      def verification
        return ["verification_off", {}] unless @config.verify_anonymization

        counted("by_sql", run.tables.sum { |table| table.columns.count { |column| MaskWords.of(column.mask).sql? } })
      end

      def counted(name, count) = ([name, { count: }] if count.positive?)
    end
  end
end

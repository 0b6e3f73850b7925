# frozen_string_literal: true

module ScalingoStagingSync
  module Audit
    # What may be claimed about a run, and no more: its level, and the sentences' names with their values, the worst first.
    class Verdict
      # @param document [Document] the audit
      # @param personal [Personal] its columns
      def initialize(document, personal)
        @document = document
        @run = document.run
        @personal = personal
      end

      # @return [Symbol] :bad, :attention or :sound
      def level
        return :bad if wrong.any?

        undecided.any? ? :attention : :sound
      end

      # @return [Array<Array(String, Hash{Symbol => Object})>] each sentence
      def sentences = wrong + undecided + right

      private

      attr_reader :run

      def wrong
        @wrong ||= [form, (["leaked", { count: run.certain_leaks.size }] if run.certain_leaks.any?)].compact
      end

      def form
        return if !@document.verification? || run.verified || (run.violations.zero? && run.certain_leaks.any?)

        run.violations.positive? ? ["wrong_form", { count: run.violations }] : ["failed", {}]
      end

      def undecided
        %i[open withheld].filter_map { |fate| [fate.to_s, { count: @personal.with(fate).size }] if @personal.with(fate).any? }
      end

      # What was checked and found right, and what was not checked.
      def right
        [verification, searched, scanned, kept].compact
      end

      def verification
        return ["unverified", {}] unless @document.verification?

        ["verified", {}] if run.verified
      end

      def searched
        return ["unsearched", {}] unless run.leak_check

        ["searched", {}] if run.leaks.empty?
      end

      def kept
        ["kept_values", { count: @personal.kept_values }] if @personal.kept_values.positive?
      end

      def scanned
        return ["unscanned", {}] unless @document.config.run_pii_scan

        ["uncovered_none", {}] if undecided.empty?
      end
    end
  end
end

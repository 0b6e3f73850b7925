# frozen_string_literal: true

module ScalingoStagingSync
  class Report
    # A column that looks personal, or that acts outside: where, what it looks like and why, and what stands between it and
    # staging. `mask` is the name of the mask it got; `rule` is Ruby that would cover it; `reason` and `because` are
    # {Messages::Sentence}s.
    Finding = Data.define(:table, :column, :kind, :heading, :confidence, :found_by, :reason, :values, :count, :share, :status, :because,
                          :mask, :rule) do
      extend FromHash

      # @param facts [Hash{Symbol => Object}] as {Messages::EngineWords} words it
      # @return [Finding] it as data
      def self.of(facts) = super(facts.merge(%i[reason because].to_h { |field| [field, Messages::Sentence.of(facts, field)] }))

      def initialize(heading:, found_by:, values:, count:, status:, mask:, **others)
        super(heading: heading.to_s, found_by: found_by.to_s, values: values.to_i, count: count.to_i, status: status.to_s,
              mask: mask && mask[:mask], **others)
      end

      # @return [Boolean] whether it acts outside: queued work, a webhook's URL, another service's secret
      def outside? = heading == "outside"

      # @return [Boolean] whether it is about a whole table
      def whole_table? = column == "*"

      # @return [Boolean] whether nothing stands between it and staging
      def uncovered? = status == "uncovered"

      # @return [Boolean] whether a mask was chosen by its kind, without a rule
      def masked? = status == "masked"

      # @return [Boolean] whether it is known not to be personal
      def ignored? = status == "ignored"

      # @return [Boolean] whether it needs a rule: it was copied unmasked, or left empty for want of one
      def open? = !%w[masked covered ignored].include?(status)

      # @return [String] `schema.table.column`; the table alone if it is about the whole table
      def place = whole_table? ? table.to_s : [table, column].compact.join(".")
    end
  end
end

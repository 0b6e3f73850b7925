# frozen_string_literal: true

module ScalingoStagingSync
  class Report
    # A masked column: the mask in words, and of its values how many were masked, were kept, were NULL, and were not of their
    # mask's form.
    Column = Data.define(:name, :mask, :masked, :kept, :nulls, :violations) do
      extend FromHash

      def initialize(name:, mask:, masked:, kept:, nulls:, violations:)
        super(name:, mask:, masked: masked.to_i, kept: kept.to_i, nulls: nulls.to_i, violations: violations.to_i)
      end
    end
  end
end

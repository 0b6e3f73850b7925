# frozen_string_literal: true

module ScalingoStagingSync
  class Report
    # A masked column: what its mask makes of it, a {Messages::Sentence}, and of its values how many were masked, were kept, were
    # NULL, and were not of their mask's form.
    Column = Data.define(:name, :mask, :masked, :kept, :nulls, :violations) do
      extend FromHash

      # @param facts [Hash{Symbol => Object}] as {Messages::EngineWords} words it
      # @return [Column] it as data
      def self.of(facts) = super(facts.merge(mask: Messages::Sentence.of(facts, :mask)))

      def initialize(name:, mask:, masked:, kept:, nulls:, violations:)
        super(name:, mask:, masked: masked.to_i, kept: kept.to_i, nulls: nulls.to_i, violations: violations.to_i)
      end
    end
  end
end

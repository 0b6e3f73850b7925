# frozen_string_literal: true

module ScalingoStagingSync
  module PersonalData
    # What a search has found, as data: where it looked and at how many tables, each finding, Ruby that covers what nothing
    # covers (nil where there is none), and warnings.
    Found = Data.define(:origin, :tables, :findings, :rules, :warnings) do
      extend Report::FromHash

      # @param facts [Hash{Symbol => Object}] as {ColumnScanner#found_in_database} returns it
      # @return [Found] it as data
      def self.of(facts) = super(facts.merge(findings: Report::Findings.of(facts[:findings])))
    end
  end
end

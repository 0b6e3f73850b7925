# frozen_string_literal: true

module ScalingoStagingSync
  class Report
    # Original values of masked columns that survived in another: where, how many, how many would be there by chance, and the
    # entry for `config.anonymization_tables` that covers them.
    Leak = Data.define(:table, :column, :kind, :count, :expected_by_chance, :certain, :entry) do
      extend FromHash

      # @return [Boolean] whether chance is ruled out, so that it fails the run
      def certain? = certain == true

      # @return [Float] how many of such values would be there by chance, to one place
      def by_chance = expected_by_chance.to_f.round(1)
    end
  end
end

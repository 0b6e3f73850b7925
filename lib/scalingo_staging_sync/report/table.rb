# frozen_string_literal: true

module ScalingoStagingSync
  class Report
    # A table whose rows were loaded: how many, their bytes, when they began to come and how long they took, in seconds, and the
    # columns that were masked. `backup_rows` is how many rows the backup has, if only some were taken.
    Table = Data.define(:name, :rows, :backup_rows, :bytes, :started, :seconds, :columns) do
      extend FromHash

      # @param facts [Hash{Symbol => Object}] the table, as the engine has it
      # @return [Table] it
      def self.of(facts)
        new(name: facts[:table], rows: facts[:rows].to_i, backup_rows: facts[:backup_rows], bytes: facts[:bytes].to_i, started: facts[:started].to_f,
            seconds: facts[:seconds].to_f, columns: Column.all_of(facts[:columns]))
      end

      # @return [String] how many rows, and of how many where only a part was taken
      def rows_words
        return Support::Figures.counted(rows, "row") unless backup_rows

        "#{Support::Figures.count(rows)} of #{Support::Figures.counted(backup_rows, "row")}"
      end

      # @return [Boolean] whether any of its columns was masked
      def masked? = columns.any?

      # @return [Boolean] whether a value of a masked column was kept unmasked
      def kept? = columns.any? { |column| column.kept.positive? }

      # @return [Integer] values replaced
      def masked_values = columns.sum(&:masked)

      # @return [Integer] values that were not of their mask's form
      def violations = columns.sum(&:violations)
    end
  end
end

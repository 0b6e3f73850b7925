# frozen_string_literal: true

module ScalingoStagingSync
  module Preview
    # What a run would do with a table: `action` is mask, copy or without_rows. Its rows are known from the last run, or its
    # size from the archive, or neither. `part` says which of its rows, where not all would come.
    Table = Data.define(:name, :action, :columns, :last_rows, :compressed_bytes, :rules, :part) do
      extend Report::FromHash

      # @param facts [Hash{Symbol => Object}] the table, as the engine has it
      # @return [Table] it
      def self.of(facts)
        new(name: facts[:table], action: facts[:action].to_s, columns: Report::Column.all_of(facts[:columns]),
            last_rows: facts[:last_rows], compressed_bytes: facts[:compressed_bytes], rules: SqlRule.all_of(facts[:sql]),
            part: (Report::Part.of(facts[:part]) if facts[:part]))
      end
    end
  end
end

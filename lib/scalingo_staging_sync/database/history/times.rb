# frozen_string_literal: true

module ScalingoStagingSync
  module Database
    class History
      # Since when a run has been replacing the data, or had begun to, and when it ends if it takes as long as the longest of
      # the last five like it.
      #
      # @!attribute [r] since
      #   @return [Time, nil] nil where it is not known
      # @!attribute [r] expected
      #   @return [Time, nil] nil where no earlier run says it
      Times = Data.define(:since, :expected)

      # The query that {Times} is read with.
      class Times
        # A run that masks in place is much shorter than one that loads.
        SQL = <<~SQL
          SELECT s.started_at AS since, r.started_at + (
            SELECT max(last.took) FROM (
              SELECT p.finished_at - p.started_at AS took FROM scalingo_staging_sync.runs p
              WHERE p.status = 'complete' AND (p.mode = 'anonymize') = (r.mode = 'anonymize')
              ORDER BY p.started_at DESC LIMIT 5) AS last) AS expected
          FROM scalingo_staging_sync.state s LEFT JOIN scalingo_staging_sync.runs r USING (run_id)
        SQL
        private_constant :SQL

        # @param schema [OwnSchema] where it is kept
        # @return [Times] of the data that is in the database now
        # @raise [ActiveRecord::ActiveRecordError] when the database cannot be asked
        def self.now(schema = OwnSchema.new)
          row = schema.ask(SQL).first if %w[state runs].all? { |table| schema.there?(table) }
          new(since: row&.fetch("since"), expected: row&.fetch("expected"))
        end
      end
    end
  end
end

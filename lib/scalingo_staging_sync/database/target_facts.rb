# frozen_string_literal: true

module ScalingoStagingSync
  module Database
    # What is in the target now, in sentences for the person who is asked whether it may be replaced.
    class TargetFacts
      # Tables that belong neither to PostgreSQL, nor to the gem, nor to an extension; partitions are their parents'.
      SIZE = <<~SQL
        SELECT count(*) AS tables, pg_database_size(current_database()) AS bytes
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relpersistence <> 't'
          AND n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'scalingo_staging_sync')
          AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
      SQL
      private_constant :SIZE

      # @param history [History] the runs that are on record
      def initialize(history: History.new)
        @history = history
      end

      # @return [Array<String>] how many tables it has and how large it is, and when a run filled it last
      def sentences
        return [unknown] unless EngineSettings.target_of_rails?

        [size, filled(@history.current)]
      rescue ActiveRecord::ActiveRecordError
        [unknown]
      end

      # @return [Boolean] whether there is no table in it
      # @raise [ActiveRecord::ActiveRecordError] when it cannot be asked
      def empty? = facts["tables"].zero?

      private

      def facts
        ActiveRecord::Base.connection_pool.with_connection { |connection| connection.select_one(SIZE, "ScalingoStagingSync") }
      end

      def size
        row = facts
        "It holds #{Support::Figures.counted(row["tables"], "table")}, #{Support::Figures.bytes(row["bytes"])}."
      end

      def filled(run)
        return "No run has filled it, so no run can bring back what is in it." unless run

        ended = run.finished_at || run.started_at
        did = run.in_place? ? "masked what it held" : "filled it"
        failed = " (status: #{run.status})" unless run.status == "complete"
        "A run #{did} last on #{ended.utc.strftime("%Y-%m-%d %H:%M UTC")}#{origin(run)}#{failed}."
      end

      def origin(run)
        run.source ? ", from #{run.source}" : ""
      end

      def unknown
        "What is in it could not be read."
      end
    end
  end
end

# frozen_string_literal: true

module ScalingoStagingSync
  module Database
    # Removes old lines from the gem's own schema: the history of runs and actions, the log of accesses, and tokens that are no
    # longer valid. The run whose data is in the database stays, however old it is.
    class Expiry
      # For each table, the condition for rows older than a given time.
      OLD = {
        "runs" => "status <> 'running' AND coalesce(finished_at, started_at) < ? " \
                  "AND run_id IS DISTINCT FROM (SELECT run_id FROM scalingo_staging_sync.state)",
        "actions" => "at < ?",
        "accesses" => "coalesce(finished_at, started_at) < ?",
        "wrong_tokens" => "last_at < ?",
        "tokens" => "least(revoked_at, expires_at) < ?"
      }.freeze
      private_constant :OLD

      # @param schema [OwnSchema] where they are
      def initialize(schema: OwnSchema.new)
        @schema = schema
      end

      # @param time [Time] before when
      # @return [Integer] how many lines were removed
      # @raise [PrivilegeError] when the role may not
      def remove_before(time)
        tables = OLD.keys.select { |table| @schema.there?(table, "DELETE") }
        return 0 if tables.empty?

        @schema.write do
          tables.sum { |table| @schema.ask("DELETE FROM scalingo_staging_sync.#{table} WHERE #{OLD.fetch(table)} RETURNING 1", time).size }
        end
      end
    end
  end
end

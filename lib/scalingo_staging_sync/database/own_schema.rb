# frozen_string_literal: true

module ScalingoStagingSync
  module Database
    # The gem's own schema, `scalingo_staging_sync`, by way of ActiveRecord. The engine makes the tables `state` and `runs`
    # in it; those of {TABLES} are made here when the first line is written into one. A run's reset leaves all of them alone.
    class OwnSchema
      # The tables that Ruby writes, and what makes them.
      TABLES = {
        "tokens" => <<~SQL,
          CREATE TABLE IF NOT EXISTS scalingo_staging_sync.tokens (
            id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL, digest text NOT NULL UNIQUE,
            scope text NOT NULL, created_at timestamptz NOT NULL DEFAULT clock_timestamp(), expires_at timestamptz NOT NULL,
            revoked_at timestamptz);
          CREATE UNIQUE INDEX IF NOT EXISTS tokens_in_force ON scalingo_staging_sync.tokens (name) WHERE revoked_at IS NULL;
          COMMENT ON TABLE scalingo_staging_sync.tokens IS 'Who may fetch masked archives. A token itself is not here, only its SHA-256.'
        SQL
        "accesses" => <<~SQL,
          CREATE TABLE IF NOT EXISTS scalingo_staging_sync.accesses (
            id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, started_at timestamptz NOT NULL DEFAULT clock_timestamp(),
            finished_at timestamptz, token_id bigint NOT NULL, token text NOT NULL, address text, request text NOT NULL,
            status integer NOT NULL, bytes bigint, whole boolean);
          CREATE INDEX IF NOT EXISTS accesses_of_token ON scalingo_staging_sync.accesses (token_id, started_at);
          COMMENT ON TABLE scalingo_staging_sync.accesses IS 'Who has fetched what of the masked archives.'
        SQL
        "wrong_tokens" => <<~SQL,
          CREATE TABLE IF NOT EXISTS scalingo_staging_sync.wrong_tokens (
            hour timestamptz PRIMARY KEY, count bigint NOT NULL, last_at timestamptz NOT NULL, last_address text);
          COMMENT ON TABLE scalingo_staging_sync.wrong_tokens IS 'How many requests had no valid token, by the hour.'
        SQL
        "actions" => <<~SQL
          CREATE TABLE IF NOT EXISTS scalingo_staging_sync.actions (
            id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, at timestamptz NOT NULL DEFAULT clock_timestamp(),
            action text NOT NULL, subject text, outcome text NOT NULL, error_class text,
            login text, host text, container text, task text, gem_version text);
          COMMENT ON TABLE scalingo_staging_sync.actions IS 'What was done with scalingo-staging-sync, and by whom.'
        SQL
      }.freeze

      # Two processes may make the tables at once.
      LOCK = 0x7363_616c_6e67_6f02
      private_constant :LOCK

      # The key of the lock that a publishing process holds.
      PUBLISHING = 0x7363_616c_6e67_6f03

      # @param table [String] a table of the schema
      # @param right [String] what is to be done with it
      # @return [Boolean] whether it exists and the role may read it
      def there?(table, right = "SELECT")
        ask("SELECT coalesce(has_table_privilege(to_regclass(?), ?), false) AS there", "scalingo_staging_sync.#{table}", right).first["there"]
      end

      # @param sql [String] a statement, with `?` for each value
      # @param values [Array<Object>] the values
      # @return [Array<Hash{String => Object}>] the rows that it returns
      def ask(sql, *values)
        connected { |connection| connection.uncached { connection.select_all(filled(sql, values), "ScalingoStagingSync") }.to_a }
      end

      # Writes, even while a run keeps other sessions out: what is written here is no part of the data. Missing
      # tables are created first.
      #
      # @param tables [Array<String>] those of {TABLES} that are written
      # @return [Object] what the block returns
      # @raise [PrivilegeError] when the role may not make the schema or a table in it
      def write(*tables)
        missing = tables.reject { |table| there?(table) }
        connected do |connection|
          connection.transaction(requires_new: false) do
            connection.execute("SET TRANSACTION READ WRITE", "ScalingoStagingSync")
            make(connection, missing) if missing.any?
            yield
          end
        end
      rescue ActiveRecord::StatementInvalid => error
        raise self.class.not_permitted?(error) ? not_permitted("write into") : error
      end

      # @param error [Exception] what ActiveRecord has raised
      # @return [Boolean] whether the role may not do what was asked
      def self.not_permitted?(error)
        !error.cause.nil? && Support::FailureText.sqlstate(error.cause) == "42501"
      end

      # @param what [String] "read" or "write into"
      # @return [PrivilegeError] that the role may not
      def not_permitted(what)
        there = ask("SELECT to_regnamespace('scalingo_staging_sync') IS NOT NULL AS there").first["there"]
        remedy = "Connect as the role that owns it, or make this one the owner of that schema and its tables."
        PrivilegeError.new("The role that ActiveRecord connects as may not #{what} the schema scalingo_staging_sync.",
                           there ? remedy : "Grant it CREATE on the database.")
      end

      # Does something while no other process does it in this database.
      #
      # @param lock [Integer] what is done, as the key of an advisory lock
      # @return [Object, nil] what the block returns; nil if another process is doing it
      def alone(lock)
        connected do |connection|
          next unless connection.select_value("SELECT pg_try_advisory_lock(#{Integer(lock)})", "ScalingoStagingSync")

          begin
            yield
          ensure
            unlock(connection, lock)
          end
        end
      end

      private

      # A session that was ended meanwhile has released it.
      def unlock(connection, lock)
        connection.select_value("SELECT pg_advisory_unlock(#{Integer(lock)})", "ScalingoStagingSync")
      rescue ActiveRecord::ActiveRecordError
        nil
      end

      def make(connection, tables)
        connection.execute("SELECT pg_advisory_xact_lock(#{LOCK})", "ScalingoStagingSync")
        # IF NOT EXISTS requires the right to create schemas even if the schema exists.
        schema = "CREATE SCHEMA scalingo_staging_sync; " if connection.select_value("SELECT to_regnamespace('scalingo_staging_sync') IS NULL")
        connection.execute("#{schema}#{TABLES.values_at(*tables).join(";\n")}", "ScalingoStagingSync")
      end

      def connected(&) = ActiveRecord::Base.connection_pool.with_connection(&)

      def filled(sql, values)
        values.empty? ? sql : ActiveRecord::Base.sanitize_sql_array([sql, *values])
      end
    end
  end
end

# frozen_string_literal: true

module ScalingoStagingSync
  module Database
    # Takes the data out of the target and leaves its schema: the rows of all tables but Rails' own two, what materialized
    # views hold, and large objects. The gem's own schema stays, and so do extensions' tables.
    #
    # Table by table, since one transaction with a lock on each of two thousand tables is more than a server takes. That the
    # data has expired is noted first, so that a half-empty target never counts as complete.
    class Emptying
      NAMES = <<~SQL
        SELECT format('%I.%I', n.nspname, c.relname) AS name, c.relkind = 'm' AS view
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE c.relkind IN ('r', 'p', 'm') AND NOT c.relispartition AND c.relpersistence <> 't'
          AND n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'scalingo_staging_sync')
          AND c.relname NOT IN ('schema_migrations', 'ar_internal_metadata')
          AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
        ORDER BY c.relkind = 'm', 1
      SQL
      LARGE_OBJECTS = "SELECT oid FROM pg_largeobject_metadata WHERE pg_has_role(lomowner, 'USAGE') LIMIT 1000"
      private_constant :NAMES, :LARGE_OBJECTS

      # @param config [Configuration] how long to wait for a lock
      # @param schema [OwnSchema] the gem's own
      def initialize(config: ScalingoStagingSync.configuration, schema: OwnSchema.new)
        @lock_timeout = (config.lock_timeout * 1000).round
        @schema = schema
      end

      # @return [Integer] how many tables were emptied
      # @raise [TargetBusyError] while a run is under way
      # @raise [LockTimeoutError] when another session keeps a table locked
      # @raise [PrivilegeError] when a table belongs to another role
      def call
        done = @schema.alone(History::LOCK_KEY) do
          History.new.note_expired
          emptied = @schema.ask(NAMES).map { |row| row["view"] ? refresh(row["name"]) : truncate(row["name"]) }
          unlink_large_objects
          emptied.count(:table)
        end
        done || raise(TargetBusyError.new("A run is replacing the data now.", "Wait until it has ended. Nothing was touched."))
      end

      private

      # Tables that refer to this one are emptied anyway.
      def truncate(name)
        within(name, "TRUNCATE #{name} CASCADE")
        :table
      end

      def refresh(name)
        within(name, "REFRESH MATERIALIZED VIEW #{name} WITH NO DATA")
        :view
      end

      def unlink_large_objects
        until (objects = @schema.ask(LARGE_OBJECTS)).empty?
          oids = objects.map { |row| Integer(row["oid"]) }.join(",")
          within("the large objects", "SELECT lo_unlink(oid) FROM unnest(ARRAY[#{oids}]::oid[]) AS oid")
        end
      end

      def within(name, statement)
        @schema.write do
          ["SET LOCAL lock_timeout = #{@lock_timeout}", "SET LOCAL client_min_messages = warning", statement].each { |sql| @schema.ask(sql) }
        end
      rescue PrivilegeError
        raise PrivilegeError.new("The role may not empty #{name}, so its rows are still there.",
                                 "Make the role that ActiveRecord connects as its owner, and run it again.")
      rescue ActiveRecord::LockWaitTimeout
        raise LockTimeoutError.new("Another session keeps #{name} locked, so its rows are still there.",
                                   "End that session, or raise config.lock_timeout, and run it again.")
      end
    end
  end
end

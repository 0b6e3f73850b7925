# frozen_string_literal: true

require "securerandom"
require "timeout"

module ScalingoStagingSync
  module Database
    # The target's state and the history of runs, in the gem's own schema. The engine writes them; that a
    # run has ended is written here if a part that needs Rails follows the engine's part. The reset
    # leaves the schema alone.
    class History
      # The key of the advisory lock that a run holds, as `ext/engine/src/postgres/session/mod.rs` has it.
      LOCK_KEY = 0x7363_616c_6e67_6f01

      STATE = <<~SQL.freeze
        SELECT status, expired_at > coalesce(started_at, '-infinity') AS expired, EXISTS (
          SELECT FROM pg_locks WHERE locktype = 'advisory' AND granted AND objsubid = 1
            AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
            AND (classid::int8 << 32) | objid::int8 = #{LOCK_KEY}) AS held
        FROM (SELECT status, started_at, (to_jsonb(s) ->> 'expired_at')::timestamptz AS expired_at FROM scalingo_staging_sync.state s) AS state
      SQL
      COLUMNS = (Run.members - %i[changed left_out]).freeze

      # An older history lacks these columns.
      CHANGED = "(to_jsonb(r) ->> 'changed')::boolean"
      LEFT_OUT = "(to_jsonb(r) ->> 'left_out')::bigint AS left_out"
      REFUSED = "(r.status = 'failed' AND r.mode = 'run' AND #{CHANGED} IS FALSE)".freeze

      # Seconds that the database may take for the last note, since a run may have failed because the
      # server has fallen silent.
      PATIENCE = 2
      private_constant :STATE, :COLUMNS, :CHANGED, :LEFT_OUT, :REFUSED, :PATIENCE

      # @return [Symbol] :complete when the data is whole (or no run has begun to replace it), :syncing while a run
      #   replaces it, :incomplete when a run began to and failed, :expired when it was taken out because of its age
      # @raise [ActiveRecord::ActiveRecordError] when the database cannot be asked
      def state
        return :complete unless there?("state")

        row = ask(STATE).first
        return :complete unless row["status"] == "incomplete"

        return :expired if row["expired"]

        row["held"] ? :syncing : :incomplete
      end

      # @param limit [Integer] how many
      # @param refused [Boolean] whether those count, too, that failed before they changed anything
      # @return [Array<Run>] the newest runs, newest first
      def runs(limit = 10, refused: true)
        return [] unless there?("runs")

        ask("SELECT #{COLUMNS.join(", ")}, #{CHANGED} AS changed, #{LEFT_OUT} FROM scalingo_staging_sync.runs r " \
            "WHERE #{refused ? "true" : "NOT #{REFUSED}"} ORDER BY started_at DESC LIMIT #{Integer(limit)}")
          .map { |row| Run.of(row) }
      end

      # @return [Hash{Symbol => Object}] of the runs that failed before they changed anything :count, and of the last of
      #   them :started_at and :error_class
      def refused
        return { count: 0 } unless there?("runs")

        last = ask("SELECT count(*) OVER () AS count, started_at, error_class FROM scalingo_staging_sync.runs r " \
                   "WHERE #{REFUSED} ORDER BY started_at DESC LIMIT 1").first
        return { count: 0 } unless last

        last.transform_keys(&:to_sym).merge(error_class: Messages::ErrorClasses.noted(last["error_class"]))
      end

      # @return [Run, nil] the run whose data is in the database
      def current
        return unless there?("runs")

        row = ask(<<~SQL).first
          SELECT #{COLUMNS.map { |column| "r.#{column}" }.join(", ")}, #{LEFT_OUT}
          FROM scalingo_staging_sync.state s JOIN scalingo_staging_sync.runs r USING (run_id)
        SQL
        row && Run.of(row)
      end

      # Notes a run that was refused before the engine was called, if there is a history already. A failure here hides
      # nothing: the run is refused in any case.
      #
      # @param error [Error] why
      # @return [void]
      def note_refused(error)
        at_last { ask(<<~SQL) if there?("runs", "INSERT") }
          INSERT INTO scalingo_staging_sync.runs (run_id, mode, status, finished_at, gem_version, error_class, changed)
          VALUES (#{quote(SecureRandom.uuid)}, 'run', 'failed', clock_timestamp(), #{quote(VERSION)}, #{class_of(error)}, false)
        SQL
      end

      # Notes that a run has loaded a masked archive, and which backup that was made from.
      #
      # @param run [Report::Run] the engine's report
      # @param manifest [Hash{String => Object}] the archive's manifest
      # @param source [String] where it comes from
      # @return [void]
      def note_pull(run, manifest, source)
        backup = manifest["backup"].is_a?(Hash) ? manifest["backup"] : {}
        facts = [source, *backup.values_at("id", "created_at").map { |text| text && Support::Echo.of(text) }]
        ask(<<~SQL, *facts, run.run_id, *facts.drop(1), run.run_id)
          WITH run AS (
            UPDATE scalingo_staging_sync.runs SET mode = 'pull', source = ?, backup_id = ?, backup_created_at = ? WHERE run_id = ?)
          UPDATE scalingo_staging_sync.state SET backup_id = ?, backup_created_at = ? WHERE run_id = ?
        SQL
      end

      # Notes that the data is taken out because of its age: it counts as incomplete, until a run replaces it. The engine knows
      # no more than that; the time is in a column that it leaves alone.
      #
      # @return [void]
      # @raise [PrivilegeError] when the role may not
      def note_expired
        schema.write do
          ask("ALTER TABLE scalingo_staging_sync.state ADD COLUMN IF NOT EXISTS expired_at timestamptz")
          ask("UPDATE scalingo_staging_sync.state SET status = 'incomplete', expired_at = clock_timestamp()")
        end
      end

      # Marks the target and the run as complete, once the part that needs Rails is done. Until then both are as
      # the engine has left them with `more_to_come`: incomplete and under way. If that part fails, the run is noted as
      # failed; if this process is killed, nothing has to be noted.
      #
      # @param run [Report::Run] the engine's report
      # @return [Object] what the block returns
      # @raise [PrivilegeError] when ActiveRecord's role may not write what the engine's may
      # @raise [TargetBusyError] when another run has begun meanwhile
      def finishing(run)
        take(run.run_id)
        result = yield
        mark_complete(run.run_id, run.findings.uncovered.size)
        result
      rescue StandardError, SignalException => error
        note_failure(run.run_id, error)
        raise
      ensure
        release
      end

      private

      # One statement, so that state and history never contradict each other.
      def mark_complete(run, findings)
        ask(<<~SQL)
          WITH run AS (
            UPDATE scalingo_staging_sync.runs SET status = 'complete', error_class = NULL, finished_at = clock_timestamp(),
              findings = #{Integer(findings)} WHERE run_id = #{quote(run)})
          UPDATE scalingo_staging_sync.state SET status = 'complete', finished_at = clock_timestamp()
            WHERE run_id = #{quote(run)}
        SQL
      end

      def note_failure(run, error)
        at_last { ask(<<~SQL) }
          UPDATE scalingo_staging_sync.runs SET status = 'failed', finished_at = clock_timestamp(),
            error_class = #{class_of(error)} WHERE run_id = #{quote(run)}
        SQL
      end

      def class_of(error) = quote(error.class.name.delete_prefix("ScalingoStagingSync::"))

      # Errors here are ignored: the first failure is the one to report, and a closed session has released
      # its lock.
      def at_last(&)
        Timeout.timeout(PATIENCE, &)
      rescue Timeout::Error
        @held = false
        ActiveRecord::Base.connection_handler.clear_all_connections!(:all)
      rescue ActiveRecord::ActiveRecordError, LoadError
        nil
      end

      # The run's lock goes on to this session, so that no other run begins between load and end.
      def take(run)
        raise not_permitted unless %w[state runs].all? { |table| there?(table, "UPDATE") }

        @held = ask("SELECT pg_try_advisory_lock(#{LOCK_KEY}) AS held").first["held"]
        return if @held && ask("SELECT run_id FROM scalingo_staging_sync.state").first&.fetch("run_id") == run

        raise TargetBusyError.new("Another run began in this database before this one's migrations and seeds.",
                                  "Wait until it has ended, and look at its result.")
      end

      def release
        return unless @held

        @held = false
        at_last { ask("SELECT pg_advisory_unlock(#{LOCK_KEY})") }
      end

      def not_permitted
        PrivilegeError.new("The database is restored and masked, but ActiveRecord's role may not note in the schema " \
                           "scalingo_staging_sync that it is complete.",
                           "Let ActiveRecord connect as the role that #{Support::Variables.target_from} names, and run the task again.")
      end

      def there?(...) = schema.there?(...)

      def ask(...) = schema.ask(...)

      def schema = @schema ||= OwnSchema.new

      def quote(text)
        ActiveRecord::Base.connection_pool.with_connection { |connection| connection.quote(text) }
      end
    end
  end
end

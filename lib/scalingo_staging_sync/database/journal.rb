# frozen_string_literal: true

require "timeout"

module ScalingoStagingSync
  module Database
    # The history of what people and schedules did beside the runs, and of the runs once more: who (user, machine, container,
    # task), when, what, and how it ended. The engine's history, {History}, has the figures of the runs.
    class Journal
      include Support::Discreet

      # One of its lines.
      Line = Data.define(:at, :action, :subject, :outcome, :error_class, :login, :host, :container, :task)

      # Seconds that the database may take for it: the database may be what has failed.
      PATIENCE = 2
      private_constant :PATIENCE

      # @param schema [OwnSchema] where it is kept
      # @param environment [#[]] the environment variables
      def initialize(schema: OwnSchema.new, environment: ENV)
        @schema = schema
        @environment = environment
      end

      # Notes an action and how it ended. If the note fails, the action does not. The guard's refusal is not
      # noted: nothing is written where this may be production.
      #
      # @param action [String] such as "token" or "publish"
      # @param subject [String, nil] of what, without a secret
      # @param begin_schema [Boolean] whether the schema is made for an action that is done, where it is not there
      # @return [Object] what the block returns
      def noting(action, subject = nil, begin_schema: true, &)
        result = noting_failure(action, subject, &)
        note(action, subject, "done", nil, begin_schema:)
        result
      end

      # Notes an action only if it is refused or fails.
      #
      # @param action [String] such as "expire"
      # @param subject [String, nil] of what, without a secret
      # @return [Object] what the block returns
      def noting_failure(action, subject = nil)
        yield
      rescue Support::EnvironmentValidator::ProductionEnvironmentError
        raise
      rescue StandardError, SignalException => error
        note(action, subject, outcome_of(error), error, begin_schema: false)
        raise
      end

      # @param limit [Integer] how many
      # @param runs [Boolean] whether runs are among them
      # @return [Array<Line>] the newest, newest first
      def lines(limit = 10, runs: true)
        return [] unless @schema.there?("actions")

        @schema.ask("SELECT #{Line.members.join(", ")} FROM scalingo_staging_sync.actions " \
                    "WHERE #{runs ? "true" : "action <> 'run'"} ORDER BY id DESC LIMIT ?", Integer(limit))
               .map { |row| Line.new(**row.transform_keys(&:to_sym)) }
      end

      private

      def outcome_of(error)
        case error
        when SignalException then "stopped"
        when ConfigurationError, ConfirmationError then "refused"
        else "failed"
        end
      end

      def note(action, subject, outcome, error, begin_schema:)
        return unless EngineSettings.target_of_rails? && (begin_schema || %w[state actions].any? { |table| @schema.there?(table) })

        Timeout.timeout(PATIENCE) { write(action, subject, outcome, error) }
      rescue ActiveRecord::ActiveRecordError, PrivilegeError, Timeout::Error, LoadError => error
        ScalingoStagingSync.configuration.logger.warn("The history could not be written, so it has no line for this #{action} (#{error.class}).")
      end

      def write(action, subject, outcome, error)
        who = Support::Operator.now(@environment)
        values = [action, subject && Support::Echo.of(subject), outcome, error && error.class.name.delete_prefix("ScalingoStagingSync::"),
                  who.login, who.host, who.container, who.task, VERSION]
        @schema.write("actions") { @schema.ask(<<~SQL, *values.map { |value| value&.to_s&.scrub("?")&.slice(0, 200) }) }
          INSERT INTO scalingo_staging_sync.actions (action, subject, outcome, error_class, login, host, container, task, gem_version)
          VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
        SQL
      end
    end
  end
end

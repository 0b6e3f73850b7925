# frozen_string_literal: true

module ScalingoStagingSync
  module Services
    # What `rake scalingo_staging_sync:run` does: a run, or a dry run where one is asked for, and the exit status that
    # says how it went. A run that is stopped says what state the target is in.
    class Command
      # @param config [Configuration] what to do
      # @param errors [IO] where a stopped run says what it has left
      def initialize(config: ScalingoStagingSync.configuration, errors: $stderr)
        @config = config
        @errors = errors
      end

      # @return [Integer] the exit status: 0; 1 when a dry run found a problem; 128 and the signal's number when the
      #   run was stopped: 130 by Ctrl-C, 143 by SIGTERM
      # @raise [Error] when the run failed
      def run
        # A pipe, as in a detached container, would keep the log lines back.
        $stdout.sync = true
        by_raise { work }
      rescue SignalException => error
        @errors.puts("The run was stopped (#{error.signm}). #{remains}")
        128 + error.signo
      end

      private

      def work
        return DryRun.new(config: @config).execute![:would_succeed] ? 0 : 1 if DryRun.asked?(config: @config)

        Coordinator.new(config: @config).execute!
        0
      end

      # Has signals come by Thread#raise, which can be made to wait; see Support::ProgressReporter.
      def by_raise
        before = { "INT" => Interrupt.new("SIGINT"), "TERM" => SignalException.new("SIGTERM") }.map do |name, error|
          [name, trap(name) { Thread.main.raise(error) }]
        end
        yield
      ensure
        before&.each { |name, handler| trap(name, handler || "DEFAULT") }
      end

      def remains
        case Database::History.new.state
        when :complete then "The target was not touched: its old data is still there."
        else "The target is incomplete, and holds no raw value of a masked column. The next run starts clean."
        end
      rescue StandardError
        "The state of the target could not be asked: `rake scalingo_staging_sync:status` says it."
      end
    end
  end
end

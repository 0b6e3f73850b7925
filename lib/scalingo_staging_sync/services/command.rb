# frozen_string_literal: true

module ScalingoStagingSync
  module Services
    # What `rake scalingo_staging_sync:run` does: a run, or a dry run where one is asked for, and the exit status that
    # says how it went. A run that fails or is stopped says what state the target is in.
    class Command
      # Some errors say themselves what is left.
      SAID = { untouched: /nothing was touched/i, incomplete: /incomplete/, refused: /nothing was touched/ }.freeze
      private_constant :SAID

      # @param config [Configuration] what to do
      # @param errors [IO] where a run that fails or is stopped says why, and what it has left
      def initialize(config: ScalingoStagingSync.configuration, errors: $stderr)
        @config = config
        @errors = errors
      end

      # @return [Integer] the exit status: 0; 1 when the run failed or a dry run found a problem; 128 and the signal's
      #   number when the run was stopped: 130 by Ctrl-C, 143 by SIGTERM, 129 when the terminal was closed (SIGHUP)
      def run
        # A pipe, as in a detached container, would keep the log lines back.
        $stdout.sync = true
        by_raise { work }
      rescue Error => error
        tell("#{error.class}: #{error.message}", Support::Remains.of(error))
        1
      rescue SignalException => error
        tell("The run was stopped (#{error.signm}).", Support::Remains.of(error))
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
        errors = { "INT" => Interrupt.new("SIGINT"), "TERM" => SignalException.new("SIGTERM"), "HUP" => SignalException.new("SIGHUP") }
        before = errors.map { |name, error| [name, trap(name) { Thread.main.raise(error) }] }
        yield
      ensure
        before&.each { |name, handler| trap(name, handler || "DEFAULT") }
      end

      def tell(what, state)
        known = SAID[state]&.match?(what)
        @errors.puts([what, (Support::Remains.sentence(state) unless known)].compact.join(" "))
      rescue SystemCallError
        nil # nobody is there to read it: the terminal was closed
      end
    end
  end
end

# frozen_string_literal: true

module ScalingoStagingSync
  module Services
    # What `rake scalingo_staging_sync:run` does: a run, or a dry run where one is asked for, and the exit status that
    # says how it went. A run that fails or is stopped says what state the target is in.
    #
    # The first signal stops a run in good order. A second one ends the process where it stands, without waiting for
    # the database, for Slack or for anything else; the server then closes the run's sessions by itself.
    class Command
      include Support::Discreet

      # Some errors already say what is left.
      UNTOUCHED = /nothing was touched/i
      SAID = { untouched: UNTOUCHED, refused: UNTOUCHED, unreached: UNTOUCHED, unknown: UNTOUCHED, incomplete: /incomplete/ }.freeze
      private_constant :UNTOUCHED, :SAID

      # @param config [Configuration] what to do
      # @param errors [IO] where a run that fails or is stopped says why, and what it has left
      def initialize(config: ScalingoStagingSync.configuration, errors: $stderr)
        @config = config
        @errors = errors
        @remains = Remains # loaded here: a signal's handler may take no lock, and so load nothing
        @touched = false
      end

      # @return [Integer] the exit status: 0; 1 when the run failed or a dry run found a problem; 128 and the signal's
      #   number when the run was stopped: 130 by Ctrl-C, 143 by SIGTERM, 129 when the terminal was closed (SIGHUP)
      def run
        # A pipe, as in a detached container, would buffer the log lines.
        $stdout.sync = true
        by_raise { ending }
      rescue SignalException => error
        stopped(error)
      end

      private

      # Finding out what is left means asking the target, which may take a while: a second signal must end that at once, too.
      def ending
        work
      rescue Error => error
        print_end("#{error.class}: #{error.message}", @remains.of(error, touched: @touched))
        1
      rescue SignalException => error
        stopped(error)
      end

      def stopped(signal)
        print_end("The run was stopped (#{signal.signm}).", @remains.of(signal))
        128 + signal.signo
      end

      def work
        return DryRun.new(config: @config).execute![:would_succeed] ? 0 : 1 if DryRun.asked?(config: @config)

        refuse_format
        refuse_trial
        refuse_count
        watching_phases { Coordinator.new(config: @config).execute! }
        0
      end

      # What a run prints is its progress.
      def refuse_format
        return unless Support::Variables.new.word("FORMAT") == "json"

        raise ConfigurationError.new(
          "The variable FORMAT is \"json\", which has no effect on a real run.",
          "Set DRY_RUN=true to have the plan as JSON. For the report of a real run, remove FORMAT and set " \
          "config.anonymization_audit_file, which is written as JSON. Nothing was touched."
        )
      end

      # A job that creates the schema needs no trial of that.
      def refuse_trial
        return unless Support::Variables.new.yes?("TRY_SCHEMA")

        raise ConfigurationError.new("The variable TRY_SCHEMA has no effect on a real run.",
                                     "Set DRY_RUN=true beside it to have the whole schema tried and rolled back, or remove it. Nothing was touched.")
      end

      # The count is of what would come.
      def refuse_count
        return unless Support::Variables.new.yes?("EXACT")

        raise ConfigurationError.new("The variable EXACT has no effect on a real run.",
                                     "Set DRY_RUN=true beside it to have the rows counted that would come, or leave EXACT out. Nothing was touched.")
      end

      def watching_phases(&)
        seen = ->(*, event) { @touched ||= @remains.touches?(event[:phase]) }
        ActiveSupport::Notifications.subscribed(seen, "phase.scalingo_staging_sync", &)
      end

      # Has signals come by Thread#raise, which can be made to wait; see Terminal::ProgressReporter.
      def by_raise
        errors = { "INT" => Interrupt.new("SIGINT"), "TERM" => SignalException.new("SIGTERM"), "HUP" => SignalException.new("SIGHUP") }
        stopping = false
        before = errors.map do |name, error|
          [name, trap(name) do
            end_at_once(error) if stopping
            stopping = true
            Thread.main.raise(error)
          end]
        end
        yield
      ensure
        before&.each { |name, handler| trap(name, handler || "DEFAULT") }
      end

      # From a signal's handler, so that it works while the main thread waits, even in an `ensure`.
      def end_at_once(signal)
        print_end("The run was ended at once (#{signal.signm}).", @touched ? :ended : :untouched)
      ensure
        exit!(128 + signal.signo)
      end

      def print_end(what, state)
        left = @remains.sentence(state) unless SAID[state]&.match?(what)
        left = left.delete_prefix("Nothing was touched. ") if left && UNTOUCHED.match?(what)
        @errors.puts([what, left].compact.join(" "))
      rescue SystemCallError
        nil # the terminal was closed
      end
    end
  end
end

# frozen_string_literal: true

require "active_support/core_ext/object/blank"

module ScalingoStagingSync
  module Support
    # Asks a person to type the target's name before a run, where `config.require_confirmation` says so.
    class Confirmation
      # @param config [Configuration] whether to ask, and for which app
      # @param input [IO] where the answer comes from; it must be a terminal
      # @param output [IO] where the question goes
      # @param environment [#[]] the environment variables
      def initialize(config: ScalingoStagingSync.configuration, input: $stdin, output: $stdout, environment: ENV)
        @config = config
        @input = input
        @output = output
        @environment = environment
        @variables = Variables.new(environment)
      end

      # Asks, unless it need not: CI or CONTINUOUS_INTEGRATION is true.
      #
      # @return [void]
      # @raise [ConfirmationError] when the answer is another, or there is nobody to answer
      def require!
        return unless @config.require_confirmation
        return if %w[CI CONTINUOUS_INTEGRATION FORCE].any? { |name| @variables.yes?(name) }

        raise nobody unless @input.tty?
        return if ask == name

        raise ConfirmationError.new("The name that was typed is not #{name}, so nothing was touched.",
                                    "Run it again if this is the database you mean to replace.")
      end

      private

      def ask
        @output.print("[CONFIRMATION REQUIRED] Type '#{name}' to continue: ")
        @output.flush
        answer = @input.gets
        answer.to_s.strip
      ensure
        @output.puts unless answer # what is said next begins a line of its own, also after Ctrl-C and Ctrl-D
      end

      # Outside Scalingo there is no APP; the database's name serves there.
      def name
        @name ||= @environment["APP"].presence ||
                  DatabaseUrl.parse(EngineSettings.target_url)&.database ||
                  raise(ConfigurationError.new("There is no name to confirm.", "Set the variable APP."))
      end

      def nobody
        ConfirmationError.new(
          "config.require_confirmation asks for the app's name to be typed, and there is no terminal to type it in.",
          "Run it in a terminal, set CI=true where nobody watches, or set config.require_confirmation = false."
        )
      end
    end
  end
end

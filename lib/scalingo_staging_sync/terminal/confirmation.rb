# frozen_string_literal: true

require "active_support/core_ext/object/blank"

module ScalingoStagingSync
  module Terminal
    # Asks a person to type a name before the target is changed: the target app's where `config.require_confirmation` says
    # so, the database's where nothing says that this environment's database is meant (see {Guard::AllowedEnvironments}).
    class Confirmation
      include Support::Discreet

      # What a service is about to do to the target.
      DEEDS = {
        replace: "This replaces everything in the database %<database>s.",
        empty: "This takes all rows out of the database %<database>s, because of their age.",
        mask: "This masks the rows of the database %<database>s, where they are."
      }.freeze
      private_constant :DEEDS

      # The variables that answer for a person.
      ANSWERS = %w[CI CONTINUOUS_INTEGRATION FORCE].freeze
      private_constant :ANSWERS

      # @param config [Configuration] whether to ask, and for which app
      # @param input [IO] where the answer comes from; it must be a terminal
      # @param output [IO] where the question goes
      # @param environment [#[]] the environment variables
      # @param rails_env [String, nil] Rails' environment; nil if there is no Rails
      # @param facts [#sentences] what is in the target now
      def initialize(config: ScalingoStagingSync.configuration, input: $stdin, output: $stdout, environment: ENV,
                     rails_env: Guard::Production.rails_env, facts: Database::TargetFacts.new)
        @config = config
        @input = input
        @output = output
        @environment = environment
        @rails_env = rails_env
        @facts = facts
      end

      # Asks, unless it need not: nothing asks for it, or CI, CONTINUOUS_INTEGRATION or FORCE says yes.
      #
      # @param action [Symbol] what is about to be done to the target: :replace, :empty or :mask
      # @return [void]
      # @raise [ConfirmationError] when the answer is another, or there is no one to answer
      # @raise [ConfigurationError] when one of the variables says neither yes nor no
      def require!(action = :replace)
        return unless @config.require_confirmation || allowed.ask?
        return if answered?

        raise no_terminal unless @input.tty?
        return if ask(action) == name

        raise ConfirmationError.new("The name that was typed is not #{name}, so nothing was touched.",
                                    "Run it again if this is the database you mean to replace.")
      end

      private

      def allowed
        Guard::AllowedEnvironments.new(config: @config, rails_env: @rails_env)
      end

      def answered?
        variables = Support::Variables.new(@environment)
        ANSWERS.any? { |variable| variables.yes?(variable) }
      end

      def ask(action)
        @output.puts(format(DEEDS.fetch(action), database: place), *@facts.sentences, *(allowed.reason if allowed.ask?))
        @output.print("[CONFIRMATION REQUIRED] Type '#{name}' to continue: ")
        @output.flush
        answer = @input.gets
        answer.to_s.strip
      ensure
        @output.puts unless answer # what is said next begins a line of its own, also after Ctrl-C and Ctrl-D
      end

      # Where the app's name is asked for and there is no APP, as outside Scalingo, the database's serves.
      def name
        @name ||= (app if @config.require_confirmation) || target&.database ||
                  raise(ConfigurationError.new("There is no name to confirm.", "Set the variable APP. Nothing was touched."))
      end

      def app
        name = @environment["APP"].presence
        name unless Support::Echo.secret?(name)
      end

      def place = target&.place

      def target
        Database::Url.parse(EngineSettings.target_url)
      end

      def no_terminal
        return no_terminal_for_environment unless @config.require_confirmation

        ConfirmationError.new(
          "config.require_confirmation asks for the app's name to be typed, and there is no terminal to type it in.",
          "Run it in a terminal, set CI=true or FORCE=true where no one watches, or set config.require_confirmation = false. " \
          "Nothing was touched."
        )
      end

      def no_terminal_for_environment
        ConfirmationError.new(
          "#{allowed.reason} So the name of the database, #{place}, has to be typed first, and there is no terminal to type it in.",
          "Set RAILS_ENV to the environment that is meant. If it is this one, add it to config.allowed_environments, set " \
          "FORCE=true, or run it in a terminal. Nothing was touched."
        )
      end
    end
  end
end

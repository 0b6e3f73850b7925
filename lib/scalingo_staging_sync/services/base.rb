# frozen_string_literal: true

module ScalingoStagingSync
  module Services
    # What the services share: the configuration, the progress reporter, the engine, and the checks that come
    # before anything else.
    class Base
      include Support::Discreet

      # A warning, not an error: outside Scalingo there is no such variable.
      NO_APP = "The variable APP is not set, so the guard goes by Rails' environment and the database's host alone."
      private_constant :NO_APP

      # @param config [Configuration] what to do
      # @param reporter [Terminal::ProgressReporter] what says how far it is
      # @param native [Module, nil] what does the work; nil: the native library
      # @param confirmation [Terminal::Confirmation] who asks the operator before the target is changed
      def initialize(config: ScalingoStagingSync.configuration,
                     reporter: Terminal::ProgressReporter.new(logger: config.logger), native: nil,
                     confirmation: Terminal::Confirmation.new(config:))
        @config = config
        @reporter = reporter
        @native = native
        @confirmation = confirmation
      end

      private

      attr_reader :config, :reporter

      def native
        @native || Native
      end

      # Built on each call: the environment that it reads may have changed.
      def settings
        EngineSettings.new(config)
      end

      def engine
        EngineCall.new(native:, reporter:, config:)
      end

      # @raise [Support::EnvironmentValidator::ProductionEnvironmentError] when this may be production
      def refuse_production!
        Guard::Production.new(config:).validate!
      end

      # What every service does before it changes the target: checks, the question, and a word on what has no effect.
      #
      # @param action [Symbol] :replace or :mask
      # @param source [Boolean] whether a backup is read from the configured source
      # @raise [Error] one of its subclasses: those of {#check!}, and ConfirmationError when the operator did not confirm
      def prepare!(action, source: true)
        preflight = check!(source:)
        native # loaded now, so that no one is asked about a run for which it is missing
        @confirmation.require!(action)
        reporter.say(NO_APP) unless config.target_app
        preflight.notices.each { |notice| reporter.warn(notice) }
      end

      # A part of the job has no dry run, so with one asked for it must not run.
      #
      # @param action [String] what the part would do
      # @raise [ConfigurationError] when a dry run is asked for
      def refuse_dry_run!(action = "would change the target")
        return unless DryRun.asked?(config:)

        raise ConfigurationError.new(
          "A dry run is asked for (config.dry_run or the variable DRY_RUN), and #{self.class.name.split("::").last} #{action}.",
          "Services::Coordinator prints the plan of the whole job; for this part, remove DRY_RUN and set config.dry_run = false. Nothing was touched."
        )
      end

      # Every check that can refuse a run before anything is touched.
      #
      # @param source [Boolean] whether a backup is read from the configured source
      # @param target [Boolean] whether a database is filled
      # @return [Guard::Preflight] what was checked
      # @raise [Support::EnvironmentValidator::ProductionEnvironmentError] when this may be production
      # @raise [ConfigurationError] when a setting is missing or contradicts another, or a variable is wrong
      def check!(source: true, target: true)
        Support::Variables.new.check!
        refuse_production!
        Audit::Seal.new(config:).check!
        look_ahead(source, target)
      end

      def look_ahead(source, target)
        Guard::Preflight.new(config:).tap do |preflight|
          preflight.check!(source:, target:) { (Foreseen.new(config:, target:, native: @native).error if source) }
        end
      end
    end
  end
end

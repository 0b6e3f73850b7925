# frozen_string_literal: true

module ScalingoStagingSync
  module Services
    # Masks the rows that the target already holds, with the configured rules: each table by way of a temporary copy,
    # so that no raw version stays in the table's files.
    class DatabaseAnonymizerService
      # @param config [Configuration] the rules and the target
      # @param reporter [Support::ProgressReporter] who is told of the progress
      # @param native [Module, nil] what does the work; nil: the native library
      def initialize(config: ScalingoStagingSync.configuration,
                     reporter: Support::ProgressReporter.new(logger: config.logger), native: nil)
        @config = config
        @reporter = reporter
        @native = native
      end

      # @return [Hash{Symbol => Object}] the engine's report, as {Coordinator#execute!} returns it, without a :backup
      # @raise [Support::EnvironmentValidator::ProductionEnvironmentError] when this may be production
      # @raise [ConfigurationError] when a setting is missing, or asks for what is not built yet, or there is no rule
      # @raise [Error] one of its other subclasses, when masking failed
      def anonymize!
        Support::EnvironmentValidator.new(config: @config).validate!
        Support::Preflight.new(config: @config).check!(source: false)
        # The engine's settings name a source in any case; masking in place reads none.
        settings = EngineSettings.new(@config).to_h(source: { "file" => File::NULL })
        Support::EngineCall.new(native: @native, reporter: @reporter).anonymize(settings)
      end
    end
  end
end

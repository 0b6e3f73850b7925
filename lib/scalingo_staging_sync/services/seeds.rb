# frozen_string_literal: true

module ScalingoStagingSync
  module Services
    # Runs `config.seeds_file_path` in the restored database.
    class Seeds
      include Support::Discreet

      # @param config [Configuration] which file
      # @param reporter [Terminal::ProgressReporter] what says how far it is
      def initialize(config: ScalingoStagingSync.configuration, reporter: Terminal::ProgressReporter.new)
        @config = config
        @reporter = reporter
      end

      # @return [void]
      # @raise [SeedsError] when the file raises; its cause says why
      def load
        path = @config.seeds_file_path
        return unless path

        @reporter.say("Running the seeds, #{Support::Echo.of(path)}.")
        file = EngineSettings.new(@config).in_app(path)
        begin
          Kernel.load(file)
        rescue StandardError, ScriptError => error
          raise SeedsError.new(
            "The database is restored and masked, but the seeds #{Support::Echo.of(path)} failed: " \
            "#{Support::FailureText.of(error, within: file)}.",
            "Correct the file and run the task again."
          )
        end
      end
    end
  end
end

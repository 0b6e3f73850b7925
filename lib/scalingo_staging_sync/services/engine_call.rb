# frozen_string_literal: true

module ScalingoStagingSync
  module Services
    # One call of the engine: ActiveRecord's connections are given up before it, because the engine ends every
    # other session of the role, and come back by themselves after it.
    class EngineCall
      include Support::Discreet

      # @param native [Module, nil] what does the work; nil: the native library
      # @param reporter [Terminal::ProgressReporter] what receives the engine's events
      # @param config [Configuration] the patterns that the engine may ask for
      def initialize(native: nil, reporter: Terminal::ProgressReporter.new, config: ScalingoStagingSync.configuration)
        @native = native || Native
        @reporter = reporter
        @events = PersonalData::OwnPatterns.new(config.pii_detection_patterns).block(reporter)
      end

      # @param settings [Hash{String => Object}] as {EngineSettings#to_h} makes it
      # @return [Hash{Symbol => Object}] the run's report
      # @raise [Error] one of its subclasses
      def run(settings)
        on_target { @native.run(Secret.reveal(settings), &@events) }
      end

      # @param settings [Hash{String => Object}] as {EngineSettings#to_h} makes it
      # @return [Hash{Symbol => Object}] the run's report
      # @raise [Error] one of its subclasses
      def anonymize(settings)
        on_target { @native.anonymize(Secret.reveal(settings), &@events) }
      end

      # No database is touched.
      #
      # @param settings [Hash{String => Object}] as {EngineSettings#to_h} makes it
      # @param to [Hash{String => Object}] where the archive goes and how it is compressed
      # @return [Hash{Symbol => Object}] the run's report, with :archive
      # @raise [Error] one of its subclasses
      def dump(settings, to)
        @reporter.with_progress { @native.dump(Secret.reveal(settings), Secret.reveal(to), &@events) }
      end

      private

      def on_target(&)
        Database::RailsState.release_connections
        @reporter.with_progress(&)
      ensure
        Database::RailsState.forget_schema
      end
    end
  end
end

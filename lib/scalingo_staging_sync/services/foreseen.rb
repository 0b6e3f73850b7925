# frozen_string_literal: true

module ScalingoStagingSync
  module Services
    # What else is wrong with a configuration of which a part cannot be read: what the backup's tables and the target's
    # server have against the rest. So everything is said at once, and not in one run after the other. Nothing is touched.
    class Foreseen
      include Support::Discreet

      # @param config [Configuration] what cannot be read as a whole
      # @param native [Module, nil] what does the work; nil: the native library
      def initialize(config:, native: nil)
        @config = config
        @native = native
      end

      # @return [ConfigurationError, nil] everything that is wrong, in one list; nil if no more can be found out than is
      #   known, because other settings are wrong, or because there is no backup
      def error
        sound = @config.sound_part
        return unless sound

        whole = problems(sound).find { |problem| problem[:faults].any? }
        whole && ConfigurationError.new(whole[:what], "#{whole[:remedy]} Nothing was touched.")
      rescue Error
        nil # what is known already is reason enough
      end

      private

      # Those of a dry run, which lists the faults that are known with those that it finds.
      def problems(sound)
        asked = EngineSettings.new(sound).to_h.merge("faults" => @config.problems)
        Database::RailsState.release_connections
        (@native || Native).plan(Secret.reveal(asked), &PersonalData::OwnPatterns.new(sound.pii_detection_patterns).block)[:problems]
      end
    end
  end
end

# frozen_string_literal: true

module ScalingoStagingSync
  module Services
    # What else is wrong with a configuration of which a part cannot be read: what the backup's tables and the server of the
    # target, or of a dump's workspace, have against the rest. So everything is said at once, and not in one run after the
    # other. Nothing is touched.
    class Foreseen
      include Support::Discreet

      # @param config [Configuration] what cannot be read as a whole
      # @param target [Boolean] whether a database is to be filled; else an archive is to be written
      # @param native [Module, nil] what does the work; nil: the native library
      def initialize(config:, target: true, native: nil)
        @config = config
        @target = target
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
        settings = EngineSettings.new(sound)
        asked = (@target ? settings.to_h : settings.dump_ahead).merge("faults" => @config.problems)
        Database::RailsState.release_connections
        (@native || Native).plan(Secret.reveal(asked), &PersonalData::OwnPatterns.new(sound.pii_detection_patterns).block)[:problems]
      end
    end
  end
end

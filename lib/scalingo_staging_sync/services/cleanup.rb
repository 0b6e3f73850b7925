# frozen_string_literal: true

module ScalingoStagingSync
  module Services
    # Clears what killed runs have left in the target: sessions, the setting that keeps writers out, the note that
    # they are under way; and removes what is older than `config.retention`. The next run does both anyway; this is for when
    # you do not want to wait for one.
    class Cleanup < Base
      # @return [Hash{Symbol => Object}] what was cleared: :runs, :read_only_role, :sessions
      # @raise [Support::EnvironmentValidator::ProductionEnvironmentError] when this may be production
      # @raise [ConfigurationError] when a dry run is asked for, or a variable is wrong
      # @raise [TargetBusyError] while a run is under way
      def call
        refuse_dry_run!
        Support::Variables.new.check!
        refuse_production!
        config.check!
        Guard::AllowedEnvironments.new(config:).check!
        Database::RailsState.release_connections
        cleared = native.cleanup(Secret.reveal(settings.target))
        reporter.say(sentence(cleared))
        Retention.new(config:, reporter:).call
        cleared
      end

      private

      def sentence(cleared)
        done = []
        done << "#{Support::Figures.counted(cleared[:runs], "killed run")} noted as failed" if cleared[:runs].positive?
        done << "the role may write again" if cleared[:read_only_role]
        done << "#{Support::Figures.counted(cleared[:sessions], "session")} ended" if cleared[:sessions].positive?
        done.empty? ? "Nothing was left over." : "Cleared: #{done.join(", ")}."
      end
    end
  end
end

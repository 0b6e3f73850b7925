# frozen_string_literal: true

module ScalingoStagingSync
  module Services
    # What `rake scalingo_staging_sync:expire` does: it takes the data out of a staging database once it is older than
    # `config.data_max_age`, by the backup that it comes from. The schema stays, and {ScalingoStagingSync.state} says :expired
    # until the next run.
    class Expire < Base
      # @return [Boolean] whether the data had expired, and is gone
      # @raise [Support::EnvironmentValidator::ProductionEnvironmentError] when this may be production
      # @raise [ConfigurationError] when no age is configured, or a dry run is asked for, or ActiveRecord does not know the target
      # @raise [ConfirmationError] when the operator did not confirm
      # @raise [TargetBusyError] while a run is under way
      # @raise [TargetConnectionError] when the database cannot be asked
      # @raise [Error] one of its other subclasses, when it could not be emptied
      def call
        refuse_dry_run!("would empty the database")
        Support::Variables.new.check!
        refuse_production!
        Guard::TargetProblem.asking("The target database") { expire }
      end

      private

      def expire
        journal = Database::Journal.new
        run = journal.noting_failure("expire") { data! }
        return left(run) unless expired?(run)

        journal.noting("expire") do
          @confirmation.require!(:empty) if config.require_confirmation || !run.pulled?
          empty(run)
        end
        true
      end

      def data!
        config.check!
        Guard::AllowedEnvironments.new(config:).check!
        refuse_without_age!
        Database::History.new.current
      end

      def refuse_without_age!
        unless config.data_max_age
          raise ConfigurationError.new("No age is configured at which data expires.", "Set config.data_max_age. Nothing was touched.")
        end
        return if EngineSettings.target_of_rails?

        raise ConfigurationError.new(*(Guard::TargetProblem.find || Guard::TargetProblem.of_two || Guard::TargetProblem.missing))
      end

      # Data that no run has brought is a person's own.
      def expired?(run) = !run.nil? && Database::History.new.state != :expired && run.age > config.data_max_age

      def left(run)
        reporter.say(run ? kept_words(run) : "No run has filled this database. Nothing was touched.")
        false
      end

      def kept_words(run)
        return "The data has expired already. Nothing was touched." if Database::History.new.state == :expired

        "The data is #{age(run)}, and config.data_max_age is #{Support::Figures.seconds(config.data_max_age)}. Nothing was touched."
      end

      def empty(run)
        tables = Database::Emptying.new(config:).call
        Database::RailsState.forget_schema
        reporter.say("The data was #{age(run)}, more than config.data_max_age allows: #{Support::Figures.counted(tables, "table")} emptied.")
      end

      def age(run) = "#{Support::Figures.seconds(run.age)} old"
    end
  end
end

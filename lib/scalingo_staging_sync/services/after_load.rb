# frozen_string_literal: true

module ScalingoStagingSync
  module Services
    # What needs Rails once the rows are there: the app's migrations, its counter caches, the environment's name, the seeds; and whether the app
    # has to be restarted for what has changed.
    class AfterLoad
      include Support::Discreet

      # @param config [Configuration] what of it is done
      # @param reporter [Terminal::ProgressReporter] what says how far it is
      def initialize(config:, reporter:)
        @config = config
        @reporter = reporter
        @before = migrations_applied
      end

      # @return [void]
      # @raise [MigrationError] when a migration fails
      # @raise [SeedsError] when the seeds do
      def call
        return unless Database::RailsState.active_record?

        migrate if @config.run_migrations
        Counters.new(reporter: @reporter).reset if @config.reset_counters
        Database::RailsState.record_environment if @config.record_environment
        Seeds.new(config: @config, reporter: @reporter).load
      end

      # Says so where the schema is another than it was when this was made.
      #
      # @return [void]
      def advise_restart
        after = migrations_applied
        return if after.nil? || after == @before

        @reporter.say("Restart the app's web and worker processes: the schema has changed, and they have the old one cached.")
      end

      private

      def migrate
        ran = Database::RailsState.migrate { |label| @reporter.say("Migrating: #{label}.") }
        @reporter.detail("No migration is pending.") if ran.zero?
      end

      # To Rails, a schema is its migrations.
      def migrations_applied
        Database::RailsState.applied_migrations if Database::RailsState.active_record?
      rescue StandardError
        nil # of a target that cannot be asked the engine speaks
      end
    end
  end
end

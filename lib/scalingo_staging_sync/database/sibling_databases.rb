# frozen_string_literal: true

module ScalingoStagingSync
  module Database
    # The databases that the app's environment has beside the primary one, as a new Rails app has `cache`, `queue` and
    # `cable`. A run fills the target only; those that are the target under another name are filled with it.
    class SiblingDatabases
      # @param target [Url, nil] the target
      def initialize(target: EngineSettings.target_database)
        @target = target
      end

      # @return [Array<ActiveRecord::DatabaseConfigurations::DatabaseConfig>] those that are the target itself
      def shared = siblings.select { |database| in_target?(database) }

      # @return [Array<ActiveRecord::DatabaseConfigurations::DatabaseConfig>] those that a run does not touch
      def apart = siblings.reject { |database| in_target?(database) }

      private

      # A replica is the primary database again, read-only.
      def siblings
        return [] unless RailsState.active_record?

        primary = ActiveRecord::Base.connection_db_config
        ActiveRecord::Base.configurations.configs_for(env_name: primary.env_name, include_hidden: true)
                          .reject { |database| database.name == primary.name || database.replica? }
      end

      def in_target?(database)
        return false unless @target && database.adapter.to_s.match?(/\Apost(gres|gis)/)

        url = Url.parse(Url.from_active_record(database.configuration_hash))
        !url.nil? && @target.same_database?(url)
      end
    end
  end
end

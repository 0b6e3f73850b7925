# frozen_string_literal: true

module ScalingoStagingSync
  module Preview
    # The target now: what a run would drop, the tables among it that the backup does not have, the sessions that it would end,
    # and the extensions that are missing.
    Target = Data.define(:database, :role, :server_version, :size, :drops, :lost_tables, :large_objects, :sessions,
                         :missing_extensions) do
      extend Report::FromHash

      # @param facts [Hash{Symbol => Object}] the target, as the engine has it
      # @return [Target] it
      def self.of(facts)
        super(facts.merge(sessions: facts[:sessions].map { |session| session[:application_name] },
                          missing_extensions: Extension.all_of(facts[:missing_extensions])))
      end
    end
  end
end

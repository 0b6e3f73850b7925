# frozen_string_literal: true

module ScalingoStagingSync
  module Services
    # Masks the rows that the target already holds, with the configured rules, rules in SQL included: each table by way
    # of a temporary one, so that no raw version stays in the table's files. A table that fails is as it was.
    class DatabaseAnonymizerService < Base
      # @return [Hash{Symbol => Object}] the engine's report, as {Coordinator#execute!} returns it, without a :backup
      # @raise [Support::EnvironmentValidator::ProductionEnvironmentError] when this may be production
      # @raise [ConfigurationError] when a setting is missing, a dry run is asked for, or there is no rule
      # @raise [ConfirmationError] when the operator did not confirm
      # @raise [Error] one of its other subclasses, when masking failed
      def anonymize!
        refuse_dry_run!
        prepare!(:mask, source: false)
        # The engine's settings name a source in any case; masking in place reads none.
        engine.anonymize(settings.to_h(source: { "file" => File::NULL }).except("include_tables", "subset"))
      end
    end
  end
end

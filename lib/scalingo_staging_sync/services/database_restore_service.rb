# frozen_string_literal: true

module ScalingoStagingSync
  module Services
    # Fills the target from an archive on this machine, with the configured rules applied; never without. Migrations,
    # seeds, audit and Slack are {Coordinator}'s.
    class DatabaseRestoreService < Base
      # @param path [String, Pathname] an archive: .tar.gz, .tar, or what `pg_dump -Fc` wrote
      # @param exclude_tables [Array<String>] tables to create without their rows
      # @return [Hash{Symbol => Object}] the engine's report, as {Coordinator#execute!} returns it
      # @raise [ArgumentError] when exclude_tables is not an Array of Strings
      # @raise [Support::EnvironmentValidator::ProductionEnvironmentError] when this may be production
      # @raise [ConfigurationError] when a setting is missing, or a dry run is asked for
      # @raise [ConfirmationError] when the operator did not confirm
      # @raise [Error] one of its other subclasses, when the restore failed
      def restore!(path, exclude_tables: config.exclude_tables)
        excluded = Configuration.options.fetch(:exclude_tables).cast(exclude_tables) || []
        refuse_dry_run!
        source = { "file" => Guard::BackupFile.refuse_url(settings.in_app(path.to_s)) }
        prepare!(:replace, source: false)
        engine.run(settings.to_h(source:, exclude_tables: excluded))
      end
    end
  end
end

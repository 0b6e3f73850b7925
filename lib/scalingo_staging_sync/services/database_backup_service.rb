# frozen_string_literal: true

require "fileutils"

module ScalingoStagingSync
  module Services
    # Fetches the backup to a file. A run needs no such file; it is for whoever wants the archive itself, for
    # instance to restore it twice. The file holds production's data as it is: delete it when it has served.
    class DatabaseBackupService
      # @param config [Configuration] which app, region, addon, token and directory
      # @param reporter [Support::ProgressReporter] who is told of the progress
      # @param native [Module, nil] what does the work; nil: the native library
      def initialize(config: ScalingoStagingSync.configuration,
                     reporter: Support::ProgressReporter.new(logger: config.logger), native: nil)
        @config = config
        @reporter = reporter
        @native = native
      end

      # Downloads the backup that a run would use, and unpacks it into `config.temp_dir`, with mode 0600. A configured
      # `backup_file` is used where it is.
      #
      # @return [String] the archive's path, for {DatabaseRestoreService#restore!}
      # @raise [Integrations::ScalingoApiClient::BackupError] or one of its subclasses
      # @raise [Support::EnvironmentValidator::ProductionEnvironmentError] when this may be production
      # @raise [ConfigurationError] when the source app or the API token is not set
      def download_and_extract!
        Support::EnvironmentValidator.new(config: @config).validate!
        settings = EngineSettings.new(@config)
        return settings.backup_file if settings.backup_file

        directory = settings.in_app(@config.temp_dir)
        FileUtils.mkdir_p(directory)
        client = Integrations::ScalingoApiClient.new(config: @config, native: @native)
        @reporter.with_heartbeat { client.download_backup(directory, &@reporter) }
      end
    end
  end
end

# frozen_string_literal: true

require "fileutils"

module ScalingoStagingSync
  module Services
    # Fetches the backup to a file. A run needs no such file; it is for when you want the archive itself, for
    # instance to restore it twice. The file holds production's data unmasked: delete it when you are done.
    class DatabaseBackupService < Base
      # Downloads the backup that a run would use, and unpacks it into `config.temp_dir`, with mode 0600. A configured
      # `backup_file` is used where it is.
      #
      # @param force_download [Boolean] whether an archive that `config.keep_backup` has kept is passed over, as with the
      #   variable FORCE_BACKUP_DOWNLOAD
      # @return [String] the archive's path, for {DatabaseRestoreService#restore!}
      # @raise [Integrations::ScalingoApiClient::BackupError] or one of its subclasses
      # @raise [Support::EnvironmentValidator::ProductionEnvironmentError] when this may be production
      # @raise [ConfigurationError] when the source app or the API token is not set, the backup is behind a link, or a dry run is asked for
      def download_and_extract!(force_download: false)
        refuse_dry_run!("would write production's data to disk")
        Support::Variables.new.check!
        refuse_production!
        config.check!
        return Guard::BackupFile.refuse_url(settings.backup_file) if settings.backup_file

        refuse_link!
        directory = settings.in_app(config.temp_dir)
        FileUtils.mkdir_p(directory)
        client = Integrations::ScalingoApiClient.new(config:, native:)
        reporter.with_progress { client.download_backup(directory, force_download:, &reporter) }
      end

      private

      def refuse_link!
        return unless config.backup_url

        raise ConfigurationError.new("The backup is behind a link (config.backup_url), which this does not fetch to a file.",
                                     "Download it with curl, or have Services::Coordinator read it. Nothing was touched.")
      end
    end
  end
end

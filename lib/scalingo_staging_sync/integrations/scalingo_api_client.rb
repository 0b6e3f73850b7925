# frozen_string_literal: true

module ScalingoStagingSync
  module Integrations
    # Scalingo's API, as far as the gem needs it: finding an app's newest backup and downloading it. The talking
    # is done by the native part; this class hands it the settings and holds the classes of its errors.
    class ScalingoApiClient
      # Scalingo's API refused or failed.
      #
      # @note Read what Scalingo answered; the message quotes it.
      class BackupError < Error; end

      # The app has no PostgreSQL addon, or several and `config.scalingo_addon_id` does not pick one.
      #
      # @note Check the source app's name; with several databases, set `config.scalingo_addon_id`.
      class AddonNotFoundError < BackupError; end

      # The addon has no finished backup.
      #
      # @note Let Scalingo make a backup, or set `config.backup_max_age`.
      class BackupNotFoundError < BackupError; end

      # The archive did not arrive.
      #
      # @note Run it again.
      class DownloadError < BackupError; end

      # Scalingo does not know the API token.
      #
      # @note Make a new API token, and set `SCALINGO_API_TOKEN`.
      class AuthenticationError < BackupError; end

      include Support::Discreet

      # @param config [Configuration] which app, region, addon and token
      # @param native [Module, nil] what does the work; nil: the native library
      def initialize(config: ScalingoStagingSync.configuration, native: nil)
        @config = config
        @native = native
      end

      # Downloads the backup that a run would use, and unpacks it. The file holds production's data unmasked,
      # with mode 0600: delete it when it has served.
      #
      # @param directory [String, Pathname] an existing directory
      # @param force_download [Boolean] whether an archive that `config.keep_backup` has kept is passed over
      # @yieldparam event [Hash{Symbol => Object}] progress, as Terminal::ProgressReporter takes it
      # @return [String] the path of the archive, in pg_dump's custom format
      # @raise [BackupError] or one of its subclasses
      # @raise [ConfigurationError] when the source app or the API token is not set
      def download_backup(directory, force_download: false, &)
        settings = EngineSettings.new(@config).scalingo(force_download:)
        (@native || Native).fetch(Secret.reveal(settings), File.expand_path(directory.to_s), &)
      end
    end
  end
end

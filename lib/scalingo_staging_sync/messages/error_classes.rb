# frozen_string_literal: true

module ScalingoStagingSync
  module Messages
    # Which class each kind of failure of the engine becomes.
    module ErrorClasses
      # Names under `ScalingoStagingSync`, by the engine's kinds.
      NAMES = {
        "configuration" => "ConfigurationError",
        "production" => "Support::EnvironmentValidator::ProductionEnvironmentError",
        "plan" => "PlanError",
        "personal_data" => "PersonalDataError",
        "api" => "Integrations::ScalingoApiClient::BackupError",
        "authentication" => "Integrations::ScalingoApiClient::AuthenticationError",
        "addon_not_found" => "Integrations::ScalingoApiClient::AddonNotFoundError",
        "backup_not_found" => "Integrations::ScalingoApiClient::BackupNotFoundError",
        "download" => "Integrations::ScalingoApiClient::DownloadError",
        "archive" => "ArchiveError",
        "unsupported_archive" => "UnsupportedArchiveError",
        "target_connection" => "TargetConnectionError",
        "privilege" => "PrivilegeError",
        "target_busy" => "TargetBusyError",
        "lock_timeout" => "LockTimeoutError",
        "restore" => "RestoreError",
        "verification" => "VerificationError",
        "internal" => "InternalError",
        # Never raised: an interrupted call raises the interrupt itself.
        "interrupted" => "Error"
      }.freeze

      # What the history calls the ends of runs that no error of the gem's ended.
      ENDS = { "interrupted" => "Interrupt", "killed" => "Killed" }.freeze
      private_constant :ENDS

      module_function

      # @param kind [String] a kind of the engine's
      # @return [Class] the class of its error
      # @raise [KeyError] when there is no such kind
      def of(kind) = ScalingoStagingSync.const_get(NAMES.fetch(kind))

      # @param noted [String, nil] what the history has for an error: the engine's kind, or the name of a class, which
      #   Ruby notes, and the engine of an older version
      # @return [String, nil] the name of its class
      def noted(noted) = ENDS[noted] || NAMES.fetch(noted, noted)
    end
  end
end

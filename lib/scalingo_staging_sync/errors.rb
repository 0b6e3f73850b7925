# frozen_string_literal: true

# The exception classes. Which of them a failure of the engine becomes, Messages::ErrorClasses says.
# Those of Scalingo's API stand in Integrations::ScalingoApiClient, that of the production guard in
# Support::EnvironmentValidator.
module ScalingoStagingSync
  # Every failure of the gem: one sentence of what happened and one of what to do about it, and what it is about, as far
  # as that is known and is one thing. None of it holds a secret or a value of a row.
  class Error < StandardError
    # @return [String] what happened
    attr_reader :what

    # @return [String] what to do about it; empty where nothing is known
    attr_reader :remedy

    # @return [String, nil] the table that it is about, such as `public.users`
    attr_reader :table

    # @return [String, nil] the column of that table
    attr_reader :column

    # @return [Integer, nil] how many rows it is about
    attr_reader :rows

    # @return [String, nil] PostgreSQL's code for it, such as `42501`
    attr_reader :sqlstate

    # @param what [String] what happened, a sentence
    # @param remedy [String] what to do about it, a sentence
    # @param table [String, nil] the table that it is about
    # @param column [String, nil] the column of that table
    # @param rows [Integer, nil] how many rows it is about
    # @param sqlstate [String, nil] PostgreSQL's code for it
    def initialize(what = "The run failed.", remedy = "", table: nil, column: nil, rows: nil, sqlstate: nil)
      @what = Support::Echo.clean(what)
      @remedy = remedy
      @table = table
      @column = column
      @rows = rows
      @sqlstate = sqlstate
      super(self.class.joined(@what, @remedy))
    end

    # @param what [String] what happened; one that ends with a list ends with its line
    # @param remedy [String] what to do about it
    # @return [String] both
    def self.joined(what, remedy)
      [what, remedy].reject(&:empty?).join(what.end_with?("\n") ? "" : " ")
    end
  end

  # A setting is missing, contradicts another, or needs something that is not there. The target is untouched.
  class ConfigurationError < Error; end

  # The operator did not confirm the run. The target is untouched.
  class ConfirmationError < Error; end

  # A rule does not fit the backup's tables and columns. The target is untouched.
  class PlanError < Error; end

  # Columns look personal, no rule covers them, and `config.pii_policy` does not let them pass. What the names
  # show ends the run with the target untouched; what only values show leaves the tables of those columns empty.
  class PersonalDataError < Error; end

  # The archive is not one, or is damaged.
  class ArchiveError < Error; end

  # The archive is sound, but of a format or version that is not read.
  class UnsupportedArchiveError < ArchiveError; end

  # The target database cannot be reached, or does not let us in, or the connection to it broke.
  class TargetConnectionError < Error; end

  # The target's role lacks a right that the run needs.
  class PrivilegeError < Error; end

  # Another run, or sessions that may not be ended, use the target.
  class TargetBusyError < Error; end

  # A lock could not be taken within `config.lock_timeout`, or because of a deadlock, even after retries.
  class LockTimeoutError < Error; end

  # PostgreSQL refused part of the restore.
  class RestoreError < Error; end

  # The Active Storage service that masked archives are published to does not answer, or the server that they are pulled from.
  class StoreError < Error; end

  # A masked value, or a count, is not what it has to be.
  class VerificationError < Error; end

  # The data is there and masked, but one of the app's pending migrations failed on it.
  class MigrationError < Error; end

  # The data is there and masked, but the file `config.seeds_file_path` failed.
  class SeedsError < Error; end

  # The native library is missing or does not fit this Ruby. The target is untouched.
  class NativeLibraryError < Error; end

  # A defect of the gem's own.
  class InternalError < Error; end
end

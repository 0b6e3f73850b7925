# frozen_string_literal: true

# The exception classes. Which of them a failure of the engine becomes, Messages::ErrorClasses says.
# Those of Scalingo's API stand in Integrations::ScalingoApiClient, that of the production guard in
# Support::EnvironmentValidator. The table in docs/errors.md is made from what is written above each of them here: what it
# means, and in the note what to do.
module ScalingoStagingSync
  # The parent of every failure of the gem. It holds one sentence on what happened and one on what to do about it, and
  # what it is about, where that is known and is one thing; never a secret or a value of a row.
  #
  # @note `rescue` it to catch every class below.
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

  # A setting is missing, contradicts another, or needs something that is not there. Nothing was touched, unless it is
  # about the audit file.
  #
  # @note Correct the setting that it names.
  class ConfigurationError < Error; end

  # The question before the run was not answered, or there is no terminal to ask it in. Nothing was touched.
  #
  # @note Type the name that it asks for, run it where there is a terminal, or set `RAILS_ENV`.
  class ConfirmationError < Error; end

  # A rule or `exclude_tables` names what the backup does not hold, or the server refuses a rule's SQL. Nothing was
  # touched, unless the message begins with "In the rows of": a mask has no pseudonym that a CHECK takes, and the target is
  # incomplete.
  #
  # @note Correct the rule that it names, or give the column another mask.
  class PlanError < Error; end

  # Columns look personal, no rule covers them, and `config.pii_policy` does not let them pass. What the names
  # show ends the run with nothing touched; what only values show leaves the tables of those columns empty, and the target
  # incomplete.
  #
  # @note Paste the rules that it lists, or name the columns in `config.pii_ignore`.
  class PersonalDataError < Error; end

  # The file is damaged, or is not an archive.
  #
  # @note Fetch it again, or take another backup.
  class ArchiveError < Error; end

  # The archive is sound, but of a format or version that is not read.
  #
  # @note Use `pg_dump -Fc`, or a newer version of this gem.
  class UnsupportedArchiveError < ArchiveError; end

  # The target database cannot be reached, or does not let us in, or the connection to it broke.
  #
  # @note Check `DATABASE_URL`, and that the database is up.
  class TargetConnectionError < Error; end

  # The target's role lacks a right that the run needs.
  #
  # @note Grant the right that it names to the target's role.
  class PrivilegeError < Error; end

  # Another run, or sessions that may not be ended, use the target.
  #
  # @note Wait for the other run, or end the sessions that it names.
  class TargetBusyError < Error; end

  # A lock could not be taken within `config.lock_timeout`, or because of a deadlock, even after retries.
  #
  # @note End the session that it names, or raise `config.lock_timeout`.
  class LockTimeoutError < Error; end

  # PostgreSQL refused part of the restore.
  #
  # @note Remove the cause that it names, and run it again.
  class RestoreError < Error; end

  # The Active Storage service that masked archives are published to does not answer; what was published before is still
  # there. Or the server that they are pulled from does not answer, or refuses; nothing was touched.
  #
  # @note Check the service's entry in `config/storage.yml`, or do what the message says of the server, and run it again.
  class StoreError < Error; end

  # A masked value or a count is not what it should be, or an original survived in another column. Of an audit file: it was
  # changed, or written under another key.
  #
  # @note Correct the expression that it names, or add the entries that it lists. If it names none, do not use the staging
  #   data, and report it.
  class VerificationError < Error; end

  # The data is there and masked, but one of the app's pending migrations failed on it. The target counts as incomplete.
  #
  # @note Correct the migration that it names, and run it again.
  class MigrationError < Error; end

  # The data is there and masked, but the file `config.seeds_file_path` failed. The target counts as incomplete.
  #
  # @note Correct the seeds, and run it again.
  class SeedsError < Error; end

  # The native library is missing or does not fit this Ruby. Nothing was touched.
  #
  # @note Install the gem for this Ruby and platform, or compile it.
  class NativeLibraryError < Error; end

  # A defect of the gem's own.
  #
  # @note Please report it, with the message and without data.
  class InternalError < Error; end
end

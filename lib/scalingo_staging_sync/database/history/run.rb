# frozen_string_literal: true

module ScalingoStagingSync
  module Database
    class History
      # A run as the history has it. `changed` says whether it began to replace the data; it is nil where that was not asked,
      # or was not noted. `left_out` counts the objects that the target refused.
      Run = Data.define(:run_id, :mode, :status, :started_at, :finished_at, :source, :backup_id, :backup_created_at, :tables, :rows,
                        :masked_values, :findings, :seconds, :gem_version, :rules_fingerprint, :error_class, :changed, :left_out) do
        # @param row [Hash{String => Object}] a row of the history's table
        # @return [Run] the run
        def self.of(row)
          new(**members.to_h { |name| [name, row[name.to_s]] }, error_class: Messages::ErrorClasses.noted(row["error_class"]))
        end

        # @return [Boolean] whether it masked what the database held, and read no backup
        def in_place? = mode == "anonymize"

        # @return [Boolean] whether it loaded a masked archive
        def pulled? = mode == "pull"

        # @param now [Time] now
        # @return [Float] seconds since its backup was made; where that is not known, since it began
        def age(now = Time.now)
          now - (backup_created_at ? Time.new(backup_created_at) : started_at)
        rescue ArgumentError
          now - started_at
        end

        # @return [Boolean] whether its backup was a file, of which only the name is known
        def from_file? = source.to_s.start_with?("the file ")
      end
    end
  end
end

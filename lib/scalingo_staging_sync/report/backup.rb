# frozen_string_literal: true

module ScalingoStagingSync
  class Report
    # The backup that was read: which, how large, from where, and what made it. `file` says that it lay on this machine.
    Backup = Data.define(:id, :created_at, :size, :origin, :sha256, :database, :server_version, :dump_version, :file) do
      extend FromHash
    end
  end
end

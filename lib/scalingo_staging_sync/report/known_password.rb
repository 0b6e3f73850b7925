# frozen_string_literal: true

module ScalingoStagingSync
  class Report
    # Accounts whose password is known: how many, and the column that has its hash.
    KnownPassword = Data.define(:table, :column, :accounts) do
      extend FromHash
    end
  end
end

# frozen_string_literal: true

module ScalingoStagingSync
  module Preview
    # A rule of a table that is in SQL: what it is called, and its statement.
    SqlRule = Data.define(:rule, :sql) do
      extend Report::FromHash
    end
  end
end

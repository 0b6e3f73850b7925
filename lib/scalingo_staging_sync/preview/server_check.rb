# frozen_string_literal: true

module ScalingoStagingSync
  module Preview
    # What PostgreSQL answered to the SQL of rules: statements it accepts, refuses, and why it could not be asked about others.
    ServerCheck = Data.define(:accepted, :refused, :unanswered) do
      extend Report::FromHash
    end
  end
end

# frozen_string_literal: true

module ScalingoStagingSync
  class Report
    # Personal data outside columns, such as large objects; `note` says it in a sentence.
    Channel = Data.define(:channel, :name, :kind, :count, :outcome, :note) do
      extend FromHash
    end
  end
end

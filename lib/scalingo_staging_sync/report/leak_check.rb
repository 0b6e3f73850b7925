# frozen_string_literal: true

module ScalingoStagingSync
  class Report
    # What the search for originals in other columns looked at.
    LeakCheck = Data.define(:originals, :candidates, :hashes, :possible, :possible_by_chance, :exact, :error_rate) do
      extend FromHash
    end
  end
end

# frozen_string_literal: true

module ScalingoStagingSync
  module Preview
    # Why a run would fail: the error's class, what is wrong, and what to do about it.
    Problem = Data.define(:error, :what, :remedy) do
      extend Report::FromHash
    end
  end
end

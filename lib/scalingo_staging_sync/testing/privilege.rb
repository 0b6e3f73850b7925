# frozen_string_literal: true

module ScalingoStagingSync
  module Testing
    # Something that a run does, whether the role may do it, whether a run goes on without it, and how to grant it.
    Privilege = Data.define(:name, :granted, :optional, :remedy) do
      extend Report::FromHash
    end
  end
end

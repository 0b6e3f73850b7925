# frozen_string_literal: true

module ScalingoStagingSync
  # What a dry run finds out, as data made of the engine's Hash.
  module Preview; end
end

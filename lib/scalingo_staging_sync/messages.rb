# frozen_string_literal: true

module ScalingoStagingSync
  # What the engine returns as data, in words: its errors, and what it suggests for the configuration as Ruby.
  module Messages; end
end

# frozen_string_literal: true

module ScalingoStagingSync
  # The documented doors. Each checks, calls the engine, and says what it did.
  module Services; end
end

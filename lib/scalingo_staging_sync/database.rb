# frozen_string_literal: true

module ScalingoStagingSync
  # The target database, without looping over its rows: its URL, its state and history, what Rails keeps in it.
  # With it stand the two documented names that apps use, {AnonymizationStrategies} and {PiiScanner}.
  module Database; end
end

# frozen_string_literal: true

module ScalingoStagingSync
  # The gem's version. The native part has the same one.
  VERSION = "0.2.0"
end

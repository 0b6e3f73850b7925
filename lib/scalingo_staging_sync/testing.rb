# frozen_string_literal: true

module ScalingoStagingSync
  # Looking at an installation before its first run.
  module Testing; end
end

# frozen_string_literal: true

module ScalingoStagingSync
  module Support
    # The name under which deprecations of 0.1 have apps call the guard.
    ProductionGuard = Guard::Production
  end
end

# frozen_string_literal: true

module ScalingoStagingSync
  # What every part of the gem uses: what may be shown of a value, numbers as people read them, variables that say yes or no.
  # With it stands the documented name of the guard's error, {EnvironmentValidator}.
  module Support; end
end

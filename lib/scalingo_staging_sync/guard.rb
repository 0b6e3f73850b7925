# frozen_string_literal: true

module ScalingoStagingSync
  # What can refuse a run before anything is touched: because this may be production, because the environment is not allowed, or
  # because a setting is wrong or contradicts another.
  module Guard; end
end

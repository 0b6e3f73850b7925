# frozen_string_literal: true

module ScalingoStagingSync
  # What an app's cron.json schedules on Scalingo.
  module Cron; end
end

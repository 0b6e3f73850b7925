# frozen_string_literal: true

module ScalingoStagingSync
  # What the gem talks to besides the database.
  module Integrations; end
end

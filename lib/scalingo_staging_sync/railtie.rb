# frozen_string_literal: true

require "rails/railtie"

module ScalingoStagingSync
  # Gives a Rails app the gem's rake tasks. Rails finds the generator by itself.
  class Railtie < Rails::Railtie
    rake_tasks { load File.expand_path("../tasks/scalingo_staging_sync.rake", __dir__) }
  end
end

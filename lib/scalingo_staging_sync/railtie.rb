# frozen_string_literal: true

require "rails/railtie"

module ScalingoStagingSync
  # Gives a Rails app the gem's rake tasks, and its deprecations the app's own settings. Rails finds the generator by itself.
  class Railtie < Rails::Railtie
    initializer "scalingo_staging_sync.deprecator", before: :load_environment_config do |app|
      app.deprecators[:scalingo_staging_sync] = ScalingoStagingSync.deprecator
    end

    rake_tasks { load File.expand_path("../tasks/scalingo_staging_sync.rake", __dir__) }
  end
end

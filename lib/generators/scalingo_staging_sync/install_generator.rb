# frozen_string_literal: true

require "rails/generators/base"
require "scalingo_staging_sync"

module ScalingoStagingSync
  # What `rails generate` offers.
  module Generators
    # `rails generate scalingo_staging_sync:install`: writes the initializer, with every option explained, and
    # prints what comes next.
    class InstallGenerator < Rails::Generators::Base
      source_root File.expand_path("templates", __dir__)
      desc "Writes config/initializers/scalingo_staging_sync.rb, with every option explained."

      # Writes the initializer.
      #
      # @return [void]
      def create_initializer
        template "initializer.rb.tt", "config/initializers/scalingo_staging_sync.rb"
      end

      # Prints what comes next.
      #
      # @return [void]
      def print_next_steps
        say <<~TEXT

          Next:
            1. In config/initializers/scalingo_staging_sync.rb, name the production app and the tables to mask.
            2. Give the staging app a token for Scalingo's API, made in its dashboard:
                 scalingo --app my-app-staging env-set SCALINGO_API_TOKEN=tk-us-...
            3. Make sure that the staging app does not take itself for production:
                 scalingo --app my-app-staging env-set RAILS_ENV=staging
            4. Look at it, then run it, in the staging app:
                 bundle exec rake scalingo_staging_sync:check
                 bundle exec rake scalingo_staging_sync:run
        TEXT
      end

      private

      # The lines of one heading's options for the template: explained, and commented out.
      def explained(option)
        comment = wrap(option.doc)
        default = wrap("Default: #{option.shown}")
        assignment = "config.#{option.name} = #{option.example}"
        active = %i[clone_source_scalingo_app_name anonymization_tables].include?(option.name)
        [*comment, *default].map { |line| "  # #{line}" } << "  #{"# " unless active}#{assignment}"
      end

      def wrap(text)
        text.gsub(/(.{1,100})(?:\s+|\z)/, "\\1\n").lines(chomp: true)
      end
    end
  end
end

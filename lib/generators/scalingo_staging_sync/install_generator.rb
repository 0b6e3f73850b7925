# frozen_string_literal: true

require "rails/generators/base"
require "stringio"
require "scalingo_staging_sync"

module ScalingoStagingSync
  # What `rails generate` offers.
  module Generators
    # `rails generate scalingo_staging_sync:install`: writes the initializer, with every option explained, and
    # prints what comes next.
    class InstallGenerator < Rails::Generators::Base
      INITIALIZER = "config/initializers/scalingo_staging_sync.rb"
      private_constant :INITIALIZER

      source_root File.expand_path("templates", __dir__)
      desc "Writes config/initializers/scalingo_staging_sync.rb, with every option explained."

      class_option :detect, type: :boolean, default: false,
                            desc: "Look for personal data in the newest backup, or in DATABASE_URL, and write rules for it"

      # Whether a shell sees that the generator failed; Thor asks.
      #
      # @return [Boolean] always true
      def self.exit_on_failure? = true

      # Writes the initializer. What is to be detected is found first, so that nothing is written when that fails.
      #
      # @return [void]
      def create_initializer
        @detected = detected
        template "initializer.rb.tt", INITIALIZER
      end

      # Prints what comes next.
      #
      # @return [void]
      def print_next_steps
        say <<~TEXT

          Next:
            1. In config/initializers/scalingo_staging_sync.rb, name the production app. What looks personal is masked
               by itself (config.pii_policy = :mask); `rake scalingo_staging_sync:suggest` prints rules for it.
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
        active = %i[clone_source_scalingo_app_name pii_policy].include?(option.name)
        lines = [*comment, *default].map { |line| "  # #{line}" } << "  #{"# " unless active}#{assignment}"
        option.name == :anonymization_tables ? lines + @detected : lines
      end

      # The rules for what looks personal, where they are asked for.
      def detected
        return [] unless options[:detect]

        rules = Services::PersonalDataScan.new(config: without_rules, output: StringIO.new).suggest
        return ["", "  # Nothing that looks personal was found."] unless rules

        ["", *rules.lines(chomp: true).map { |line| "  #{line}".rstrip }]
      rescue ScalingoStagingSync::Error => error
        raise Thor::Error, "#{error.class}: #{error.message}"
      end

      # The configuration as it is; where the file that has its rules is about to be replaced, what it says of the source.
      def without_rules
        current = ScalingoStagingSync.configuration
        return current unless File.exist?(File.join(destination_root, INITIALIZER))

        Configuration.new.tap do |config|
          Configuration.groups.fetch("Source").each do |option|
            config.public_send(:"#{option.name}=", current.public_send(option.name)) if current.set?(option.name)
          end
        end
      end

      def wrap(text)
        text.gsub(/(.{1,100})(?:\s+|\z)/, "\\1\n").lines(chomp: true)
      end
    end
  end
end

# frozen_string_literal: true

module ScalingoStagingSync
  module Terminal
    # What to set where, so that one app hands out masked archives and another pulls them: what the generator prints with
    # --server and --client.
    module SharingText
      # The variables that a client needs, with what stands for each where it is not known.
      VARIABLES = {
        "STAGING_SYNC_URL" => "https://my-app-staging.example.com/staging_sync",
        "STAGING_SYNC_TOKEN" => "what the task token prints in the staging app",
        "STAGING_SYNC_SEAL_KEY" => "what it prints with the token"
      }.freeze

      module_function

      # @param production [Boolean] whether this is production, by the guard
      # @return [String] what the app that hands archives out needs
      def server(production: false)
        <<~TEXT
          This app #{"is production, and " if production}hands out masked archives with this:

            1. In config/routes.rb:
                 mount ScalingoStagingSync::Server.new => "/staging_sync" if defined?(ScalingoStagingSync::Server)
            2. In config/initializers/scalingo_staging_sync.rb:
          #{settings(production).map { |line| "       #{line}\n" }.join.chomp}
            3. HTTPS only, in config/environments: config.force_ssl = true
            4. A token for each person or machine, after deploying:
                 bundle exec rake "scalingo_staging_sync:token[ada]"
               It prints what to set on the other side.
        TEXT
      end

      # @return [String] what the app that pulls needs
      def client
        <<~TEXT
          This app pulls masked archives with these variables, from a .env file or however it gets its environment:

          #{VARIABLES.map { |name, meaning| "     #{name}=#{meaning}\n" }.join.chomp}

            Then:
                 bundle exec rake scalingo_staging_sync:pull
            Where archives are published to an Active Storage service that this app can reach, the last variable is enough, with
            config.publish_service in config/initializers/scalingo_staging_sync.rb.
        TEXT
      end

      def settings(production)
        return ["config.server_enabled = true", "config.server_in_production = true", 'config.publish_service = "amazon"'] if production

        ["config.server_enabled = true", 'config.publish_service = "amazon" # as config/storage.yml names it; `publish` fills it',
         "# or, where the server reads the disk that `dump` writes to (not on Scalingo):", '# config.archive_file = "tmp/staging.dump"']
      end
      private_class_method :settings
    end
  end
end

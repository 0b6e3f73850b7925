# frozen_string_literal: true

module ScalingoStagingSync
  module Guard
    # Why the configured target cannot be used, as far as that is known without connecting to it.
    module TargetProblem
      # What stands before the rest of a URL, and is no PostgreSQL's.
      SCHEME = %r{\A\s*(?!(?:postgres|postgresql|postgis)://)(?:([a-z][a-z0-9+.-]*)://|(sqlite3?):)}i

      # Adapters that PostgreSQL is reached by.
      ADAPTERS = /\Apost(gres|gis)/
      private_constant :SCHEME, :ADAPTERS

      module_function

      # @return [Array(String, String), nil] what is wrong and what to do, each a sentence; nil if nothing is
      def find
        name = Support::Variables.target_from
        of_url(name, ENV.fetch(name, "")) || of_adapter || (missing unless EngineSettings.target_url)
      end

      # @param name [String] what names the URL
      # @param url [String] it
      # @return [Array(String, String), nil] what is wrong where it is another database's
      def of_url(name, url)
        scheme = url.scrub.match(SCHEME)&.captures&.compact&.first
        return unless scheme

        ["#{name} has the scheme #{scheme}, and staging is filled in PostgreSQL only.",
         "Set #{name} to the URL of the staging app's PostgreSQL database."]
      end

      # @return [Array(String, String), nil] what is wrong where ActiveRecord cannot load its adapter, or read its URL
      def of_adapter
        where = ENV["DATABASE_URL"].to_s.empty? ? "config/database.yml" : "DATABASE_URL"
        adapter = Database::RailsState.missing_adapter
        return unless adapter

        unless adapter.match?(ADAPTERS)
          return ["#{where} names the adapter #{adapter}, and staging is filled in PostgreSQL only.", "Name a PostgreSQL database in #{where}."]
        end

        ["ActiveRecord is configured for the adapter #{adapter}, which cannot be loaded.",
         "Add its gem to the Gemfile (activerecord-postgis-adapter for postgis, pg for postgresql), or name another adapter in #{where}."]
      rescue URI::InvalidURIError # its message has the URL
        ["ActiveRecord cannot read the URL of #{where}.",
         "Percent-encode spaces and characters such as / @ : # and ? in the user's name and password."]
      end

      # Migrations, seeds and the run's history go by way of ActiveRecord.
      #
      # @return [Array(String, String), nil] what is wrong where ActiveRecord's primary database is another than the target
      def of_two
        target = EngineSettings.target_database
        rails = EngineSettings.rails_database
        return if target.nil? || rails.nil? || target.same_database?(rails)

        ["#{Support::Variables.target_from} names the database #{target.place}, and ActiveRecord's primary database is #{rails.place}.",
         "Let both name the same staging database, by DATABASE_URL or in config/database.yml: migrations and seeds run by way " \
         "of ActiveRecord."]
      end

      # Asks the database by way of ActiveRecord.
      #
      # @param what [String] which, the beginning of a sentence, such as "The target database"
      # @return [Object] what the block returns
      # @raise [ConfigurationError] when none is configured that could be asked
      # @raise [PrivilegeError] when the role may not read the gem's own schema
      # @raise [TargetConnectionError] when it does not answer
      def asking(what)
        yield
      rescue ActiveRecord::ActiveRecordError, LoadError => error
        wrong = find
        raise ConfigurationError.new(*wrong) if wrong
        raise Database::OwnSchema.new.not_permitted("read") if Database::OwnSchema.not_permitted?(error)

        raise TargetConnectionError.new("#{what} could not be asked (#{error.class}).",
                                        "Check #{Support::Variables.target_from} and that the database is up.")
      end

      # @return [Array(String, String)] that no target is configured
      def missing
        ["No PostgreSQL database is configured as the target.",
         "Set DATABASE_URL, or give this environment a database in config/database.yml."]
      end
    end
  end
end

# frozen_string_literal: true

module ScalingoStagingSync
  module Guard
    # The guard against production. It runs before anything else, and collects everything that speaks against the
    # run before it refuses.
    class Production
      include Support::Discreet

      # One thing that speaks against the run; `unread` where it is only that a URL is of no use.
      Failure = Data.define(:what, :remedy, :unread) do
        def initialize(what:, remedy:, unread: false) = super
      end
      private_constant :Failure

      # What Scalingo appends to an app's name for its review apps. A pattern that is anchored at its end would not
      # see that a production app's review app is one.
      REVIEW_APP = /-pr-?\d+\z/i
      private_constant :REVIEW_APP

      # Rails reads RAILS_ENV literally; here every spelling counts.
      PRODUCTION = /\A\s*prod(?:uction)?\s*\z/i
      private_constant :PRODUCTION

      URL_VARIABLES = %w[DATABASE_URL SCALINGO_POSTGRESQL_URL].freeze
      private_constant :URL_VARIABLES

      # @param config [Configuration] the patterns and the source app
      # @param environment [#fetch, #[]] the environment variables
      # @param rails_env [String, nil] Rails' environment; nil if there is no Rails
      def initialize(config: ScalingoStagingSync.configuration, environment: ENV, rails_env: self.class.rails_env)
        @config = config
        @environment = environment
        @rails_env = rails_env
      end

      # @return [String, nil] Rails' environment; nil if there is no Rails
      def self.rails_env
        defined?(Rails.env) ? Rails.env.to_s.strip : nil
      end

      # @return [void]
      # @raise [Support::EnvironmentValidator::ProductionEnvironmentError] naming every reason, and what to do about each
      # @raise [Support::EnvironmentValidator::TargetUrlError] when the only reason is a URL that is not one of PostgreSQL
      def validate!
        failures = [rails_failure, app_failure, same_app_failure, *url_failures].compact
        return if failures.empty?

        refusal = failures.all?(&:unread) ? Support::EnvironmentValidator::TargetUrlError : Support::EnvironmentValidator::ProductionEnvironmentError
        raise refusal.new(failures.map(&:what), failures.map(&:remedy).uniq.join(" "))
      end

      private

      def rails_failure
        return unless @rails_env.to_s.match?(PRODUCTION)

        Failure.new(
          "Rails.env is #{@rails_env.strip}.",
          "Set RAILS_ENV=staging for the staging app (`scalingo --app my-app-staging env-set RAILS_ENV=staging`); " \
          "Scalingo's Ruby buildpack sets production unless the app says otherwise."
        )
      end

      def app_failure
        app = @environment["APP"].to_s.scrub("?")
        return unless [app, app.sub(REVIEW_APP, "")].any? { |name| matches?(@config.production_app_name_patterns, name) }

        Failure.new(
          "The app's name, APP=#{Support::Echo.of(app)}, matches config.production_app_name_patterns.",
          "Run it in the staging app, or narrow config.production_app_name_patterns if the name only looks like it."
        )
      end

      def same_app_failure
        app = @environment["APP"].to_s.scrub("?").strip
        return if app.empty? || !app.casecmp?(@config.clone_source_scalingo_app_name.strip)

        Failure.new(
          "The source app and the target app are the same, #{Support::Echo.of(app)}.",
          "Set config.clone_source_scalingo_app_name to the production app and run the task in the staging app."
        )
      end

      def url_failures
        urls = URL_VARIABLES.to_h { |name| [name, @environment[name].to_s] }
        urls.reject! { |_, url| url.scrub.strip.empty? }
        # Where no variable names the target, it is the one of config/database.yml.
        urls["config/database.yml"] = EngineSettings.active_record_url if urls.empty?
        urls["config.workspace_url"] = @config.workspace_url
        urls.compact.filter_map { |name, url| url_failure(name, url) }
      end

      def url_failure(name, url)
        parsed = Database::Url.parse(url)
        return unread(name, url) unless parsed

        host = parsed.hosts.find { |candidate| matches?(@config.production_hostname_patterns, candidate) }
        return unless host

        Failure.new(
          "The database host of #{name}, #{host}, matches config.production_hostname_patterns.",
          "Point #{name} at the staging database, or narrow config.production_hostname_patterns if the host only " \
          "looks like production's."
        )
      end

      # Of such a URL nothing is said but its scheme: what stands where cannot be known.
      def unread(name, url)
        what, remedy = TargetProblem.of_url(name, url)
        return Failure.new(what:, remedy:, unread: true) if what

        Failure.new(
          what: "#{name} cannot be read as a PostgreSQL URL, so its host cannot be checked.", unread: true,
          remedy: "Give #{name} the form postgres://user:password@host:port/database, with special characters percent-encoded."
        )
      end

      def matches?(patterns, text)
        patterns.any? { |pattern| pattern.match?(text) }
      end
    end
  end
end

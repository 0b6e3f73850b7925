# frozen_string_literal: true

module ScalingoStagingSync
  module Guard
    # Whether Rails' environment may be filled, as `config.allowed_environments` says, and whether a person has to be asked
    # first. Production is the guard's business, {Production}; this is about the rest.
    class AllowedEnvironments
      # A run that means staging is in one of these where RAILS_ENV is not set, and their databases are people's own.
      LOCAL = %w[development test].freeze

      # @param config [Configuration] the list
      # @param rails_env [String, nil] Rails' environment; nil if there is no Rails
      def initialize(config: ScalingoStagingSync.configuration, rails_env: Production.rails_env)
        @list = config.allowed_environments
        @rails_env = rails_env
      end

      # @return [void]
      # @raise [ConfigurationError] when a list is configured and this environment is not in it
      def check!
        what, remedy = problem
        raise ConfigurationError.new(what, "#{remedy} Nothing was touched.") if what
      end

      # @return [Array(String, String), nil] why this environment is refused, and what to do; nil if it is not
      def problem
        return if @list.nil? || @list.include?(@rails_env)

        ["#{@rails_env ? "Rails.env is #{@rails_env}" : "There is no Rails, and so no environment"}, and " \
         "config.allowed_environments allows #{@list.empty? ? "none" : "only #{@list.join(", ")}"}.",
         "Set RAILS_ENV to the environment that is meant, or add this one to config.allowed_environments."]
      end

      # @return [Boolean] whether a run asks for the database's name first, since nothing says that this one is meant
      def ask?
        @list.nil? && LOCAL.include?(@rails_env.to_s.strip.downcase)
      end

      # @return [String] why a run asks
      def reason
        "Rails.env is #{@rails_env}, and config.allowed_environments is not set."
      end
    end
  end
end

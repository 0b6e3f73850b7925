# frozen_string_literal: true

module ScalingoStagingSync
  module Services
    # The rake tasks `token`, `tokens` and `revoke`: who may fetch masked archives from {Server}.
    class AccessTokens
      include Support::Discreet

      # What each scope opens, for the end of a sentence.
      OPENS = { "archive" => "the archive", "manifest" => "what is said of the archive, and not its rows" }.freeze
      private_constant :OPENS

      # @param config [Configuration] whether production may have tokens, and the key of the seals
      # @param output [IO] where it is printed
      # @param tokens [Database::Tokens] those there are
      # @param journal [Database::Journal] where it is noted
      def initialize(config: ScalingoStagingSync.configuration, output: $stdout, tokens: Database::Tokens.new, journal: Database::Journal.new)
        @config = config
        @output = output
        @tokens = tokens
        @journal = journal
      end

      # Makes a token and prints it, this once, with what else its holder has to set.
      #
      # @param name [String, nil] whom or what it is for
      # @param scope [String, nil] "archive" (the default) or "manifest"
      # @param days [String, nil] for how long it is valid; nil: 90
      # @return [void]
      # @raise [ConfigurationError] when one of the three is wrong, or the name is taken
      # @raise [Support::EnvironmentValidator::ProductionEnvironmentError] when this may be production, and
      #   `config.server_in_production` is false
      # @raise [PrivilegeError] when the role may not keep it
      def make(name, scope = nil, days = nil)
        noted("token", name) do
          seal_key = Audit::Seal.new(config: @config).key
          token = @tokens.make(name, scope:, days:)
          @output.puts(*words(@tokens.all.first, token, seal_key))
        end
      end

      # Prints the tokens that there are and were, without what they are.
      #
      # @return [void]
      # @raise [TargetConnectionError] when the database cannot be asked
      def list
        asked do
          all = @tokens.all
          return @output.puts("There is no token. `rake 'scalingo_staging_sync:token[name]'` makes one.") if all.empty?

          all.each { |token| @output.puts("#{token.name}  #{token.state}, #{token.scope}, until #{day(token.expires_at)}; #{used(token)}") }
        end
      end

      # Ends a token, at once.
      #
      # @param name [String, nil] whose
      # @return [void]
      # @raise [ConfigurationError] when no token has that name
      # @raise [PrivilegeError] when the role may not note it
      def revoke(name)
        noted("revoke", name) do
          @tokens.revoke(name)
          @output.puts("The token of #{name} is revoked.")
        end
      end

      private

      def noted(action, name)
        refuse_dry_run!
        Guard::Production.new(config: @config).validate! unless @config.server_in_production
        asked do
          @journal.noting(action, name) do
            @config.check!
            yield
          end
        end
      end

      def refuse_dry_run!
        return unless DryRun.asked?(config: @config)

        raise ConfigurationError.new("A dry run is asked for (config.dry_run or the variable DRY_RUN), which changes no token.",
                                     "Remove DRY_RUN and set config.dry_run = false. Nothing was touched.")
      end

      def asked(&) = Guard::TargetProblem.asking("The database, where the tokens are kept,", &)

      def words(made, token, seal_key)
        ["The token of #{made.name} opens #{OPENS.fetch(made.scope)}, until #{day(made.expires_at)}. It is shown this once:", "",
         "STAGING_SYNC_TOKEN=#{token.reveal}", "STAGING_SYNC_SEAL_KEY=#{seal_key}", "",
         "Set both where the archive is fetched. The second one, by which an archive's seal is checked, is the same for all."]
      end

      def used(token)
        return "never used" if token.uses.zero?

        times = (token.uses == 1) ? "once" : "#{Support::Figures.count(token.uses)} times"
        "used #{times}, last on #{token.last_used_at.utc.strftime("%Y-%m-%d %H:%M UTC")}"
      end

      def day(time) = time.utc.strftime("%Y-%m-%d")
    end
  end
end

# frozen_string_literal: true

require "active_support/security_utils"
require "openssl"
require "securerandom"

module ScalingoStagingSync
  module Database
    # The tokens with which masked archives are fetched from {Server}. The database has a token's SHA-256, name, scope and
    # expiry; the token itself is known to its holder alone.
    class Tokens
      # A token that was made. `uses` and `last_used_at` come from {Accesses}.
      Token = Data.define(:id, :name, :scope, :created_at, :expires_at, :revoked_at, :uses, :last_used_at) do
        # @return [Boolean] whether it opens this
        # @param wanted [String] one of {SCOPES}
        def opens?(wanted) = SCOPES.index(scope) >= SCOPES.index(wanted)

        # @param now [Time] when
        # @return [Symbol] :valid, :expired or :revoked
        def state(now = Time.now)
          return :revoked if revoked_at

          (expires_at > now) ? :valid : :expired
        end
      end

      # What a token may fetch, each with its prefix: the archive's manifest, and its rows.
      SCOPES = %w[manifest archive].freeze

      # Characters of a token, each of 62: more than 380 bits.
      LENGTH = 64

      # Days for which a token is valid, where nothing else is said, and at most.
      DAYS = 90
      MOST_DAYS = 3650

      NAME = /\A[[:alnum:]][\w.@+-]{0,59}\z/
      private_constant :NAME

      # @param schema [OwnSchema] where they are kept
      def initialize(schema: OwnSchema.new)
        @schema = schema
      end

      # @param name [String, nil] whom or what it is for
      # @param scope [String, nil] one of {SCOPES}; nil: the archive
      # @param days [String, Integer, nil] for how long it is valid
      # @return [Secret] the token, which is not known here from now on
      # @raise [ConfigurationError] when the name, the scope or the days are invalid, or a valid token has that name
      def make(name, scope: nil, days: nil)
        named!(name)
        scope = scope!(scope)
        days = days!(days)
        token = SecureRandom.alphanumeric(LENGTH)
        @schema.write("tokens") do
          retire_expired(name)
          @schema.ask(<<~SQL, name, self.class.digest(token), scope, days)
            INSERT INTO scalingo_staging_sync.tokens (name, digest, scope, expires_at)
            VALUES (?, ?, ?, clock_timestamp() + ? * interval '1 day')
          SQL
        end
        Secret.new(token)
      rescue ActiveRecord::RecordNotUnique
        raise ConfigurationError.new("There is a valid token named #{name} already.",
                                     "Revoke it first (`rake 'scalingo_staging_sync:revoke[#{name}]'`), or choose another name.")
      end

      # @param name [String, nil] a token's name
      # @return [void]
      # @raise [ConfigurationError] when there is no token of that name that is not revoked
      def revoke(name)
        named!(name, "revoke")
        revoked = @schema.there?("tokens") && @schema.write("tokens") { @schema.ask(<<~SQL, name) }
          UPDATE scalingo_staging_sync.tokens SET revoked_at = clock_timestamp() WHERE name = ? AND revoked_at IS NULL RETURNING id
        SQL
        return if revoked.present?

        raise ConfigurationError.new("There is no token named #{name} that could be revoked.",
                                     "`rake scalingo_staging_sync:tokens` lists those there are.")
      end

      # @return [Array<Token>] all of them, the newest first
      def all
        return [] unless @schema.there?("tokens")

        used = @schema.there?("accesses")
        counted = "(SELECT count(*), max(started_at) FROM scalingo_staging_sync.accesses a WHERE a.token_id = t.id)"
        @schema.ask("SELECT t.id, name, scope, created_at, expires_at, revoked_at, u.count AS uses, u.max AS last_used_at " \
                    "FROM scalingo_staging_sync.tokens t, LATERAL #{used ? counted : "(SELECT 0 AS count, NULL::timestamptz AS max)"} u " \
                    "ORDER BY t.id DESC").map { |row| Token.new(**row.transform_keys(&:to_sym)) }
      end

      # Every digest is compared, each in constant time, so that the time says nothing of how near a guess was.
      #
      # @param presented [String] what a client says is a token
      # @return [Token, nil] it, where it is valid
      def holder(presented)
        return unless @schema.there?("tokens")

        digest = self.class.digest(presented)
        rows = @schema.ask("SELECT id, name, scope, created_at, expires_at, revoked_at, digest FROM scalingo_staging_sync.tokens " \
                           "WHERE revoked_at IS NULL AND expires_at > clock_timestamp()")
        found = rows.select { |row| ActiveSupport::SecurityUtils.fixed_length_secure_compare(row["digest"], digest) }
        found.map { |row| Token.new(**row.except("digest").transform_keys(&:to_sym), uses: nil, last_used_at: nil) }.first
      end

      # @param token [String] a token
      # @return [String] its digest, which is what is stored: 64 hexadecimal digits
      def self.digest(token) = OpenSSL::Digest::SHA256.hexdigest(token)

      private

      def retire_expired(name)
        @schema.ask("UPDATE scalingo_staging_sync.tokens SET revoked_at = expires_at " \
                    "WHERE name = ? AND revoked_at IS NULL AND expires_at <= clock_timestamp()", name)
      end

      def named!(name, task = "token")
        return if name.to_s.match?(NAME) && !Support::Echo.secret?(name)

        raise ConfigurationError.new("A token needs a name of at most 60 letters, digits, and the characters . _ - + @.",
                                     "Name whom it is for: `rake 'scalingo_staging_sync:#{task}[ada]'`.")
      end

      def scope!(scope)
        scope = scope.to_s.strip.downcase
        return SCOPES.last if scope.empty?
        return scope if SCOPES.include?(scope)

        raise ConfigurationError.new("There is no scope #{Support::Echo.inspect(scope)}.", "A token's scope is #{SCOPES.join(" or ")}.")
      end

      def days!(days)
        return DAYS if days.to_s.strip.empty?

        number = days.to_s[/\A\s*(\d{1,5})\s*\z/, 1].to_i
        return number if number.between?(1, MOST_DAYS)

        raise ConfigurationError.new("A token is valid for a whole number of days from 1 to #{MOST_DAYS}; #{Support::Echo.inspect(days)} is none.",
                                     "Leave the number out for #{DAYS} days.")
      end
    end
  end
end

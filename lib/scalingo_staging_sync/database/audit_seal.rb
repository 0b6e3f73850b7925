# frozen_string_literal: true

require "active_support/security_utils"
require "json"
require "openssl"

module ScalingoStagingSync
  module Database
    # The HMAC over an audit file's JSON, under a key derived from the anonymization key: whoever has the app's key can
    # tell that the file was written by a run of this app and not changed since.
    class AuditSeal
      # Ties the derived key to its purpose.
      PURPOSE = "scalingo-staging-sync audit"
      private_constant :PURPOSE

      # @param config [Configuration] the anonymization key
      def initialize(config: ScalingoStagingSync.configuration)
        @config = config
      end

      # @param facts [Hash{Symbol, String => Object}] the audit, without a seal
      # @return [Hash{Symbol => String}] :algorithm and :value
      # @raise [ConfigurationError] when there is no key
      def seal(facts)
        { algorithm: "HMAC-SHA256", value: hmac(facts) }
      end

      # @param path [String] the JSON file
      # @return [void]
      # @raise [VerificationError] when the file is not as it was written, or was written under another key
      # @raise [ConfigurationError] when it cannot be read, or there is no key
      def verify!(path)
        facts = read(path)
        seal = facts.delete("seal")
        value = seal.is_a?(Hash) ? seal["value"].to_s : ""
        return if ActiveSupport::SecurityUtils.secure_compare(value, hmac(facts))

        raise VerificationError.new("The audit file #{path} is not as it was written, or was written under another key.",
                                    "Compare it with a copy that you trust, and check config.anonymization_secret.")
      end

      private

      def read(path)
        raise Errno::ENOENT if path.to_s.empty?

        facts = JSON.parse(File.read(EngineSettings.new(@config).in_app(path), encoding: "UTF-8"))
        raise JSON::ParserError unless facts.is_a?(Hash)

        facts
      rescue SystemCallError, JSON::ParserError => error
        raise ConfigurationError.new("The audit file #{path.inspect} cannot be read (#{error.class}).",
                                     "Name it: `rake 'scalingo_staging_sync:audit:verify[tmp/audit.json]'`.")
      end

      def hmac(facts)
        secret = EngineSettings.new(@config).masking.fetch("secret")
        key = OpenSSL::HMAC.digest("SHA256", secret, PURPOSE)
        hmac = OpenSSL::HMAC.new(key, "SHA256")
        in_pieces(facts) { |text| hmac << text }
        hmac.hexdigest
      end

      # The canonical form as JSON, piece by piece: with thousands of tables the whole would be megabytes, twice.
      def in_pieces(facts)
        yield "{"
        names(facts).each_with_index do |name, place|
          value = facts[name]
          yield "#{"," unless place.zero?}#{JSON.generate(name)}:"
          next yield(JSON.generate(canonical(value))) unless value.is_a?(Array)

          yield "["
          value.each_with_index { |inner, index| yield "#{"," unless index.zero?}#{JSON.generate(canonical(inner))}" }
          yield "]"
        end
        yield "}"
      end

      # One form for the same content, whatever the order of its keys.
      def canonical(value)
        case value
        when Hash then names(value).each_with_object({}) { |name, sorted| sorted[name] = canonical(value[name]) }
        when Array then value.map { |inner| canonical(inner) }
        else value
        end
      end

      # Symbols come in the order of their names.
      def names(hash) = hash.keys.then { |keys| keys.all?(Symbol) ? keys.sort : keys.sort_by(&:to_s) }
    end
  end
end

# frozen_string_literal: true

require "active_support/security_utils"
require "json"
require "openssl"

module ScalingoStagingSync
  module Audit
    # The HMAC over an audit file's JSON, under a key derived from the anonymization key: with the app's key it can be
    # proven that the file was written by a run of this app and not changed since.
    class Seal
      include Support::Discreet

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
        text = read(path)
        return if holds?(text, parse(text, path))

        raise VerificationError.new("The audit file #{Support::Echo.of(path)} is not as it was written, or was written under another key.",
                                    "Compare it with a copy that you trust, and check config.anonymization_secret.")
      end

      # @param text [String] a sealed file's content
      # @return [Hash{String => Object}, nil] what is in it, without the seal; nil if it is not as it was written
      # @raise [ConfigurationError] when there is no key
      def facts(text)
        facts = JSON.parse(text)
        facts.except("seal") if facts.is_a?(Hash) && holds?(text, facts)
      rescue JSON::JSONError, EncodingError
        nil
      end

      # What proves seals, and makes them: one who has it can check an archive that comes from this app, and learns nothing
      # of the key that pseudonyms are made with.
      #
      # @return [String] 64 hexadecimal digits
      # @raise [ConfigurationError] when there is no key
      def key
        @config.seal_key || OpenSSL::HMAC.hexdigest("SHA256", EngineSettings.new(@config).masking.fetch("secret").reveal, PURPOSE)
      end

      # For what seals at its end: found there, it would be found too late.
      #
      # @return [void]
      # @raise [ConfigurationError] when the variable STAGING_SYNC_SEAL_KEY is no key
      def check! = @config.seal_key

      # @param sealed [Hash{Symbol, String => Object}] the audit with its seal, which comes last
      # @return [String] the file's content: the one form that {#verify!} takes
      def self.form(sealed) = "#{laid_out(sealed)}\n"

      # Like JSON.pretty_generate, whose versions write an empty list in different ways: a seal must hold on a
      # machine with another version.
      def self.laid_out(value, indent = "")
        inner = "#{indent}  "
        case value
        when Hash then enclosed("{}", value.map { |name, inside| "#{inner}#{JSON.generate(name.to_s)}: #{laid_out(inside, inner)}" }, indent)
        when Array then enclosed("[]", value.map { |inside| "#{inner}#{entry(inside, inner)}" }, indent)
        else JSON.generate(value)
        end
      end
      private_class_method :laid_out

      # An entry of a list, of which there may be thousands. No line breaks stand in JSON but those that lay it out.
      def self.entry(value, indent)
        alike? ? JSON.pretty_generate(value).gsub("\n", "\n#{indent}") : laid_out(value, indent)
      end
      private_class_method :entry

      # Whether this version's way is the one that seals are made over: it takes a tenth of the time.
      def self.alike?
        return @alike unless @alike.nil?

        @alike = JSON.pretty_generate({ a: [], b: {}, c: [1, { d: nil }] }) ==
                 %({\n  "a": [],\n  "b": {},\n  "c": [\n    1,\n    {\n      "d": null\n    }\n  ]\n})
      end
      private_class_method :alike?

      def self.enclosed(brackets, lines, indent)
        lines.empty? ? brackets : "#{brackets[0]}\n#{lines.join(",\n")}\n#{indent}#{brackets[1]}"
      end
      private_class_method :enclosed

      private

      def read(path)
        refuse("No audit file is named.") if path.to_s.empty?
        Support::Echo.refuse_secret(path, "the audit file", remedy)

        File.read(EngineSettings.new(@config).in_app(path), mode: "rb", encoding: "UTF-8")
      rescue Errno::ENOENT
        refuse("There is no audit file #{Support::Echo.of(path)}.")
      rescue SystemCallError, ArgumentError => error # the latter for the home of a user that does not exist
        refuse("The audit file #{Support::Echo.of(path)} cannot be read (#{error.class}).")
      end

      def parse(text, path)
        facts = JSON.parse(text)
        # Invalid UTF-8 and infinite numbers can be parsed, but not generated.
        JSON.generate(facts)
        facts.is_a?(Hash) ? facts : raise(JSON::ParserError)
      rescue JSON::JSONError, EncodingError
        refuse("The file #{Support::Echo.of(path)} is no audit as JSON: only the audit's .json file is sealed.")
      end

      def refuse(what)
        raise ConfigurationError.new(what, remedy)
      end

      def remedy = "Name the audit's .json file: `rake 'scalingo_staging_sync:audit:verify[#{example}]'`."

      # The file that this app's runs write, if they write one.
      def example
        configured = @config.anonymization_audit_file
        configured ? "#{configured.sub(/\.(json|txt|html)\z/, "")}.json" : "tmp/audit.json"
      end

      # Byte by byte: a reader may see in other bytes what the seal does not cover, such as the first of two keys of one
      # name, or a word that was written into the seal itself.
      def holds?(text, facts)
        facts = facts.except("seal")
        ActiveSupport::SecurityUtils.secure_compare(text, self.class.form(facts.merge("seal" => seal(facts))))
      end

      def hmac(facts)
        hmac = OpenSSL::HMAC.new([key].pack("H*"), "SHA256")
        in_pieces(facts) { |text| hmac << text }
        hmac.hexdigest
      end

      # The content as JSON in its order, piece by piece: with thousands of tables the whole would be megabytes, twice.
      def in_pieces(facts)
        yield "{"
        facts.each_with_index do |(name, value), place|
          yield "#{"," unless place.zero?}#{JSON.generate(name.to_s)}:"
          next yield(JSON.generate(value)) unless value.is_a?(Array)

          yield "["
          value.each_with_index { |inner, index| yield "#{"," unless index.zero?}#{JSON.generate(inner)}" }
          yield "]"
        end
        yield "}"
      end
    end
  end
end

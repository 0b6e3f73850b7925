# frozen_string_literal: true

require "time"

module ScalingoStagingSync
  module Archives
    # What a dump wrote beside its archive: tables, masks, checks, size and SHA-256, under the seal of the audits. An archive is
    # known to be masked because its manifest says so and the seal holds.
    class Manifest
      include Support::Discreet

      # What follows an archive's name, and what the manifest calls itself.
      ENDING = ".json"
      KIND = "masked archive"
      VERSION = 1

      # Bytes of a manifest, at most: one of two thousand tables has about a megabyte.
      LARGEST = 64 * 1024 * 1024

      SHA256 = /\A\h{64}\z/
      private_constant :SHA256

      # @return [String] the manifest as it was written
      attr_reader :text

      # @param text [String] what was read
      # @param from [String] where from, for use within a sentence
      # @param config [Configuration] the key of the seal
      # @return [Manifest] what it says
      # @raise [VerificationError] when the seal does not hold, or it is no manifest of a masked archive
      # @raise [ConfigurationError] when there is no key
      def self.of(text, from:, config: ScalingoStagingSync.configuration)
        text = text.dup.force_encoding(Encoding::UTF_8)
        facts = Audit::Seal.new(config:).facts(text)
        unless facts
          raise VerificationError.new("The manifest #{from} is not as it was written, or was sealed under another key.",
                                      "Take one that was not changed. Where the archive comes from another app, set config.seal_key to " \
                                      "what `rake 'scalingo_staging_sync:token[name]'` prints there.")
        end
        new(text, facts, from)
      end

      # @api private
      def initialize(text, facts, from)
        @text = text.freeze
        @facts = facts
        unless facts["kind"] == KIND && sha256.to_s.match?(SHA256) && size.is_a?(Integer) && size.positive? && made_at
          raise VerificationError.new("What is sealed in the manifest #{from} is no masked archive.", "Name the .json that a dump wrote.")
        end
        return if facts["manifest_version"] == VERSION

        raise VerificationError.new("The manifest #{from} is of version #{Support::Echo.inspect(facts["manifest_version"])}, which is not read.",
                                    "Use the version of this gem that wrote it (#{Support::Echo.of(facts["gem_version"])}).")
      end

      # @return [Integer] bytes of the archive
      def size = archive["size"]

      # @return [String] its SHA-256, 64 hexadecimal digits
      def sha256 = archive["sha256"]

      # @return [String] the name of its file, without directories
      def name = File.basename(archive["name"].to_s)

      # @return [Time, nil] when it was made
      def made_at
        @made_at ||= Time.iso8601(@facts["made_at"].to_s)
      rescue ArgumentError
        nil
      end

      # @return [Hash{String => Object}] all that it says
      def to_h = @facts

      # @return [String] what it was made from, for use within a sentence
      def origin
        Support::Echo.of(@facts["source_app"] || @facts.dig("backup", "origin") || "an unknown source")
      end

      private

      def archive = @facts["archive"].is_a?(Hash) ? @facts["archive"] : {}
    end
  end
end

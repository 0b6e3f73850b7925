# frozen_string_literal: true

module ScalingoStagingSync
  module Audit
    # The audit as JSON, sealed by {Seal}. docs/formats.md has its schema.
    class Json
      include Support::Discreet

      # @param document [Document] the audit
      # @param config [Configuration] the key of the seal
      def initialize(document, config: ScalingoStagingSync.configuration)
        @document = document
        @config = config
      end

      # @return [String] the file's content
      # @raise [ConfigurationError] when there is no key
      def to_s
        facts = @document.to_h
        Seal.form(facts.merge(seal: Seal.new(config: @config).seal(facts)))
      end
    end
  end
end

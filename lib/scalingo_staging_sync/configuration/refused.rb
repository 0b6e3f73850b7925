# frozen_string_literal: true

module ScalingoStagingSync
  class Configuration
    # A value that an option does not take: each thing that is wrong with it, in a sentence by itself.
    class Refused < ArgumentError
      # @return [Array<String>] the sentences, each with the option's name
      attr_reader :sentences

      # @param sentences [Array<String>] at least one
      def initialize(sentences)
        @sentences = sentences
        super(self.class.listed(sentences))
      end

      # @param sentences [Array<String>] what is wrong
      # @return [String] the one sentence; several as a list
      def self.listed(sentences)
        return sentences.join if sentences.size < 2

        "The configuration is wrong in #{sentences.size} places:\n- #{sentences.join("\n- ")}\n"
      end
    end
  end
end

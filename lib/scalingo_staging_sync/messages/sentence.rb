# frozen_string_literal: true

module ScalingoStagingSync
  module Messages
    # What the engine says, in English and as the data that {Phrases} words in other languages. It reads as its English.
    #
    # @!attribute [r] english
    #   @return [String] it in English
    # @!attribute [r] data
    #   @return [Hash, Array, nil] it as data; nil where an older version left only the English
    Sentence = Data.define(:english, :data) do
      # @param facts [Hash{Symbol => Object}] a part of what the engine returned, as {EngineWords} words it
      # @param field [Symbol] which field of it, such as :reason, beside which :reason_data is the data
      # @return [Sentence, nil] it; nil if there is none
      def self.of(facts, field) = facts[field] && new(english: facts[field], data: facts[:"#{field}_data"])

      # @param locale [Symbol] :en or :fr
      # @return [String, nil] it in this language; nil if it has no words for it
      def in(locale) = (locale == :en) ? english : Phrases.in(locale).say(data)

      # @return [String] it in English
      def to_s = english
    end
  end
end

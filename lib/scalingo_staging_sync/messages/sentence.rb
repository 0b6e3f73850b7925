# frozen_string_literal: true

module ScalingoStagingSync
  module Messages
    # What the engine says, in English and as the data that {Phrases} words in other languages. It reads as its English.
    #
    # @!attribute [r] english
    #   @return [String] it in English
    # @!attribute [r] data
    #   @return [Hash, Array, nil] it as data; nil where the engine, or an older version, has only the English
    Sentence = Data.define(:english, :data) do
      # @param facts [Hash{Symbol => Object}] a part of what the engine returned, as {EngineWords} words it
      # @param field [Symbol] which field of it, such as :reason, beside which :reason_data is the data
      # @return [Sentence, nil] it; nil if there is none
      def self.of(facts, field) = facts[field] && new(english: facts[field], data: facts[:"#{field}_data"])

      # @param facts [Hash{Symbol => Object}] a part of what the engine returned, as {EngineWords} words it
      # @param field [Symbol] a list in it, such as :warnings, beside which :warnings_data is the data
      # @return [Array<Sentence>] each of the list
      def self.all_of(facts, field)
        facts[field].to_a.zip(facts[:"#{field}_data"].to_a).map { |english, data| new(english:, data:) }
      end

      # @param phrase [Hash{Symbol => Object}] a phrase
      # @return [Sentence] it
      def self.of_phrase(phrase) = new(english: Phrases.in(:en).say(phrase), data: phrase)

      # @return [Boolean] whether it is the team's own: a rule as the app writes it, or a reason of its own
      def own? = data.is_a?(Hash) && %w[rule let_be].include?(data[:kind])

      # @param locale [Symbol] :en or :fr
      # @return [String, nil] it in this language; nil if it has no words for it
      def in(locale) = (locale == :en) ? english : Phrases.in(locale).say(data)

      # @return [String] it in English
      def to_s = english
    end
  end
end

# frozen_string_literal: true

require "yaml"

module ScalingoStagingSync
  module Audit
    # What the page says, in French or English: the sentences of words/fr.yml and words/en.yml, with figures as the language writes
    # them.
    class Words
      # @return [Support::Language] how the language writes figures
      attr_reader :language

      # @param locale [Symbol] :fr or :en
      def initialize(locale)
        @language = Support::Language.new(locale)
        @sentences = YAML.safe_load_file("#{__dir__}/words/#{locale}.yml")
        # There may be many thousands of columns, and few sentences without a figure, and few masks.
        @plain = {}
        @titles = {}
      end

      # @param key [String] which sentence, such as "head.complete"
      # @param values [Hash{Symbol => Object}] what goes into it; whole numbers become figures, and `count` chooses between
      #   singular and plural
      # @return [String] it
      def say(key, **values)
        values.empty? ? @plain[key] ||= sentence(key, values) : sentence(key, values)
      end

      # @param said [Messages::Sentence, String] what the tool says, as data and in English, or only in English
      # @return [String, nil] it in this language; nil if it has no words for it
      def quote(said)
        known = said.in(language.locale) if said.is_a?(Messages::Sentence)
        known || (said unless language.french?)
      end

      # @param noun [Symbol] of what
      # @param count [Integer] how many
      # @return [String] such as "12 tables"
      def counted(noun, count) = say("nouns.#{noun}", count:)

      # @param kind [String, nil] a kind of personal data
      # @return [String] it in words; an unknown one unchanged; nothing for none
      def kind(kind) = Messages::Phrases.in(language.locale).word("kinds", kind.to_s)

      # @param name [String] a phase of a run
      # @return [String] it in words
      def phase(name) = Messages::Phrases.in(language.locale).word("phases", name)

      # @param name [String] a mask
      # @return [Array(String, String)] its title and what it does, in a sentence; nil for one without words
      def mask(name) = @sentences.fetch("mask")[name]&.map { |text| language.typeset(text) }

      # @param mask [Messages::Sentence, nil] what a mask makes of a column
      # @return [String] its title
      def title(mask) = @titles[mask] ||= MaskWords.of(mask).said(self).first

      # @param name [String] a mask
      # @return [Array(String, String), nil] an invented value, and its pseudonym
      def example(name) = @sentences.fetch("example")[name]

      private

      def sentence(key, values)
        found = at(key)
        found = found.fetch(language.single?(values[:count]) ? "one" : "other") if found.is_a?(Hash)
        language.typeset(found.gsub(/%\{(\w+)\}/) { figure(values.fetch(Regexp.last_match(1).to_sym)) })
      end

      def figure(value) = value.is_a?(Integer) ? language.number(value) : value.to_s

      def at(key) = key.split(".").reduce(@sentences) { |part, name| part.fetch(name) }
    end
  end
end

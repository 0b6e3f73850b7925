# frozen_string_literal: true

require "yaml"

module ScalingoStagingSync
  module Messages
    # The words of a language for what the engine returns as data. A phrase is a Hash with its `:kind` and fields; its sentence is in
    # phrases/en.yml or phrases/fr.yml. To say something new, give it a kind in the engine, and a sentence in each of these files.
    class Phrases
      # A field, and the list that has the word for it.
      PLACE = /%\{(?:(?<list>\w+)\.)?(?<field>\w+)\}/
      private_constant :PLACE

      # Files with words.
      LANGUAGES = %i[en fr].freeze

      # Sections of a file that are lists of words.
      LISTS = %w[kinds terms].freeze

      # @param locale [Symbol] :en or :fr
      # @return [Phrases] its words
      def self.in(locale) = (@languages ||= {})[locale] ||= new(locale)

      # @param locale [Symbol] :en or :fr
      def initialize(locale)
        @language = Support::Language.new(locale)
        @sections = YAML.safe_load_file("#{__dir__}/phrases/#{locale}.yml", aliases: true)
        @sentences = @sections.except(*LISTS).values.reduce(:merge)
      end

      # @param said [Hash{Symbol => Object}, Array<Hash>, String, nil] a phrase, or several; or what has words already, in English
      # @return [String, nil] it in words, several with semicolons between them; nil where this language has none
      # @raise [KeyError] when there is no such kind
      def say(said)
        case said
        when Hash then sentence(said)
        when Array then joined(said, "; ", " ; ")
        else said unless @language.french?
        end
      end

      # @param list [String] "kinds" or "terms"
      # @param name [String, Symbol] a kind of personal data, or what a word means
      # @return [String] the word for it; without one, its name
      def word(list, name) = @sections.fetch(list)[name.to_s] || name.to_s.tr("_", " ")

      # @param kind [String] a kind of phrase
      # @return [Array<String>, nil] the fields that its sentence has; nil if it has none
      def fields(kind) = @sentences[kind]&.scan(PLACE)&.map(&:last)

      private

      def sentence(phrase)
        text = @sentences.fetch(phrase.fetch(:kind))
        values = text.scan(PLACE).map { |list, field| value(list, phrase.fetch(field.to_sym)) }
        @language.typeset(text.gsub(PLACE) { values.shift }) if values.all?
      end

      def value(list, field)
        return word(list, field) if list

        case field
        when Array then joined(field, ", ", ", ")
        when Hash then sentence(field)
        when Integer then @language.french? ? @language.number(field) : field.to_s
        else field
        end
      end

      def joined(phrases, english, french)
        said = phrases.map { |phrase| say(phrase) }
        @language.typeset(said.join(@language.french? ? french : english)) if said.all?
      end
    end
  end
end

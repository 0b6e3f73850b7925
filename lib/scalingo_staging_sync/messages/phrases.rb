# frozen_string_literal: true

require "yaml"

module ScalingoStagingSync
  module Messages
    # The words of a language for what the engine returns as data. A phrase is a Hash with its `:kind` and fields; its sentence is in
    # phrases/en.yml or phrases/fr.yml. To say something new, give it a kind in the engine, and a sentence in each of these files.
    # What only an error says is in English alone, in the files of failures/.
    class Phrases
      # A field, with a capital letter where it begins a sentence; before it the list that has the word for it, `option` or `ruby`, behind
      # it what stands between several. `last` is there where the sentence ends with it.
      PLACE = /%\{(?:(?<list>\w+)\.)?(?<field>\w+)(?:\|(?<joint>[^}]*))?\}(?:(?<last>\z|(?= [A-Z]))|)/
      private_constant :PLACE

      # Files with words.
      LANGUAGES = %i[en fr].freeze

      # Sections of a file that are lists of words.
      LISTS = %w[kinds terms phases].freeze

      # The list of what PostgreSQL's codes mean, in files of its own.
      SQLSTATES = "sqlstates"

      # Before the name of an option, whose place in the app is not always the same.
      OPTION = "option"

      # Before a column as `config.pii_ignore` names it, whose entry stands there.
      IGNORE = "ignore"

      # Before a field that stands as Ruby writes it, to be pasted.
      RUBY = "ruby"

      # What stands between phrases, where a sentence has nothing else, and between names.
      JOINTS = { en: "; ", fr: " ; " }.freeze
      COMMA = ", "
      private_constant :SQLSTATES, :OPTION, :IGNORE, :RUBY, :JOINTS, :COMMA

      # @param locale [Symbol] :en or :fr
      # @return [Phrases] its words
      def self.in(locale) = (@languages ||= {})[locale] ||= new(locale)

      # @param words [String, Array<String, Hash>] words, with phrases, findings and suggestions between them
      # @return [Hash, nil] the phrase that they begin with, if they do: what follows are details of it
      def self.head(words)
        first = Array(words).find { |part| part != "" }
        first[:phrase] if first.is_a?(Hash)
      end

      # @param locale [Symbol] :en or :fr
      def initialize(locale)
        @language = Support::Language.new(locale)
        @sections = YAML.safe_load_file("#{__dir__}/phrases/#{locale}.yml", aliases: true)
        @sentences = [*@sections.except(*LISTS).values, *failures].reduce(:merge)
      end

      # @param said [Hash{Symbol => Object}, Array<Hash>, String, nil] a phrase, or several; or what has words already, in English
      # @return [String, nil] it in words, several with semicolons between them; nil where this language has none
      # @raise [KeyError] when there is no such kind
      def say(said)
        case said
        when Hash then sentence(said)
        when Array then joined(said) unless @language.french? && said.any?(String)
        else said unless @language.french?
        end
      end

      # @param list [String] "kinds", "terms" or "phases"
      # @param name [String, Symbol] a kind of personal data, what a word means, or a phase of a run
      # @return [String] the word for it; without one, its name
      def word(list, name) = @sections.fetch(list)[name.to_s] || name.to_s.tr("_", " ")

      # @param kind [String] a kind of phrase
      # @return [Array<String>, nil] the fields that its sentence has; nil if it has none
      def fields(kind)
        sentence = @sentences[kind]
        places = (sentence.is_a?(Hash) ? sentence.values.join : sentence)&.scan(PLACE)
        places&.filter_map { |list, field| field.downcase unless list == OPTION }&.uniq
      end

      private

      def failures = @language.french? ? [] : Dir["#{__dir__}/failures/*.yml"].map { |file| YAML.safe_load_file(file) }

      def sentence(phrase)
        return if @language.french? && !@sentences.key?(phrase.fetch(:kind))

        text = @sentences.fetch(phrase.fetch(:kind))
        text = text.fetch(@language.single?(phrase.fetch(:count)) ? "one" : "other") if text.is_a?(Hash)
        values = text.scan(PLACE).map { |list, name, joint, last| place(phrase, list, name, joint, last) }
        @language.typeset(text.gsub(PLACE) { values.shift }) if values.all?
      end

      def place(phrase, list, name, joint, last)
        return RubySource.named(name) if list == OPTION

        field = phrase.fetch(name.downcase.to_sym)
        return sqlstate(field) if list == SQLSTATES
        return RubySource.ignore(field) if list == IGNORE
        return RubySource.literal(field) if list == RUBY

        said = list ? word(list, field) : value(field, joint, last)
        name.match?(/\A[A-Z]/) ? said&.sub(/\A./, &:upcase) : said
      end

      def sqlstate(code)
        @meanings ||= YAML.safe_load_file("#{__dir__}/sqlstates/#{@language.locale}.yml")
        @meanings[code] || @meanings[code[0, 2]] || @meanings.fetch("other")
      end

      # A name is the same in every language, and so is an entry of the rules. A sentence that ends another has its full stop.
      def value(field, joint = nil, last = nil)
        case field
        when Array then joined(field, joint, last)
        when Hash then field.key?(:kind) ? within(sentence(field), last) : RubySource.entry(field)
        when Integer then @language.number(field)
        else field
        end
      end

      def within(said, last) = last ? said : said&.delete_suffix(".")

      def joined(parts, joint = nil, last = nil)
        said = parts.map { |part| value(part, nil, last) }
        joint ||= parts.all?(String) ? COMMA : JOINTS.fetch(@language.locale)
        @language.typeset(said.join(joint)) if said.all?
      end
    end
  end
end

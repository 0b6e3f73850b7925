# frozen_string_literal: true

module ScalingoStagingSync
  module Audit
    # What the tool says in English, in French: why a column looks personal, what became of it, which rows came, what was left out,
    # warnings. The phrases are in words/quotes.fr.yml; one that is not there has no French.
    class Quotes
      PLACE = /%\{(\w+)\}/
      # What may stand in a place: figures, and of kinds and terms their words.
      FORMS = { "count" => "\\d[\\d,]*", "kind" => "[a-z0-9 ]+", "term" => "[a-z0-9 ]+" }.freeze
      private_constant :PLACE, :FORMS

      # @param language [Support::Language] French
      # @param kinds [Hash{String => String}] the kinds of personal data in French
      def initialize(language, kinds)
        @language = language
        @kinds = kinds
        groups = YAML.safe_load_file("#{__dir__}/words/quotes.fr.yml")
        @terms = groups.delete("terms")
        phrases = groups.values.reduce(:merge)
        @exact, rest = phrases.partition { |english, _| !english.match?(PLACE) }.map(&:to_h)
        @forms = rest.map { |english, french| [pattern(english), french] }
        @known = {}
      end

      # @param text [String] what the tool says, such as `named "email"; email as 98% of the values looked at`
      # @return [String, nil] it in French; nil if any part of it is only known in English
      def french(text) = @known.fetch(text) { @known[text] = sentence(text) || joined(text) }

      private

      # Reasons stand side by side: `…; …`, and those of the learned model as `because: …, …`.
      def joined(text)
        parts = text.split("; ")
        return clues(text) if parts.one?

        said = parts.map { |part| sentence(part) || clues(part) }
        @language.typeset(said.join(" ; ")) if said.all?
      end

      def clues(text)
        return unless text.start_with?("because: ")

        said = text.delete_prefix("because: ").split(", ").map { |part| sentence(part) }
        @language.typeset("indices : #{said.join(", ")}") if said.all?
      end

      def sentence(text)
        return @language.typeset(@exact[text]) if @exact.key?(text)

        @forms.each do |form, french|
          match = form.match(text) or next
          values = match.named_captures.to_h { |place, value| [place, value(place, value)] }
          return @language.typeset(french.gsub(PLACE) { values.fetch(Regexp.last_match(1)) }) if values.values.all?
        end
        nil
      end

      def value(place, text)
        case place
        when /\Acount/ then @language.number(text.delete(",").to_i)
        when "kind" then @kinds[text.tr(" ", "_")]
        when "term" then @terms[text] || @kinds[text.tr(" ", "_")]
        when "why" then french(text)
        when "list" then text.gsub(" and ", " et ")
        else text
        end
      end

      def pattern(english)
        parts = english.split(/(%\{\w+\})/).map do |part|
          place = part[PLACE, 1]
          place ? "(?<#{place}>#{FORMS.fetch(place.sub(/_.*/, ""), ".+?")})" : Regexp.escape(part)
        end
        Regexp.new("\\A#{parts.join}\\z", Regexp::MULTILINE)
      end
    end
  end
end

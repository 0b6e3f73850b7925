# frozen_string_literal: true

module ScalingoStagingSync
  module Audit
    # What the tool says only in English, in French: masks and some warnings. The phrases are in
    # words/quotes.fr.yml; one that is not there has no French.
    class Quotes
      PLACE = /%\{(\w+)\}/
      # What may stand in a place.
      FORMS = { "count" => "\\d[\\d,]*" }.freeze
      private_constant :PLACE, :FORMS

      # @param language [Support::Language] French
      def initialize(language)
        @language = language
        groups = YAML.safe_load_file("#{__dir__}/words/quotes.fr.yml")
        phrases = groups.values.reduce(:merge)
        @exact, rest = phrases.partition { |english, _| !english.match?(PLACE) }.map(&:to_h)
        @forms = rest.map { |english, french| [pattern(english), french] }
        @known = {}
      end

      # @param text [String] what the tool says, such as `distinct keyed value`
      # @return [String, nil] it in French; nil if any part of it is only known in English
      def french(text) = @known.fetch(text) { @known[text] = sentence(text) }

      private

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

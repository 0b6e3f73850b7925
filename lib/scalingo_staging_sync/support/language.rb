# frozen_string_literal: true

module ScalingoStagingSync
  module Support
    # Numbers, sizes and times as French or English them. The log's are {Figures}, the same in every locale.
    class Language
      UNITS = { "B" => "octets", "kB" => "ko", "MB" => "Mo", "GB" => "Go", "TB" => "To" }.freeze

      # A no-break space.
      NO_BREAK = "\u00a0"
      private_constant :UNITS, :NO_BREAK

      # @return [Symbol] :fr where the app's default locale is French, else :en
      def self.of_app
        (defined?(I18n) && I18n.default_locale.to_s.match?(/\Afr\b/i)) ? :fr : :en
      end

      # @return [Symbol] :fr or :en
      attr_reader :locale

      # @param locale [Symbol] :fr or :en
      def initialize(locale)
        @locale = locale
      end

      # @return [Boolean] whether it is French
      def french? = locale == :fr

      # @param count [Integer] how many
      # @return [Boolean] whether a noun stands in the singular beside it
      def single?(count) = french? ? count.abs < 2 : count == 1

      # @param value [Integer] a number
      # @return [String] it as the language writes it
      def number(value)
        figures = Figures.count(value)
        french? ? figures.tr(",", NO_BREAK) : figures
      end

      # @param count [Integer] bytes
      # @return [String] such as "1,2 Go" or "1.2 GB"
      def bytes(count)
        text = Figures.bytes(count)
        return text unless french?

        value, unit = text.split
        "#{value.tr(".", ",")}#{NO_BREAK}#{UNITS.fetch(unit)}"
      end

      # @param seconds [Numeric] how long
      # @return [String] such as "1,5 s" or "3 min 20 s"
      def duration(seconds)
        text = Figures.seconds(seconds)
        french? ? text.tr(".", ",") : text
      end

      # @param time [String] RFC 3339
      # @return [String] it in words; unchanged if it cannot be read
      def moment(time)
        french? ? Time.new(time).utc.strftime("%d/%m/%Y à %H:%M UTC") : Figures.moment(time)
      rescue ArgumentError
        time
      end

      # @param text [String] words
      # @return [String] them with French typography, in which `:`, `;`, `!` and `?` must not start a line
      def typeset(text)
        french? ? text.gsub(/ (?=[:;!?»])|(?<=«) /, NO_BREAK) : text
      end
    end
  end
end

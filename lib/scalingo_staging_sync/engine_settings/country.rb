# frozen_string_literal: true

module ScalingoStagingSync
  class EngineSettings
    # The country that an app is for, as far as its locale and its time zone say.
    module Country
      # What is assumed where nothing says otherwise: Scalingo's own.
      DEFAULT = "FR"

      # Languages whose readers mostly live in one country. English says nothing.
      OF_LANGUAGE = {
        "fr" => "FR", "de" => "DE", "es" => "ES", "it" => "IT", "nl" => "NL", "pt" => "PT", "pl" => "PL", "da" => "DK", "sv" => "SE",
        "nb" => "NO", "fi" => "FI", "cs" => "CZ", "el" => "GR", "hu" => "HU", "ro" => "RO", "ja" => "JP"
      }.freeze

      class << self
        # @return [String] its two letters
        def of_app
          of_locale(locale, /[-_]([A-Za-z]{2})\z/) || of_zone || OF_LANGUAGE[locale[0, 2]] || DEFAULT
        end

        private

        def locale = defined?(I18n) ? I18n.default_locale.to_s : ""

        def of_locale(locale, region) = locale[region, 1]&.upcase

        def of_zone
          name = Rails.application&.config&.time_zone if defined?(Rails.application)
          zone = name && ActiveSupport::TimeZone[name]&.tzinfo&.identifier
          return if zone.nil? || zone.match?(%r{\A(Etc/|UTC)})

          countries = TZInfo::Country.all.select { |country| country.zone_identifiers.include?(zone) }
          # A zone that several share is named after a city of one.
          countries.find { |country| country.zone_identifiers.first == zone }&.code || (countries.first&.code if countries.one?)
        rescue StandardError
          nil # The time zones' data can be missing; the locale then says it.
        end
      end
    end
  end
end

# frozen_string_literal: true

require "cgi/escape"
require "time"

module ScalingoStagingSync
  module Support
    # What visitors of a staging app read while its data is not whole: the app's name, since when, until when if that can be
    # said, in French or English. They can do nothing about it, and are asked for nothing.
    class MaintenancePage
      # What is said of each state: a title and a sentence, in which APP is the app's name; then how the times are said.
      SENTENCES = {
        en: { syncing: ["APP is being updated", "The data of this test environment is being replaced."],
              expired: ["APP has no data at the moment", "The data of this test environment was too old and has been removed."],
              incomplete: ["APP is not available", "The last update of this test environment's data did not finish. Its team is looking into it."],
              here: "This test environment", since: "Since", expected: "Expected back", late: "This is taking longer than usual.",
              again: "Try again" },
        fr: { syncing: ["APP est en cours de mise à jour",
                        "Les données de cet environnement de test sont en cours de remplacement."],
              expired: ["APP est sans données pour le moment",
                        "Les données de cet environnement de test étaient trop anciennes et ont été retirées."],
              incomplete: ["APP est indisponible",
                           "La dernière mise à jour des données de cet environnement n'est pas allée à son terme. Son équipe s'en occupe."],
              here: "Cet environnement de test", since: "Depuis le", expected: "Retour prévu le", late: "C'est plus long que d'habitude.",
              again: "Réessayer" }
      }.freeze
      private_constant :SENTENCES

      # Seconds after which a browser or a monitor asks again, where nothing better is known; and the least and the most.
      RETRY = { syncing: 60, expired: 600, incomplete: 600 }.freeze
      LEAST = 15
      MOST = 3600
      private_constant :RETRY, :LEAST, :MOST

      # @param state [Symbol] one of {ScalingoStagingSync.state}'s
      # @return [Boolean] whether visitors read a page instead of the app
      def self.for?(state) = RETRY.key?(state)

      # @param accepted [String, nil] the header Accept-Language
      # @param default [Symbol] what is taken where it names neither language
      # @return [Symbol] :fr or :en
      def self.locale(accepted, default)
        wanted = accepted.to_s.scan(/([a-z]{1,8})(?:-[a-z0-9-]+)?\s*(?:;\s*q=(\d(?:\.\d{1,3})?))?/i)
        wanted.filter_map { |name, weight| [name.downcase.to_sym, weight ? weight.to_f : 1.0] if %w[fr en].include?(name.downcase) }
              .select { |_, weight| weight.positive? }.max_by(&:last)&.first || default
      end

      # @param state [Symbol] :syncing, :expired or :incomplete
      # @param app [String, nil] the app's name
      # @param since [Time, nil] since when, where known
      # @param expected [Time, nil] when it is expected to end
      # @param locale [Symbol] :fr or :en
      # @param now [Time] now
      def initialize(state, app: nil, since: nil, expected: nil, locale: :en, now: Time.now)
        @state = state
        @app = app
        @since = since
        @expected = (expected if state == :syncing)
        @locale = locale
        @now = now
      end

      # @return [Integer] seconds, for the header Retry-After
      def retry_after
        return RETRY.fetch(@state) unless soon?

        (@expected - @now).ceil.clamp(LEAST, MOST)
      end

      # @return [String] the HTML
      def to_s
        title, sentence = words.fetch(@state).map { |text| CGI.escapeHTML(text.sub("APP") { @app || words[:here] }) }
        <<~HTML
          <!doctype html>
          <html lang="#{@locale}">
          <head>
          <meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark">
          <title>#{title}</title>
          <style>:root{color-scheme:light dark}body{margin:18vh auto 2rem;padding:0 1.25rem;max-width:36rem;font:1.1rem/1.55 system-ui,-apple-system,"Segoe UI",sans-serif}h1{font-size:1.7rem;line-height:1.2;overflow-wrap:anywhere}a{color:inherit}dl{display:grid;grid-template-columns:max-content 1fr;gap:.3rem 1rem;margin:1.5rem 0}dt{font-weight:600}dd{margin:0}@media(max-width:26rem){dl{grid-template-columns:1fr;gap:0}dd{margin-bottom:.5rem}}</style>
          </head>
          <body><main><h1>#{title}</h1><p>#{sentence}</p>#{times}<p><a href="">#{words[:again]}</a></p></main></body>
          </html>
        HTML
      end

      private

      def words = SENTENCES.fetch(@locale)

      def soon? = @expected && @expected > @now

      def times
        lines = { since: @since, expected: (@expected if soon?) }.compact.map { |name, time| "<dt>#{words[name]}</dt><dd>#{said(time)}</dd>" }
        late = "<p>#{CGI.escapeHTML(words[:late])}</p>" if @expected && !soon?
        "#{"<dl>#{lines.join}</dl>" if lines.any?}#{late}"
      end

      def said(time)
        utc = time.utc.iso8601
        "<time datetime=\"#{utc}\">#{Language.new(@locale).moment(utc)}</time>"
      end
    end
  end
end

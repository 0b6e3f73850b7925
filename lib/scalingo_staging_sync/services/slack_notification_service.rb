# frozen_string_literal: true

require "json"
require "net/http"
require "uri"

module ScalingoStagingSync
  module Services
    # Tells a Slack channel, in French or English, that a run began, how far it is, and that it succeeded or failed. It
    # works beside the run: nothing that goes wrong with Slack fails the run, and nothing waits for Slack longer than a
    # few seconds at the end. An incoming webhook can neither change a message nor answer in its thread, so each is a
    # message of its own.
    class SlackNotificationService
      include Support::Discreet

      # Seconds for each of connecting, sending and receiving.
      TIMEOUT = 3

      # Seconds that {#flush} waits for what is still being sent.
      PATIENCE = 5

      # How often a message is sent again when Slack says that there were too many (429).
      RETRIES = 3

      # Tables named in one message; of the others only how many there are. Slack cuts long messages.
      NAMED = 20

      TITLES = { fr: "Copie de la base de %<source>s vers %<target>s : ", en: "Copy of %<source>s's database to %<target>s: " }.freeze
      TEXTS = {
        fr: {
          started: "démarrage.", succeeded: "terminée en %<duration>s.", failed: "échec.", stopped: "interrompue.",
          refused: "refusée, rien n'a été touché.", untouched: "Les anciennes données de staging sont toujours là.",
          incomplete: "Les données de staging sont incomplètes ; aucune valeur brute d'une colonne masquée n'y est.",
          other: "Une autre copie est en cours ; celle-ci n'a rien touché.",
          more: "et %<count>s autres",
          counts: "%<tables>s tables, %<rows>s lignes.", masked: "Données anonymisées : %<tables>s.",
          unverified: "Attention : la vérification a échoué.", findings: "Données personnelles sans règle : %<count>s.",
          warnings: "Avertissements : %<count>s.", reason: "%<error>s : %<what>s\n%<remedy>s",
          file: "une archive locale", here: "cet environnement",
          steps: { rows: "chargement des données anonymisées.", verify: "vérification." }
        },
        en: {
          started: "started.", succeeded: "done in %<duration>s.", failed: "failed.", stopped: "stopped.",
          refused: "refused, nothing was touched.", untouched: "Staging's old data is still there.",
          incomplete: "Staging's data is incomplete; no raw value of a masked column is in it.",
          other: "Another copy is under way; this one has touched nothing.",
          more: "and %<count>s more",
          counts: "%<tables>s tables, %<rows>s rows.", masked: "Anonymized: %<tables>s.",
          unverified: "Attention: verification failed.", findings: "Personal data without a rule: %<count>s.",
          warnings: "Warnings: %<count>s.", reason: "%<error>s: %<what>s\n%<remedy>s",
          file: "a local archive", here: "this environment",
          steps: { rows: "loading anonymized rows.", verify: "verifying." }
        }
      }.freeze
      TITLED = %i[started succeeded failed stopped refused title].freeze
      private_constant :TITLES, :TEXTS, :TITLED

      # @param config [Configuration] whether, where to, and the tables' French names
      def initialize(config: ScalingoStagingSync.configuration)
        @config = config
        @last = nil
      end

      # A run begins.
      #
      # @return [void]
      def started
        tell(words(:started))
      end

      # A part of the run begins. Only those that a channel wants to know of are told.
      #
      # @param phase [Symbol, String] the phase's name
      # @return [void]
      def step(phase)
        text = TEXTS.dig(@config.slack_locale, :steps, phase.to_sym)
        tell("#{words(:title)}#{text}") if text
      end

      # A run succeeded.
      #
      # @param report [Hash{Symbol => Object}] what the engine returned
      # @return [void]
      def succeeded(report)
        tables = report[:tables] || []
        lines = [words(:succeeded, duration: duration(report[:seconds].to_f)),
                 words(:counts, tables: number(tables.size), rows: number(tables.sum { |table| table[:rows] }))]
        masked = tables.select { |table| table[:columns]&.any? }
        lines << words(:masked, tables: named(masked)) unless masked.empty?
        lines << words(:unverified) if @config.verify_anonymization && !report[:verified]
        open = report[:findings].to_a.count { |finding| finding[:status].to_s == "uncovered" }
        lines << words(:findings, count: number(open)) if open.positive?
        lines << words(:warnings, count: number(report[:warnings].size)) if report[:warnings]&.any?
        tell(lines.join("\n"))
      end

      # A run was refused, failed or was stopped. Of errors that are not the gem's own only the class is told, because
      # their messages may hold values of rows.
      #
      # @param error [Exception] why
      # @param state [Symbol] what is left in the target, as {Support::Remains.of} says it
      # @return [void]
      def failed(error, state = :unknown)
        name = error.class.name.split("::").last
        reason = error.is_a?(Error) ? words(:reason, error: name, what: error.what, remedy: error.remedy).strip : name
        title = error.is_a?(SignalException) ? :stopped : :failed
        title = :refused if state == :refused
        left = words(state) if %i[untouched incomplete other].include?(state)
        tell([words(title), reason, left].compact.join("\n"))
      end

      # Asks Slack whether it knows the webhook, without a message: to a body without a text it answers 400
      # (`no_text`, `invalid_payload`), and 403, 404 or 410 when the webhook, its team or its channel is gone (Slack's
      # documentation, "Sending messages using incoming webhooks").
      #
      # @return [String, nil] what is wrong with it, never its URL; nil when a message would arrive
      def problem
        answer = send_once(URI.parse(@config.slack_webhook_url), "{}")
        return if answer.is_a?(Net::HTTPSuccess) || %w[400 429].include?(answer.code)

        "it answered #{answer.code}"
      rescue StandardError => error
        "it could not be reached (#{error.class})"
      end

      # Waits a few seconds for what is still being sent.
      #
      # @param patience [Numeric] how many seconds
      # @return [void]
      def flush(patience: PATIENCE)
        last = @last
        return unless last

        last.kill unless last.join(patience)
        @last = nil
      end

      private

      # Messages are sent one after the other, in their order, in threads of their own.
      def tell(text)
        return unless @config.slack_enabled
        return log("config.slack_webhook_url is not set") unless @config.slack_webhook_url

        previous = @last
        url = @config.slack_webhook_url
        body = JSON.generate({ text: plain(text), channel: @config.slack_channel }.compact)
        @last = Thread.new do
          previous&.join
          post(url, body)
        end
        @last.report_on_exception = false
      end

      def post(url, body)
        uri = URI.parse(url)
        (RETRIES + 1).times do |attempt|
          answer = send_once(uri, body)
          return if answer.is_a?(Net::HTTPSuccess)
          return log("it answered #{answer.code}") unless answer.code == "429" && attempt < RETRIES

          sleep((answer["Retry-After"] || 1).to_f.clamp(0.1, TIMEOUT))
        end
      rescue StandardError => error
        log(error.class.name) # the message may hold the URL, which is a secret
      end

      def send_once(uri, body)
        request = Net::HTTP::Post.new(uri, "Content-Type" => "application/json")
        request.body = body
        Net::HTTP.start(
          uri.host, uri.port,
          use_ssl: uri.scheme == "https", open_timeout: TIMEOUT, write_timeout: TIMEOUT, read_timeout: TIMEOUT,
          max_retries: 0
        ) { |http| http.request(request) }
      end

      def log(reason)
        @config.logger.warn("[#{Support::ProgressReporter::TAG}] Slack was not told: #{reason}.")
      end

      # In a message these three would begin links, mentions and entities (Slack's documentation, "Formatting text").
      def plain(text)
        text.gsub(/[&<>]/, "&" => "&amp;", "<" => "&lt;", ">" => "&gt;")
      end

      # Tables with their rows, the largest first where they are too many to name.
      def named(tables)
        shown = tables.size > NAMED ? tables.max_by(NAMED) { |table| table[:rows] } : tables
        names = shown.map { |table| "#{table_name(table[:table])} (#{number(table[:rows])})" }
        names << words(:more, count: number(tables.size - NAMED)) if tables.size > NAMED
        names.join(", ")
      end

      # A sentence in the configured language; those about the run as a whole begin with what is copied where.
      def words(key, **values)
        locale = @config.slack_locale
        sentence = key == :title ? "" : format(TEXTS.fetch(locale).fetch(key), **values)
        TITLED.include?(key) ? format(TITLES.fetch(locale), source:, target:) + sentence : sentence
      end

      def source
        ENV["BACKUP_FILE"] || @config.backup_file ? words(:file) : @config.clone_source_scalingo_app_name
      end

      def target
        @config.target_app || words(:here)
      end

      # The table's French name, where its rule gives one and French is spoken.
      def table_name(table)
        bare = table.split(".").last
        return bare unless @config.slack_locale == :fr

        entry = @config.anonymization_tables.find { |rule| [table, bare].include?(rule[:table].to_s.delete('"')) }
        entry&.fetch(:translation, nil) || bare
      end

      def number(value)
        @config.slack_locale == :fr ? Support::Figures.count(value).tr(",", " ") : Support::Figures.count(value)
      end

      def duration(seconds)
        text = Support::Figures.seconds(seconds)
        @config.slack_locale == :fr ? text.tr(".", ",") : text
      end
    end
  end
end

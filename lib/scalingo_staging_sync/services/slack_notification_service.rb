# frozen_string_literal: true

require "json"
require "net/http"
require "uri"

module ScalingoStagingSync
  module Services
    # Tells a Slack channel, in French, that a run began, succeeded or failed. It works beside the run: nothing that
    # goes wrong with Slack fails the run, and nothing waits for Slack longer than a few seconds at the end.
    class SlackNotificationService
      # Seconds for each of connecting, sending and receiving.
      TIMEOUT = 3

      # Seconds that {#flush} waits for what is still being sent.
      PATIENCE = 5

      # @param config [Configuration] whether, where to, and the tables' French names
      def initialize(config: ScalingoStagingSync.configuration)
        @config = config
        @last = nil
      end

      # A run begins.
      #
      # @return [void]
      def started
        tell("Copie de la base de #{source} vers #{target} : démarrage.")
      end

      # A run succeeded.
      #
      # @param report [Hash{Symbol => Object}] what the engine returned
      # @return [void]
      def succeeded(report)
        tables = report[:tables] || []
        lines = ["Copie de la base de #{source} vers #{target} : terminée en #{duration(report[:seconds].to_f)}.",
                 "#{number(tables.size)} tables, #{number(tables.sum { |table| table[:rows] })} lignes."]
        masked = tables.select { |table| table[:columns]&.any? }
        unless masked.empty?
          names = masked.map { |table| "#{french_name(table[:table])} (#{number(table[:rows])})" }
          lines << "Données anonymisées : #{names.join(", ")}."
        end
        lines << "Attention : la vérification a échoué." if @config.verify_anonymization && !report[:verified]
        lines << "Avertissements : #{number(report[:warnings].size)}." if report[:warnings]&.any?
        tell(lines.join("\n"))
      end

      # A run failed or was stopped. Of errors that are not the gem's own only the class is told, because their
      # messages may hold values of rows.
      #
      # @param error [Exception] why
      # @return [void]
      def failed(error)
        reason = error.is_a?(Error) ? "#{error.class.name.split("::").last} : #{error.what}" : error.class.name
        ending = error.is_a?(SignalException) ? "interrompue" : "échec"
        tell("Copie de la base de #{source} vers #{target} : #{ending}.\n#{reason}")
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
        body = JSON.generate({ text:, channel: @config.slack_channel }.compact)
        @last = Thread.new do
          previous&.join
          post(url, body)
        end
        @last.report_on_exception = false
      end

      def post(url, body)
        uri = URI.parse(url)
        request = Net::HTTP::Post.new(uri, "Content-Type" => "application/json")
        request.body = body
        answer = Net::HTTP.start(
          uri.host, uri.port,
          use_ssl: uri.scheme == "https", open_timeout: TIMEOUT, write_timeout: TIMEOUT, read_timeout: TIMEOUT,
          max_retries: 0
        ) { |http| http.request(request) }
        log("it answered #{answer.code}") unless answer.is_a?(Net::HTTPSuccess)
      rescue StandardError => error
        log(error.class.name) # the message may hold the URL, which is a secret
      end

      def log(reason)
        @config.logger.warn("[#{Support::ProgressReporter::TAG}] Slack was not told: #{reason}.")
      end

      def source
        ENV["BACKUP_FILE"] || @config.backup_file ? "une archive locale" : @config.clone_source_scalingo_app_name
      end

      def target
        @config.target_app || "cet environnement"
      end

      # The table's French name, where its rule gives one.
      def french_name(table)
        bare = table.split(".").last
        entry = @config.anonymization_tables.find { |rule| [table, bare].include?(rule[:table].to_s.delete('"')) }
        entry&.fetch(:translation, nil) || bare
      end

      def number(value)
        Support::Figures.count(value).tr(",", " ")
      end

      def duration(seconds)
        Support::Figures.seconds(seconds).tr(".", ",")
      end
    end
  end
end

# frozen_string_literal: true

require "json"
require "net/http"
require "uri"

module ScalingoStagingSync
  module Integrations
    # Slack's incoming webhook, `config.slack_webhook_url`: posts texts one after the other, in their order, in threads of
    # their own, so that nothing waits for Slack longer than a few seconds at the end.
    class SlackWebhook
      include Support::Discreet

      # Seconds for each of connecting, sending and receiving.
      TIMEOUT = 3

      # Seconds that {#flush} waits for what is still being sent.
      PATIENCE = 5

      # How often a message is sent again when Slack says that there were too many (429).
      RETRIES = 3

      # @param config [Configuration] whether, where to, and into which channel
      # @yieldparam reason [String] why a message did not arrive, as the end of a sentence; never the URL
      def initialize(config = ScalingoStagingSync.configuration, &failed)
        @config = config
        @failed = failed
        @last = nil
      end

      # @param text [String] what is to be posted; nothing is where Slack is not enabled, or has no webhook
      # @return [void]
      def post(text)
        return unless @config.slack_enabled && @config.slack_webhook_url # a run warns where only the latter is missing

        previous = @last
        url = @config.slack_webhook_url
        body = JSON.generate({ text: plain(text), channel: @config.slack_channel }.compact)
        @last = Thread.new do
          previous&.join
          send_until_taken(url, body)
        end
        @last.report_on_exception = false
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

      private

      def send_until_taken(url, body)
        uri = URI.parse(url)
        (RETRIES + 1).times do |attempt|
          answer = send_once(uri, body)
          break if answer.is_a?(Net::HTTPSuccess)
          break @failed&.call("it answered #{answer.code}") unless answer.code == "429" && attempt < RETRIES

          sleep((answer["Retry-After"] || 1).to_f.clamp(0.1, TIMEOUT))
        end
      rescue StandardError => error
        @failed&.call(error.class.name) # the message may hold the URL, which is a secret
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

      # In a message these three would begin links, mentions and entities, but for the mark of a quotation (Slack's
      # documentation, "Formatting text").
      def plain(text)
        text.gsub(/[&<>]/, "&" => "&amp;", "<" => "&lt;", ">" => "&gt;").gsub(/^&gt; /, "> ")
      end
    end
  end
end

# frozen_string_literal: true

require "active_support/core_ext/object/blank"
require "net/http"
require "openssl"
require "uri"

module ScalingoStagingSync
  module Integrations
    # Another app's {Server}, as a client sees it: what is said of the newest archive, and the archive itself, over HTTPS. A
    # download that breaks off goes on where it was; a redirect is followed, without the token.
    class ArchiveServer
      include Support::Discreet

      # Seconds for each of connecting and waiting for the next bytes.
      CONNECT = 10
      WAIT = 60

      # How often in a row a request fails before it is given up, and how many redirects are followed.
      TRIES = 5
      REDIRECTS = 5

      # Bytes of a manifest, at most.
      LARGEST = 64 * 1024 * 1024

      # Seconds before a request is tried again, for each time that it has failed.
      PAUSE = 1.0

      # What may well be gone at another try.
      PASSING = [SystemCallError, SocketError, IOError, Timeout::Error, OpenSSL::SSL::SSLError, Net::ProtocolError, Net::HTTPBadResponse,
                 Net::HTTPHeaderSyntaxError].freeze
      private_constant :LARGEST, :PASSING

      # An answer that no other try makes better.
      Refusal = Class.new(StandardError) do
        attr_reader :status

        def initialize(status)
          @status = status
          super
        end
      end
      private_constant :Refusal

      # @param url [String] where the server is mounted
      # @param token [String, nil] what opens it
      # @param pause [Numeric] seconds before a request is tried again
      # @raise [ConfigurationError] when the URL is invalid, or would send the token in the clear, or there is no token
      def initialize(url, token, pause: PAUSE)
        @base = base(url)
        @token = Secret.new(token) if token.present?
        @pause = pause
        raise wrong("There is no token for the server of config.source_url.", "Set STAGING_SYNC_TOKEN to what it has printed.") unless @token
      end

      # @return [String] which server it is, for use within a sentence
      def name = "the server on #{@base.host}"

      # @return [String] the sealed manifest of the newest archive, as it was sent
      # @raise [StoreError] when it cannot be fetched
      def manifest
        text = +""
        trying do
          text.clear
          ask("/manifest") do |answer|
            answer.read_body do |piece|
              text << piece
              raise Refusal, "too large" if text.bytesize > LARGEST
            end
          end
        end
        text
      end

      # Sends the archive's bytes on as they come, those that are missing after it broke off, and none twice.
      #
      # @param size [Integer] bytes of the archive
      # @param etag [String] its SHA-256, by which the server knows whether it is still the same
      # @yieldparam piece [String] the next bytes
      # @return [void]
      # @raise [StoreError] when it cannot be fetched
      def archive(size, etag)
        position = 0
        trying(-> { position }) do
          ask("/archive", "If-Match" => %("#{etag}"), "Range" => ("bytes=#{position}-" if position.positive?)) do |answer|
            skip = start_of(answer, position)
            answer.read_body do |piece|
              fresh = skip.zero? ? piece : piece.byteslice(skip..).to_s
              skip -= piece.bytesize - fresh.bytesize
              position += fresh.bytesize
              raise Refusal, "longer than its manifest says" if position > size

              yield fresh unless fresh.empty?
            end
          end
          raise EOFError, "it broke off" if position < size
        end
      end

      private

      def base(url)
        uri = URI.parse(url.to_s.strip)
        raise URI::InvalidURIError unless uri.is_a?(URI::HTTP) && uri.host.present? && uri.userinfo.nil? && uri.query.nil?
        raise wrong("config.source_url would send the token in the clear.", "Give it a URL that begins with https://.") unless safe?(uri)

        uri.path = uri.path.chomp("/")
        uri
      rescue URI::InvalidURIError
        raise wrong("config.source_url is no URL of a server.", "Give it the form https://my-app-staging.example.com/staging_sync.")
      end

      def wrong(what, remedy) = ConfigurationError.new(what, "#{remedy} Nothing was touched.")

      def safe?(uri) = uri.scheme == "https" || %w[localhost 127.0.0.1 [::1]].include?(uri.host)

      # How many of this answer's bytes are already there: a store may send the whole file again.
      def start_of(answer, position)
        return position unless answer.is_a?(Net::HTTPPartialContent)
        return 0 if answer["Content-Range"].to_s.start_with?("bytes #{position}-")

        raise Refusal, "other bytes than those asked for"
      end

      # Asks, and again after failures that may pass; progress resets the count.
      def trying(position = -> { 0 })
        failed = 0
        reached = position.call
        begin
          yield
        rescue *PASSING => error
          failed = (position.call > reached) ? 1 : failed + 1
          reached = position.call
          raise unreachable(error.class.name) if failed >= TRIES

          sleep(@pause * failed)
          retry
        end
      rescue Refusal => error
        raise refused(error)
      end

      def ask(path, headers = {}, &)
        uri = @base.dup
        uri.path += path
        follow(uri, headers.compact.merge("Authorization" => "Bearer #{@token.reveal}"), REDIRECTS, &)
      end

      def follow(uri, headers, left, &)
        onward = nil
        request(uri, headers) do |answer|
          case answer
          when Net::HTTPRedirection then onward = target_of(answer, uri, left)
          when Net::HTTPOK, Net::HTTPPartialContent then yield answer
          when Net::HTTPServerError, Net::HTTPTooManyRequests then raise IOError, "it answered #{answer.code}"
          else raise Refusal, answer.code
          end
        end
        # A store knows neither the token nor the server's ETag.
        follow(onward, headers.slice("Range"), left - 1, &) if onward
      end

      def target_of(answer, from, left)
        raise Refusal, "too many redirects" if left.zero?

        onward = URI.join(from, answer["Location"].to_s)
        raise Refusal, "a redirect to a place without HTTPS" unless onward.is_a?(URI::HTTP) && safe?(onward)

        onward
      rescue URI::Error
        raise Refusal, "a redirect to nowhere"
      end

      # Identity: what comes is the archive itself, and Range counts its bytes.
      def request(uri, headers, &)
        proxy = (%w[localhost 127.0.0.1 [::1]].include?(uri.host) ? [nil] : [])
        http = Net::HTTP.new(uri.hostname, uri.port, *proxy)
        http.use_ssl = uri.scheme == "https"
        http.open_timeout = CONNECT
        http.read_timeout = http.write_timeout = WAIT
        http.max_retries = 0
        http.ignore_eof = false # an answer that breaks off is none
        http.start { http.request(Net::HTTP::Get.new(uri, { "Accept-Encoding" => "identity" }.merge(headers)), &) }
      end

      def unreachable(reason)
        StoreError.new("#{name.sub("the", "The")} did not send what was asked for, after #{TRIES} tries (#{reason}).",
                       "Check config.source_url and that the app is up, and run it again. Nothing was touched.")
      end

      def refused(refusal)
        what, remedy = case refusal.status
                       when "401" then ["does not accept the token", "Have a new one made there (`rake 'scalingo_staging_sync:token[name]'`)."]
                       when "403" then ["does not open the archive with this token", "Have one made there with the scope archive."]
                       when "404" then ["has no archive, or is switched off", "Have one dumped there, and check config.source_url."]
                       when "412" then ["has another archive by now", "Run it again."]
                       else ["did not send what was asked for (#{refusal.status})", "Check config.source_url, and what the app's log says."]
                       end
        StoreError.new("#{name.sub("the", "The")} #{what}.", "#{remedy} Nothing was touched.")
      end
    end
  end
end

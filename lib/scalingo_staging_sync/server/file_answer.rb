# frozen_string_literal: true

require "time"

module ScalingoStagingSync
  class Server
    # The answer to a request for an archive's file: whole or in part, with conditions, as RFC 9110 has it. It always says how
    # many bytes follow, so that a client knows of one that broke off.
    class FileAnswer
      # @param request [Rack::Request] what is asked for
      # @param file [File] the archive, open
      # @param manifest [Archives::Manifest] what is said of it
      # @param sender [Sender] what sends it
      # @param noted [Noted] where it is noted
      def initialize(request, file, manifest, sender:, noted:)
        @request = request
        @file = file
        @manifest = manifest
        @sender = sender
        @noted = noted
        @etag = %("#{manifest.sha256}")
      end

      # @return [Array] Rack's answer
      def to_a
        status, bytes = decide
        return without_body(status, bytes) if @request.head? || ![200, 206].include?(status)

        with_body(status, bytes)
      rescue StandardError
        @file.close
        raise
      end

      private

      # The status, and the bytes that it is about.
      def decide
        conditions = Conditions.new(@request, @etag, modified)
        refused = conditions.status
        return [refused, nil] if refused

        all = 0..(@manifest.size - 1)
        asked = ByteRange.of(@request.get_header("HTTP_RANGE"), @manifest.size) if conditions.range_holds?
        return [416, nil] if asked == :none

        asked ? [206, asked] : [200, all]
      end

      def modified = Time.at(@manifest.made_at.to_i)

      def headers(status, bytes)
        common = { "etag" => @etag, "last-modified" => modified.httpdate, "accept-ranges" => "bytes" }
        return common.merge("content-range" => "bytes */#{@manifest.size}", "content-length" => "0") if status == 416
        return common if status == 304
        return common.merge("content-length" => "0") unless bytes

        common["content-range"] = "bytes #{bytes.begin}-#{bytes.end}/#{@manifest.size}" if status == 206
        common.merge("content-type" => "application/octet-stream", "content-length" => bytes.size.to_s,
                     "content-disposition" => %(attachment; filename="#{@manifest.name.gsub(/[^\w.-]/, "_")}"))
      end

      def without_body(status, bytes)
        @noted.at_once(status, 0)
        @file.close
        [status, headers(status, bytes), []]
      end

      def with_body(status, bytes)
        @noted.begin_with(status)
        headers = headers(status, bytes)
        ended = ->(sent, whole) { @noted.close(sent, whole) }
        return [status, headers, Pieces.new(@file, bytes, &ended)] unless @request.env["rack.hijack?"]

        # The connection leaves the server's thread, which a slow reader would hold for as long as it reads.
        handover = Handover.new(@sender, @file, bytes, &ended)
        [status, headers.merge("connection" => "close", "rack.hijack" => handover.method(:call)), handover]
      end
    end
  end
end

# frozen_string_literal: true

require "openssl"

module ScalingoStagingSync
  class Server
    # The answer to a request for a part of an archive. It is made while it is sent, and still says how many bytes follow; a part
    # that turns out otherwise ends in a connection that breaks off.
    class PartAnswer
      # How many parts are made at a time: each takes threads, and some megabytes.
      MOST = 8
      @made = 0
      @lock = Mutex.new

      class << self
        # @return [Boolean] whether one more part may be made; then {release} follows
        def reserve
          @lock.synchronize do
            next false if @made >= MOST

            @made += 1
            true
          end
        end

        # @return [void]
        def release = @lock.synchronize { @made -= 1 }
      end

      # @param request [Rack::Request] what is asked for
      # @param part [Part] it
      # @param name [String] what it is called as a file
      # @param type [String] its media type
      # @param manifest [Archives::Manifest] the archive's manifest
      # @param sender [Sender] what sends it
      # @param noted [Noted] where it is noted
      def initialize(request, part, name:, type:, manifest:, sender:, noted:)
        @request = request
        @part = part
        @name = name
        @type = type
        @sender = sender
        @noted = noted
        @made_at = manifest.made_at
        @etag = %("#{OpenSSL::Digest.hexdigest("SHA256", "#{manifest.sha256} #{name}")}")
      end

      # @return [Array, nil] Rack's answer; nil if too many parts are being made
      # @raise [Error] when the archive cannot be read
      def to_a
        refused = Conditions.new(@request, @etag, @made_at).status
        return without_body(refused, common) if refused == 304
        return without_body(refused, common.merge("content-length" => "0")) if refused
        return unless self.class.reserve

        reserved { |headers| @request.head? ? without_body(200, headers) : with_body(headers) }
      end

      private

      # What goes on once this has returned releases the place itself.
      def reserved
        answer = yield(common.merge("content-type" => @type, "content-length" => @part.size.to_s,
                                    "content-disposition" => %(attachment; filename="#{@name.gsub(/[^\w.-]/, "_")}")))
        goes_on = answer.last.is_a?(Poured)
        answer
      ensure
        self.class.release unless goes_on
      end

      def common = { "etag" => @etag, "last-modified" => Time.at(@made_at.to_i).httpdate, "accept-ranges" => "none" }

      def without_body(status, headers)
        @noted.at_once(status, 0)
        [status, headers, []]
      end

      def with_body(headers)
        @noted.begin_with(200)
        body = Poured.new(@sender, @part) do |sent, whole|
          self.class.release
          @noted.close(sent, whole)
        end
        return [200, headers, body] unless @request.env["rack.hijack?"]

        [200, headers.merge("connection" => "close", "rack.hijack" => body.method(:call)), body]
      end
    end
  end
end

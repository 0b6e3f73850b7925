# frozen_string_literal: true

module ScalingoStagingSync
  class Server
    # Lets those pass who have a valid token (`Authorization: Bearer ...`). To all others it gives one and the same answer,
    # late, and counts them: no one learns whether a token is wrong, has expired or was revoked.
    class Door
      # Seconds that an answer to a wrong token takes.
      PAUSE = 0.5

      # How many such answers wait at a time: each holds a thread of the app's server.
      WAITING = 2

      BEARER = /\ABearer +([A-Za-z0-9]{#{Database::Tokens::LENGTH}})\z/i
      WRONG = "{\"error\":\"A valid token is needed: Authorization: Bearer ...\"}\n"
      MANY = "{\"error\":\"Too many requests without a valid token.\"}\n"
      private_constant :BEARER, :WRONG, :MANY

      # @param pause [Float] seconds that an answer to a wrong token takes
      # @param tokens [Database::Tokens] the valid ones
      # @param accesses [Database::Accesses] where the others are counted
      def initialize(pause: PAUSE, tokens: Database::Tokens.new, accesses: Database::Accesses.new)
        @pause = pause
        @tokens = tokens
        @accesses = accesses
        @lock = Mutex.new
        @waiting = 0
      end

      # @param request [Rack::Request] what is asked for
      # @yieldparam token [Database::Tokens::Token] whose request it is
      # @return [Array] Rack's answer: the block's, or the refusal
      def pass(request)
        token = presented(request)&.then { |text| @tokens.holder(text) }
        return yield(token) if token

        @accesses.wrong_token(Address.of(request))
        slowly ? refusal(401, WRONG, "www-authenticate" => "Bearer") : refusal(429, MANY, "retry-after" => "1")
      end

      private

      def presented(request) = request.get_header("HTTP_AUTHORIZATION").to_s[BEARER, 1]

      # Returns false at once where enough are waiting.
      def slowly
        return false unless @lock.synchronize { (@waiting < WAITING) && (@waiting += 1) }

        begin
          sleep(@pause)
        ensure
          @lock.synchronize { @waiting -= 1 }
        end
        true
      end

      def refusal(status, text, headers)
        common = { "content-type" => "application/json", "cache-control" => "no-store", "content-length" => text.bytesize.to_s }
        [status, common.merge(headers), [text]]
      end
    end
  end
end

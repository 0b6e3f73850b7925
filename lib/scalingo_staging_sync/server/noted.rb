# frozen_string_literal: true

module ScalingoStagingSync
  class Server
    # One request in the log of accesses.
    class Noted
      # @param token [Database::Tokens::Token] whose request it is
      # @param request [Rack::Request] what is asked for
      # @param accesses [Database::Accesses] the log
      def initialize(token, request, accesses: Database::Accesses.new)
        @token = token
        @address = Address.of(request)
        @words = [request.request_method, request.path_info, request.get_header("HTTP_RANGE")].compact.join(" ")
        @accesses = accesses
      end

      # Notes an answer that is sent at once.
      #
      # @param status [Integer] its status
      # @param bytes [Integer] bytes of its body
      # @return [void]
      def at_once(status, bytes)
        begin_with(status)
        close(bytes, true)
      end

      # Notes an answer before its first byte is sent.
      #
      # @param status [Integer] its status
      # @return [void]
      def begin_with(status)
        @id = @accesses.open(@token, address: @address, request: @words, status:)
      end

      # Notes how it ended. The database may be away by then, which must not harm what was sent.
      #
      # @param bytes [Integer] bytes of its body that were sent
      # @param whole [Boolean] whether these are all
      # @return [void]
      def close(bytes, whole)
        @accesses.close(@id, bytes:, whole:)
      rescue ActiveRecord::ActiveRecordError, PrivilegeError => error
        ScalingoStagingSync.configuration.logger.warn("How a download ended could not be noted (#{error.class}).")
      end
    end
  end
end

# frozen_string_literal: true

module ScalingoStagingSync
  class Server
    # Where a request comes from, for the log of accesses.
    module Address
      module_function

      # @param request [Rack::Request] the request
      # @return [String, nil] the client's address as the proxies before this app pass it on; the nearest one's where what they
      #   pass on is no address
      def of(request) = request.ip.presence || request.get_header("REMOTE_ADDR")
    end
  end
end

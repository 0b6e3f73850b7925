# frozen_string_literal: true

module ScalingoStagingSync
  class Server
    # An answer whose connection the app's server hands over to the {Sender} once it has sent the head. It stands in the body's
    # place, too, and so learns when the server is done without having handed anything over.
    class Handover
      # @param sender [Sender] what sends
      # @param file [File] it, open
      # @param bytes [Range] what of it
      # @yieldparam sent [Integer] how many bytes were handed to the network
      # @yieldparam whole [Boolean] whether these are all
      def initialize(sender, file, bytes, &ended)
        @sender = sender
        @file = file
        @bytes = bytes
        @ended = ended
      end

      # @param socket [IO] the connection
      # @return [void]
      def call(socket)
        @handed = true
        @sender.take(socket, @file, @bytes, &@ended)
      end

      # A body that is handed over has no bytes of its own.
      #
      # @return [void]
      def each; end

      # @return [void]
      def close
        return if @handed || @file.closed?

        @file.close
        @ended.call(0, false)
      end
    end
  end
end

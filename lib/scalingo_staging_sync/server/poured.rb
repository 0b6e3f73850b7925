# frozen_string_literal: true

module ScalingoStagingSync
  class Server
    # A body that is made while it is sent. The app's server either sends it itself, or hands its connection over once it has
    # sent the head; and it closes the body when it is done with it either way.
    class Poured
      # @param sender [Sender] what sends to a connection that is handed over
      # @param part [Part] what is sent
      # @yieldparam sent [Integer] how many bytes were taken
      # @yieldparam whole [Boolean] whether these are all
      def initialize(sender, part, &ended)
        @sender = sender
        @part = part
        @ended = ended
        @sent = 0
      end

      # @param socket [IO] the connection
      # @return [void]
      def call(socket)
        @handed = true
        @sender.pour(socket, @part, &@ended)
      end

      # @yieldparam piece [String] the next bytes
      # @return [void]
      # @raise [EOFError] when they are fewer or more than the head has said: the connection must not end as if these were all
      def each
        return if @handed

        @part.each do |piece|
          raise EOFError if @sent + piece.bytesize > @part.size

          yield piece.dup # a server may keep it for a while
          @sent += piece.bytesize
        end
        raise EOFError if @sent < @part.size
      end

      # @return [void]
      def close
        return if @handed || @closed

        @closed = true
        @ended.call(@sent, @sent == @part.size)
      end
    end
  end
end

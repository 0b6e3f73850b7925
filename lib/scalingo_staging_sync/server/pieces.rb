# frozen_string_literal: true

module ScalingoStagingSync
  class Server
    # The body of an answer where the app's server sends it itself: some bytes of a file, piece by piece.
    class Pieces
      # Bytes of a piece.
      SIZE = 64 * 1024

      # @param file [File] it, open; closed with the body
      # @param bytes [Range] what of it
      # @yieldparam sent [Integer] how many bytes were taken when the body is closed
      # @yieldparam whole [Boolean] whether these are all
      def initialize(file, bytes, &ended)
        @file = file
        @bytes = bytes
        @ended = ended
        @sent = 0
      end

      # @yieldparam piece [String] the next bytes
      # @return [void]
      # @raise [EOFError] when the file has become shorter: the connection must not end as if all had been sent
      def each
        while @sent < @bytes.size
          piece = @file.pread([SIZE, @bytes.size - @sent].min, @bytes.begin + @sent)
          yield piece
          @sent += piece.bytesize
        end
      end

      # @return [void]
      def close
        return if @file.closed?

        @file.close
        @ended.call(@sent, @sent == @bytes.size)
      end
    end
  end
end

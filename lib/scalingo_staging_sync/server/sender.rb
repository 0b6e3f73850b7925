# frozen_string_literal: true

require "socket"

module ScalingoStagingSync
  class Server
    # Sends files over connections that the app's server has handed over. One thread serves all of them, each as fast as its
    # reader takes it; a reader costs a place in a list, and no memory of its own. What is made while it is sent has a thread of
    # its own; of those there are few.
    class Sender
      include Support::Discreet

      # Seconds without a byte after which a reader is given up.
      PATIENCE = 60

      # A connection, the file, the next byte, the byte after the last, when it last moved, and who is called at the end.
      Transfer = Struct.new(:socket, :file, :start, :position, :finish, :moved_at, :ended)
      private_constant :Transfer

      # @param patience [Float] seconds without a byte after which a reader is given up
      def initialize(patience: PATIENCE)
        @patience = patience
        @lock = Mutex.new
      end

      # Sends, and returns at once. The connection and the file are closed at the end.
      #
      # @param socket [IO] the connection, after the answer's head
      # @param file [File] it, open
      # @param bytes [Range] what of it
      # @yieldparam sent [Integer] how many bytes were handed to the network
      # @yieldparam whole [Boolean] whether these are all
      # @return [void]
      def take(socket, file, bytes, &ended)
        transfer = Transfer.new(socket, file, bytes.begin, bytes.begin, bytes.end + 1, now, ended)
        return Thread.new { alone(transfer) } unless socket.is_a?(BasicSocket) # one with TLS, or a server's own pipe

        @lock.synchronize do
          start unless @thread&.alive? && @pid == Process.pid
          @arrived << transfer
        end
        @wake.write_nonblock(".", exception: false)
      end

      # Sends what is made meanwhile, and returns at once. The connection is closed at the end.
      #
      # @param socket [IO] the connection, after the answer's head
      # @param part [Part] what is sent
      # @yieldparam sent [Integer] how many bytes were handed to the network
      # @yieldparam whole [Boolean] whether these are all
      # @return [void]
      def pour(socket, part, &ended)
        Thread.new do
          transfer = Transfer.new(socket, nil, 0, 0, part.size, now, ended)
          part.each { |piece| give(transfer, piece) }
        rescue SystemCallError, IOError
          nil # the reader has gone, or takes nothing
        rescue StandardError => error
          ScalingoStagingSync.configuration.logger.error("A part of the archive could not be sent. #{error.message}")
        ensure
          finish(transfer)
        end
      end

      private

      # Writes all of a piece, for a reader that takes it within some time. More than was promised is not sent.
      def give(transfer, piece)
        raise EOFError if transfer.position + piece.bytesize > transfer.finish

        rest = piece
        until rest.empty?
          written = transfer.socket.write_nonblock(rest, exception: false)
          next if written.is_a?(Symbol) && waited?(transfer.socket, written)
          raise IOError if written.is_a?(Symbol)

          transfer.position += written
          rest = rest.byteslice(written..)
        end
      end

      # A connection with TLS may have to read before it can write.
      def waited?(socket, wish)
        (wish == :wait_readable) ? socket.to_io.wait_readable(@patience) : socket.to_io.wait_writable(@patience)
      end

      # A server that forks takes no thread along.
      def start
        @pid = Process.pid
        @arrived = Queue.new
        @finished = Queue.new
        @buffer = String.new(capacity: Pieces::SIZE)
        woken, @wake = IO.pipe
        @thread = Thread.new { serve(woken, @arrived, @finished) }
        @noting = Thread.new { note(@finished) }
      end

      def serve(woken, arrived, finished)
        transfers = {}
        loop do
          readable, writable, = IO.select([woken], transfers.keys, nil, 1)
          woken.read_nonblock(4096, exception: false) if readable&.any?
          arrived.pop.then { |transfer| transfers[transfer.socket] = transfer } until arrived.empty?
          writable&.each { |socket| finished << transfers.delete(socket) if advance(transfers[socket]) }
          give_up(transfers, finished)
        end
      end

      # Sends one piece, so that every reader gets its turn. Whether the transfer has ended.
      def advance(transfer)
        piece = transfer.file.pread([Pieces::SIZE, transfer.finish - transfer.position].min, transfer.position, @buffer)
        written = transfer.socket.write_nonblock(piece, exception: false)
        return false if written == :wait_writable

        transfer.position += written
        transfer.moved_at = now
        transfer.position == transfer.finish
      rescue SystemCallError, IOError # the reader has gone, or the file has become shorter
        true
      end

      def give_up(transfers, finished)
        stalled = transfers.values.select { |transfer| now - transfer.moved_at > @patience }
        stalled.each { |transfer| finished << transfers.delete(transfer.socket) }
      end

      def alone(transfer)
        while transfer.position < transfer.finish
          transfer.position += transfer.socket.write(transfer.file.pread([Pieces::SIZE, transfer.finish - transfer.position].min, transfer.position))
        end
      rescue SystemCallError, IOError
        nil
      ensure
        finish(transfer)
      end

      # Noting the end asks the database, for which no reader is to wait.
      def note(finished)
        loop { finish(finished.pop) }
      end

      def finish(transfer)
        transfer.file&.close
        begin
          transfer.socket.close
        rescue SystemCallError, IOError
          nil # the reader was faster
        end
        transfer.ended.call(transfer.position - transfer.start, transfer.position == transfer.finish)
      rescue StandardError => error
        ScalingoStagingSync.configuration.logger.warn("A download could not be brought to its end (#{error.class}).")
      end

      def now = Process.clock_gettime(Process::CLOCK_MONOTONIC)
    end
  end
end

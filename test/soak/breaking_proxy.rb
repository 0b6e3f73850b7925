# frozen_string_literal: true

require "socket"

module Soak
  # Stands between the gem and a server, counts the messages that pass in either direction over all connections, and breaks
  # the connection of one of them. A message is PostgreSQL's, or, of HTTP, what arrives at once.
  class BreakingProxy
    # What becomes of the connection whose message it is.
    #
    # reset::     both ends get a RST
    # half_open:: the server's end is closed, the gem's stays open and silent
    # stall::     both stay open, and whatever is sent is taken and goes nowhere
    # truncate::  half of the message still arrives, then both are closed
    WAYS = %i[reset half_open stall truncate].freeze

    # Another way, which breaks nothing: the message waits until the block is done.
    HOLD = :hold

    # A connection through the proxy.
    Pair = Struct.new(:guest, :host, :lone, :broken)

    attr_reader :count, :happened

    # @param port [Integer] the server's port on this machine
    # @param protocol [Symbol] :postgres or :http
    # @param at [Integer, Regexp, nil] the number of the message to break at, or what the first one holds; nil for none
    # @param way [Symbol, nil] one of WAYS, or HOLD with a block
    def initialize(port, protocol, at: nil, way: nil, &hold)
      @port = port
      @protocol = protocol
      @at = at
      @way = way
      @hold = hold
      @count = 0
      @lock = Mutex.new
      @pairs = []
      @server = TCPServer.new("127.0.0.1", 0)
      @threads = [Thread.new { accept }]
    end

    def port = @server.addr[1]

    def stop
      @threads.each(&:kill)
      close(@server)
      @pairs.each { |pair| [pair.guest, pair.host].each { |socket| close(socket) } }
    end

    private

    def accept
      loop do
        pair = Pair.new(@server.accept, TCPSocket.new("127.0.0.1", @port), 0, false)
        @pairs << pair
        @threads << Thread.new { pump(pair, pair.guest, pair.host, from_guest: true) }
        @threads << Thread.new { pump(pair, pair.host, pair.guest, from_guest: false) }
      rescue SystemCallError
        close(pair&.guest)
      end
    end

    def pump(pair, from, to, from_guest:)
      begun = !from_guest
      loop do
        message = (@protocol == :http) ? from.readpartial(2048) : read_message(pair, from, begun:, from_guest:)
        begun ||= message.byteslice(4, 4) != SSL_REQUEST
        case pass?(pair, message)
        when true then to.write(message)
        when HOLD
          @hold.call
          to.write(message)
        when false then return broken(pair, to, message)
        end
      end
    rescue IOError, SystemCallError
      [pair.guest, pair.host].each { |socket| close(socket) } unless pair.broken
    end

    SSL_REQUEST = [80_877_103].pack("N").freeze
    private_constant :SSL_REQUEST

    # One message, whole. What comes before the startup has no type, and the answer to a wish for TLS has nothing else.
    def read_message(pair, from, begun:, from_guest:)
      type = begun ? exactly(from, 1) : ""
      if !from_guest && pair.lone.positive?
        pair.lone -= 1
        return type
      end
      head = type + exactly(from, 4)
      body = exactly(from, head.byteslice(-4, 4).unpack1("N") - 4)
      pair.lone += 1 if !begun && body.start_with?(SSL_REQUEST)
      head + body
    end

    def exactly(from, length)
      return +"" if length.zero?

      from.read(length).then { |bytes| (bytes&.bytesize == length) ? bytes : raise(EOFError) }
    end

    # Whether a message passes, or HOLD; nil when its connection swallows everything.
    def pass?(pair, message)
      @lock.synchronize do
        return nil if pair.broken

        @count += 1
        return true if @happened || [@count, message].none? { |one| @at === one } # rubocop:disable Style/CaseEquality

        @happened = true
        return HOLD if @way == HOLD

        pair.broken = true
        false
      end
    end

    def broken(pair, to, message)
      case @way
      when :truncate
        to.write(message.byteslice(0, message.bytesize / 2))
        [pair.guest, pair.host].each { |socket| close(socket) }
      when :reset then [pair.guest, pair.host].each { |socket| reset(socket) }
      when :half_open then reset(pair.host)
      end
    end

    def reset(socket)
      socket.setsockopt(Socket::SOL_SOCKET, Socket::SO_LINGER, [1, 0].pack("ii"))
      socket.close
    rescue IOError, SystemCallError
      nil
    end

    # A close that waits for another thread's read can be cut short by the end of that thread, and the server would hear
    # nothing of it; a shutdown cannot.
    def close(socket)
      return if socket.nil? || socket.closed?

      socket.shutdown(Socket::SHUT_RDWR) unless socket == @server
      socket.close
    rescue IOError, SystemCallError
      nil
    end
  end
end

# frozen_string_literal: true

require "socket"

# Stands between the gem and a server, passes bytes both ways, and can stop passing them while both connections stay
# open: what a hanging server or network looks like, which no TCP keepalive notices.
class StallingProxy
  # @param port [Integer] the server's port on this machine
  def initialize(port)
    @port = port
    @server = TCPServer.new("127.0.0.1", 0)
    @gate = Mutex.new
    @open = ConditionVariable.new
    @threads = [Thread.new { accept }]
    @sockets = []
  end

  def port = @server.addr[1]

  # From now on nothing arrives any more, in either direction.
  def stall = @gate.synchronize { @stalled = true }

  def stop
    @threads.each(&:kill)
    [@server, *@sockets].each { |socket| socket.close unless socket.closed? }
  end

  private

  def accept
    loop do
      guest = @server.accept
      host = TCPSocket.new("127.0.0.1", @port)
      @sockets << guest << host
      @threads << pump(guest, host) << pump(host, guest)
    end
  end

  def pump(from, to)
    Thread.new do
      loop do
        bytes = from.readpartial(65_536)
        @gate.synchronize { @open.wait(@gate) while @stalled }
        to.write(bytes)
      end
    rescue IOError, SystemCallError
      to.close unless to.closed?
    end
  end
end

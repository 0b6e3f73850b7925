# frozen_string_literal: true

require "json"
require "rbconfig"
require "socket"

# Puts a server on this machine far away: what passes arrives half a round trip later, in order, both ways, and no faster than
# a rate allows. Bytes on their way do not keep others waiting, so the rate is had at any distance. It runs as a process of its
# own, so that neither its CPU time nor a lock of the interpreter's counts for the program that is looked at.
#
#   proxy = DistantProxy.start({ database: 5432, store: 9000 }, round_trip: 0.02, rate: 12_500_000)
#   proxy.port(:database)      # what a client is to connect to
#   proxy.traffic(:database)   # Traffic: bytes each way, turns, connections
#   proxy.stop
#
# A turn is a client that sends something after something has come: what it sent before had been waited for. A client that
# sends ahead has few, whatever the distance. Opening a connection takes a round trip, as TCP does, and counts as a turn.
class DistantProxy
  # What has passed to one server so far: bytes to it and from it, turns and connections.
  Traffic = Struct.new(:sent, :received, :turns, :connections, keyword_init: true) do
    def -(other) = Traffic.new(**to_h { |name, count| [name, count - other[name]] })
  end

  # @param servers [Hash] a name of each server, and its port on this machine
  # @param round_trip [Float] seconds there and back, as ping shows them
  # @param rate [Float, nil] bytes per second each way, of all connections to one server together; nil: no limit
  # @param trace [String, nil] a file that gets a line for each turn: seconds, connection, the beginning of what is sent
  def self.start(servers, round_trip:, rate: nil, trace: nil) = new(servers, round_trip:, rate:, trace:)

  def initialize(servers, round_trip:, rate:, trace:)
    @names = servers.keys
    settings = { ports: servers.values, round_trip:, rate:, trace: }
    @pipe = IO.popen([RbConfig.ruby, __FILE__, JSON.generate(settings)], "r+")
    @ports = answer
  end

  def port(name) = @ports.fetch(index(name))

  def traffic(name)
    @pipe.puts("traffic")
    Traffic.new(**answer.fetch(index(name)).transform_keys(&:to_sym))
  end

  def stop = @pipe.close

  private

  def answer = JSON.parse(@pipe.gets || raise("the proxy has ended"))

  def index(name) = @names.index(name) || raise(KeyError, "no server #{name}")

  # One direction of the way to a server, which its connections share: what one sends, others wait behind.
  class Road
    # Bytes that leave together: few enough that a connection's turn comes soon.
    PIECE = 16_384
    # Bytes of a connection that may be on their way, as a large TCP window allows.
    WINDOW = 4 * 1024 * 1024

    def initialize(delay, rate)
      @delay = delay
      @rate = rate
      @lock = Mutex.new
      @free_at = 0.0
    end

    # When so many bytes, sent at `now`, have arrived.
    def arrival(bytes, now)
      return now + @delay unless @rate

      @lock.synchronize { @free_at = [@free_at, now].max + (bytes / @rate) } + @delay
    end
  end

  # The way to one server.
  class Route
    def initialize(port, number, settings)
      @port = port
      @number = number
      @round_trip = settings.fetch("round_trip")
      @roads = { sent: road(settings), received: road(settings) }
      @trace = settings["trace"] && File.open(settings["trace"], "a").tap { |file| file.sync = true }
      @counts = { sent: 0, received: 0, turns: 0, connections: 0 }
      @lock = Mutex.new
      @server = TCPServer.new("127.0.0.1", 0)
      Thread.new { loop { connect(@server.accept) } }
    end

    def port = @server.addr[1]

    def counts = @lock.synchronize { @counts.dup }

    private

    def road(settings) = Road.new(@round_trip / 2, settings["rate"])

    def now = Process.clock_gettime(Process::CLOCK_MONOTONIC)

    def connect(guest)
      host = TCPSocket.new("127.0.0.1", @port)
      [guest, host].each { |socket| socket.setsockopt(Socket::IPPROTO_TCP, Socket::TCP_NODELAY, 1) }
      number = @lock.synchronize { @counts[:connections] += 1 }
      connection = { name: "#{@number}.#{number}", open_at: now + @round_trip, has_answered: true }
      carry(guest, host, :sent, connection)
      carry(host, guest, :received, connection)
    rescue SystemCallError
      guest.close
    end

    # A thread that takes what comes, and one that hands it on when its time has come.
    def carry(from, to, direction, connection)
      line = Thread::SizedQueue.new(Road::WINDOW / Road::PIECE)
      Thread.new do
        loop do
          bytes = from.readpartial(Road::PIECE)
          note_sent(bytes, connection) if direction == :sent
          @lock.synchronize { @counts[direction] += bytes.bytesize }
          line << [@roads[direction].arrival(bytes.bytesize, [now, connection[:open_at]].max), bytes]
        end
      rescue IOError, SystemCallError
        line << [@roads[direction].arrival(0, now), nil]
      end
      Thread.new { deliver(line, to, direction, connection) }
    end

    def deliver(line, to, direction, connection)
      loop do
        due, bytes = line.pop
        wait = due - now
        sleep(wait) if wait.positive?
        break unless bytes

        connection[:has_answered] = true if direction == :received
        to.write(bytes)
      end
      to.close_write
    rescue IOError, SystemCallError
      # The other side has gone. What still comes is thrown away, so that its reader sees the end.
      loop { break unless line.pop.last }
    end

    def note_sent(bytes, connection)
      return unless connection[:has_answered]

      connection[:has_answered] = false
      @lock.synchronize { @counts[:turns] += 1 }
      @trace&.puts("#{now.round(4)} #{connection[:name]} #{bytes[0, 160].gsub(/[^ -~]+/, " ").strip}")
    end
  end

  # In the process of its own: says its ports, and answers until its input ends.
  SERVE = lambda do |settings|
    Thread.report_on_exception = false
    routes = settings.fetch("ports").each_with_index.map { |port, number| Route.new(port, number, settings) }
    $stdout.sync = true
    puts JSON.generate(routes.map(&:port))
    puts JSON.generate(routes.map(&:counts)) while $stdin.gets
  end
end

DistantProxy::SERVE.call(JSON.parse(ARGV.fetch(0))) if $PROGRAM_NAME == __FILE__

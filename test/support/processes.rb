# frozen_string_literal: true

require "timeout"

# A process that a test or the demo starts, watches and stops. Its output is read line by line as it comes.
class WatchedProcess
  # What a process that ran to its end has left.
  Result = Struct.new(:status, :output) do
    def success? = status.success?

    # The signal that ended it, or nil.
    def signal = status.termsig
  end

  # Variables of Bundler's and Ruby's that a process with a Gemfile of its own must not inherit.
  CLEAN = %w[RUBYOPT RUBYLIB GEM_HOME GEM_PATH BUNDLE_GEMFILE BUNDLE_BIN_PATH BUNDLER_VERSION BUNDLER_SETUP]
          .to_h { |name| [name, nil] }.freeze

  attr_reader :pid

  # environment:: variables to set; nil removes one
  # directory::   where it runs
  def initialize(*command, environment: {}, directory: Dir.pwd)
    reader, writer = IO.pipe
    @output = +""
    @lock = Mutex.new
    @news = ConditionVariable.new
    @pid = Process.spawn(environment, *command, chdir: directory, in: File::NULL, out: writer, err: writer)
    writer.close
    @reading = Thread.new { read(reader) }
  end

  # Runs a command to its end.
  def self.run(*command, **options) = new(*command, **options).wait

  # Keeps an object, such as a temporary file, for as long as this one.
  def keep(object) = (@kept ||= []) << object

  def output = @lock.synchronize { @output.dup }

  def kill(signal) = Process.kill(signal, pid)

  # Waits until the output matches, or the process has ended; true when it matches.
  def wait_for(pattern, seconds = 60)
    Timeout.timeout(seconds, Timeout::Error, "#{pattern.inspect} did not appear within #{seconds} s in:\n#{output}") do
      @lock.synchronize do
        @news.wait(@lock, 0.2) until @output.match?(pattern) || !@reading.alive?
        @output.match?(pattern)
      end
    end
  end

  # Yields each line of the output as it comes, until the end.
  def each_line(&)
    shown = 0
    loop do
      alive = @reading.alive?
      fresh = output.lines.drop(shown)
      fresh.each(&)
      shown += fresh.length
      return unless alive

      @lock.synchronize { @news.wait(@lock, 0.1) }
    end
  end

  # Waits for the end and returns the Result.
  def wait(seconds = 600)
    Timeout.timeout(seconds) { Process.wait(pid) }
    status = $?
    @reading.join
    Result.new(status, output)
  rescue Timeout::Error
    kill(:KILL)
    Process.wait(pid)
    raise "still running after #{seconds} s:\n#{output}"
  end

  private

  def read(reader)
    reader.each_line do |line|
      @lock.synchronize do
        @output << line
        @news.broadcast
      end
    end
  ensure
    reader.close
    @lock.synchronize { @news.broadcast }
  end
end

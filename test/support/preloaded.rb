# frozen_string_literal: true

require "json"
require "tempfile"
require "timeout"
require_relative "processes"

# A process that has Rails in memory and forks for each task of an app, so that the second of a processor that Rails takes
# to start is spent once in a test program, and not for each of hundreds of tasks.
#
# What is loaded before is gems' code alone, by the same Gemfile. What a test is about comes after the fork: the variables
# (RAILS_ENV among them), the folder, the app's Rakefile and config, this gem and its library. So no thread of either is
# there when it forks.
#
# These start from scratch, as a team's do: what RailsApp#start_rake starts, since a test sends it signals or looks at it;
# what runs in a terminal; a server; and the first task of each Gemfile and of each setting of the variables that Ruby or
# Bundler reads at its start. With TEST_PRELOADED=no everything does. The unit tests' apps, which have no database and no
# Gemfile of their own, have a process of their own.
class Preloaded
  PROCESS = File.join(__dir__, "preloaded_process.rb")

  # Read by Ruby, Bundler or the C library before any code is. Each app's BUNDLE_GEMFILE is another file of the same text.
  AT_START = /\A(RUBY|GEM_|BUNDLE(?!_GEMFILE\z)|LANG|LC_|LD_|MALLOC_|TZ\z|HOME\z|PATH\z|TMPDIR\z)/

  # What runs Ruby in an app with a Gemfile of its own.
  APP = %w[bundle exec ruby].freeze

  # How a task ended: what tests ask a Process::Status for, which none but Ruby can make.
  Status = Data.define(:exitstatus, :termsig) do
    def success? = exitstatus&.zero?
  end

  @known = {}

  class << self
    # @param directory [String] the app's
    # @param environment [Hash{String => String, nil}] variables to set; nil removes one
    # @param script [String, nil] a Ruby program to run, by its path in the app; "rake" is rake
    # @param code [String, nil] Ruby to run
    # @param arguments [Array<String>] of the program
    # @param command [Array<String>] what runs Ruby
    # @param ahead [String] what is loaded before: "app", an app with a database, or "bare", one without
    # @param input [String, nil] what can be read
    # @return [WatchedProcess::Result, nil] how it ended; nil if it must start from scratch
    def run(directory, environment, command: APP, ahead: "app", **what)
      return if ENV["TEST_PRELOADED"] == "no"

      variables = ENV.to_h.merge(environment).compact
      kind = [command, ahead, File.read(variables.fetch("BUNDLE_GEMFILE")), variables.slice(*variables.keys.grep(AT_START))]
      return @known[kind] = nil unless @known.key?(kind)

      @known[kind] ||= new(environment, directory, [*command, PROCESS, ahead])
      @known[kind].run({ directory:, variables:, arguments: [], **what })
    end
  end

  def initialize(environment, directory, command)
    @pipe = IO.popen([environment, *command], "r+", chdir: directory)
    @one_at_a_time = Mutex.new
  end

  def run(request)
    @one_at_a_time.synchronize do
      Tempfile.create("preloaded") do |output|
        @pipe.puts(JSON.generate(request.merge(output: output.path)))
        pid = Integer(answer)
        WatchedProcess::Result.new(wait(pid, output), output.read)
      end
    end
  rescue Errno::EPIPE
    gone
  end

  private

  def wait(pid, output, seconds = 600)
    Status.new(*JSON.parse(Timeout.timeout(seconds) { answer }))
  rescue Timeout::Error
    Process.kill(:KILL, pid)
    answer
    raise "still running after #{seconds} s:\n#{output.read}"
  end

  def answer = @pipe.gets || gone

  def gone = raise("The process that has Rails in memory has ended; TEST_PRELOADED=no does without it.")
end

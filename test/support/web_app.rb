# frozen_string_literal: true

require "net/http"
require "socket"
require_relative "rails_app"

# A Rails app of {RailsApp}'s that Puma serves, with {ScalingoStagingSync::Server} mounted in it, and what clients do with it.
class WebApp
  PATH = "/staging_sync"

  attr_reader :rails, :port

  # What curl has got: its exit status, the status line's number, the headers by small names, and the body.
  Answer = Struct.new(:exit, :status, :headers, :body)

  # rails:: the app; its server runs until #stop
  def initialize(rails, environment: {}, threads: 5)
    @rails = rails
    rails.write("Gemfile", "#{rails.read("Gemfile")}gem \"puma\"\n") unless rails.read("Gemfile").include?("puma")
    rails.write("config.ru", "require_relative \"config/environment\"\nrun Rails.application\n")
    rails.write("config/routes.rb", <<~RUBY)
      Rails.application.routes.draw { mount ScalingoStagingSync::Server.new => "#{PATH}" }
    RUBY
    @process = WatchedProcess.new("bundle", "exec", "puma", "-t", "#{threads}:#{threads}", "-b", "tcp://127.0.0.1:0", "config.ru",
                                  environment: rails.environment.merge(environment), directory: rails.directory)
    @process.wait_for(/Listening on http:\S+:(\d+)/) || raise("Puma did not start:\n#{@process.output}")
    @port = Integer(@process.output[/Listening on http:\S+:(\d+)/, 1])
  end

  def url(path = "") = "http://127.0.0.1:#{port}#{PATH}#{path}"

  def output = @process.output

  # Resident memory of the server, in bytes.
  def memory = Integer(File.read("/proc/#{@process.pid}/status")[/^VmRSS:\s+(\d+)/, 1], 10) * 1024

  # What curl gets, with the path as it is written.
  def curl(path, *options, token: nil)
    given = token ? ["-H", "Authorization: Bearer #{token}"] : []
    text, _, status = Open3.capture3("curl", "-sS", "-i", "--path-as-is", *given, *options, url(path), binmode: true)
    head, body = text.split("\r\n\r\n", 2)
    lines = head.to_s.lines(chomp: true)
    headers = lines.drop(1).to_h { |line| line.split(": ", 2).then { |name, value| [name.downcase, value] } }
    Answer.new(status.exitstatus, lines.first.to_s[/\AHTTP\S+ (\d+)/, 1].to_i, headers, body)
  end

  # A connection on which the whole archive was asked for, and nothing read yet.
  def reader(token)
    TCPSocket.new("127.0.0.1", port).tap do |socket|
      socket.write("GET #{PATH}/archive HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer #{token}\r\n\r\n")
    end
  end

  # At once: as it ends in good order, Puma 6 now and then waits for ever under Ruby 3.3 to close its own listener.
  def stop
    @process.kill(:KILL)
    @process.wait(30)
  end
end

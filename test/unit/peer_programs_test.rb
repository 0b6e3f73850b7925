# frozen_string_literal: true

require "test_helper"
require "open3"
require "rbconfig"
require_relative "../../bench/peer_contestants"

# Others' tools beside the benchmark: how they are installed, and how their programs are run.
class PeerProgramsTest < Minitest::Test
  PEERS = File.expand_path("../../bench/peers", __dir__)

  # Runs a shell.
  class Shell < Contestants::Peer
    PROGRAM = "sh"

    public :start
  end

  # Knows no processes.
  class Watch
    def process(pid) = pid
  end

  def setup
    @directory = Dir.mktmpdir
    FileUtils.mkdir_p("#{@directory}/stubs")
    @shell = Shell.new(nil, nil)
  end

  def teardown = FileUtils.remove_entry(@directory)

  def test_a_tool_that_cannot_be_had_is_named_and_the_others_are_installed
    stub "go", 'case "$2" in *greenmask*) echo "not to be had" >&2; exit 1 ;; esac; echo "#!/bin/sh" >"$GOBIN/pgstream"'
    output, status = install("greenmask", "pgstream")
    assert_predicate status, :success?
    assert_match(/left out: greenmask: go install .*greenmask@v[\d.]+ failed: not to be had/, output)
    assert_match(/\Apgstream \d+\.\d+\.\d+\n\z/, File.read("#{@directory}/peers/versions"))
    assert_path_exists "#{@directory}/peers/bin/pgstream"
  end

  def test_a_tool_that_is_installed_again_has_one_version
    stub "go", "true"
    2.times { install("pgstream") }
    assert_equal 1, File.readlines("#{@directory}/peers/versions").size
  end

  def test_an_unknown_tool_is_refused
    output, status = install("pgsync")
    assert_equal 2, status.exitstatus
    assert_match(/unknown tool pgsync/, output)
  end

  def test_a_program_that_fails_says_why
    error = assert_raises(RuntimeError) { start("echo one; echo two >&2; exit 3") }
    assert_match(%r{\Ash -c failed: one / two\z}, error.message)
  end

  def test_a_program_that_does_not_end_is_stopped_with_what_it_started
    error = assert_raises(RuntimeError) { start("sleep 300 & echo $! >'#{@directory}/child'; wait", limit: 0.5) }
    assert_match(/did not end within 0.5 s/, error.message)
    child = Integer(File.read("#{@directory}/child"))
    200.times { running?(child) ? sleep(0.05) : break }
    refute running?(child)
  end

  def test_a_program_finds_the_servers_own_programs_first
    start("test \"${PATH%%:*}\" = /of-the-server")
  end

  private

  def start(script, **)
    with_env("TEST_PG_BINDIR" => "/of-the-server") { @shell.start(Watch.new, "-c", script, **) }
  end

  # Neither ended nor waiting for its parent to notice.
  def running?(pid)
    !File.read("/proc/#{pid}/stat").match?(/\) [ZX] /)
  rescue Errno::ENOENT, Errno::ESRCH
    false
  end

  def stub(name, script)
    path = "#{@directory}/stubs/#{name}"
    File.write(path, "#!/bin/sh\n#{script}\n")
    FileUtils.chmod(0o755, path)
  end

  def install(*tools)
    Open3.capture2e({ "BENCH_PEERS" => "#{@directory}/peers", "PATH" => "#{@directory}/stubs:#{ENV.fetch("PATH")}" }, PEERS, *tools)
  end
end

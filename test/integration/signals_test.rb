# frozen_string_literal: true

require_relative "integration_helper"
require_relative "../support/stalling_proxy"

# A hurried person presses Ctrl-C again, a platform sends SIGTERM behind SIGINT. However the signals come, the run
# ends, and what the target says of itself is true.
#
# SIGNAL_RUNS=100 makes as many runs as that; the default keeps the suite short. SIGNAL_SEED repeats a run's moments.
class SignalsTest < IntegrationTest
  RUNS = Integer(ENV.fetch("SIGNAL_RUNS", 24))
  SEED = Integer(ENV.fetch("SIGNAL_SEED", 20_261_128))
  SIGNALS = %w[INT TERM HUP].freeze
  SIDE_BY_SIDE = 6

  # Seconds after its last signal in which a run has to be gone. They end a test that would hang.
  PATIENCE = 3

  # A run that is to be stopped: how, and when, in seconds from its beginning.
  Trial = Struct.new(:door, :signals)

  def test_a_run_ends_by_two_or_three_signals_at_any_moment_and_its_state_is_true
    archive = Shared.large_archive
    counts = large_shop.counts
    length = seconds { assert_equal 0, wait_for(start(:command, new_staging, archive), 60) }
    trials = trials(length).each_slice((RUNS + SIDE_BY_SIDE - 1) / SIDE_BY_SIDE).map { |share| [new_staging, share] }
    stopping = trials.map do |staging, share|
      Thread.new { share.each { |trial| stop(trial, staging, archive, counts) } }.tap { |thread| thread.report_on_exception = false }
    end
    stopping.each(&:join)
  end

  # The first signal ends the engine; then the server is asked for the target's state, which it never says.
  def test_a_second_signal_ends_a_run_that_asks_a_silent_server_for_its_state
    silent = SilentServer.new
    later { silent.stop }
    url = "postgres://app@127.0.0.1:#{silent.port}/app"
    said = path("said")
    pid = fork_run do
      require "active_record"
      ActiveRecord::Base.establish_connection(url)
      command(url, shop_archive, File.open(said, "w").tap { |file| file.sync = true }).run
    end
    silent.wait_for_guest
    Process.kill(:INT, pid)
    silent.wait_for_guest
    Process.kill(:TERM, pid)
    assert_equal 143, wait_for(pid, PATIENCE)
    assert_match(/The run was ended at once \(SIGTERM\)\. The target was not touched/, File.read(said))
  end

  def test_an_exception_that_another_thread_raises_twice_ends_the_call_both_times
    staging = new_staging
    fake = fake_scalingo(archive: Shared.large_archive, hold_at: 1000, piece: 512)
    settings = Engine.settings(source: fake.source, target: staging.url, rules: SHOP_RULES)
    runner = Thread.new { ScalingoStagingSync::Native.run(settings) }
    runner.report_on_exception = false
    fake.wait_until_held
    2.times { runner.raise(Interrupt, "again") }
    assert_raises(Interrupt) { Timeout.timeout(PATIENCE) { runner.value } }
    staging.database.wait_until_idle(10)
  end

  def test_a_time_limit_around_a_run_ends_it
    staging = new_staging
    fake = fake_scalingo(archive: Shared.large_archive, hold_at: 1000, piece: 512)
    settings = Engine.settings(source: fake.source, target: staging.url, rules: SHOP_RULES)
    assert_raises(Timeout::Error) do
      Timeout.timeout(1) { Timeout.timeout(0.9) { ScalingoStagingSync::Native.run(settings) } }
    end
    staging.database.wait_until_idle(10)
  end

  def test_a_run_that_fails_while_the_server_falls_silent_still_ends_by_one_signal
    runner = failing_run_on_a_silent_server
    sleep 0.3
    runner.raise(Interrupt, "stop")
    assert_raises(Interrupt) { Timeout.timeout(PATIENCE) { runner.value } }
  end

  def test_a_run_that_fails_while_the_server_falls_silent_ends_by_itself_with_its_own_error
    runner = failing_run_on_a_silent_server
    error = assert_raises(ScalingoStagingSync::PlanError) { Timeout.timeout(30) { runner.value } }
    assert_match(/no_such_table/, error.message)
  end

  private

  # A rule that fits nothing ends the run after the plan; from its beginning the server says no more.
  def failing_run_on_a_silent_server
    proxy = StallingProxy.new(Postgres.port)
    later { proxy.stop }
    url = new_staging.url.sub(":#{Postgres.port}/", ":#{proxy.port}/")
    settings = Engine.settings(source: shop_archive, target: url, rules: { "no_such_table" => :user_anonymization })
    planned = Queue.new
    runner = Thread.new do
      ScalingoStagingSync::Native.run(settings) do |event|
        next unless event[:phase].to_s == "plan"

        proxy.stall
        planned << true
      end
    end
    runner.report_on_exception = false
    planned.pop
    runner
  end

  # Moments all over a run and behind it, drawn from the seed.
  def trials(length)
    random = Random.new(SEED)
    Array.new(RUNS) do |number|
      moments = [random.rand * length]
      (1 + (number % 2)).times { moments << (moments.last + (random.rand * [2.0, 0.05].sample(random:))) }
      Trial.new(%i[command engine][number % 2], moments.map { |moment| [moment, SIGNALS.sample(random:)] })
    end
  end

  def stop(trial, staging, archive, counts)
    started = now
    pid = start(trial.door, staging, archive)
    trial.signals.each do |moment, signal|
      sleep([started + moment - now, 0].max)
      Process.kill(signal, pid)
    rescue Errno::ESRCH
      break
    end
    refute_nil wait_for(pid, PATIENCE), "still alive #{PATIENCE} s after #{trial.inspect}"
    staging.database.wait_until_idle(10)
    assert_state_is_true(staging, counts, trial)
  end

  # What is said to be complete is; raw values are nowhere.
  def assert_state_is_true(staging, counts, trial)
    database = staging.database
    assert_nothing_raw database, source: large_shop
    return unless database.value("SELECT to_regclass('scalingo_staging_sync.state')")
    return unless database.value("SELECT status FROM scalingo_staging_sync.state") == "complete"

    assert_equal counts, database.counts, "said to be complete after #{trial.inspect}"
  end

  # The task's own door, which handles signals, or the engine alone, which meets Ruby's own handling.
  def start(door, staging, archive)
    return fork_run { |errors| command(staging.url, archive, errors).run } if door == :command

    settings = Engine.settings(source: archive, target: staging.url, rules: SHOP_RULES)
    fork_run { ScalingoStagingSync::Native.run(settings) && 0 }
  end

  # A child process; what has ended it by an exception is its end as well.
  def fork_run
    fork do
      # Another thread's connection is garbage in a child; collected, it would say goodbye to the server in its name.
      GC.disable
      %w[INT TERM HUP].each { |name| trap(name, "DEFAULT") }
      File.open(File::NULL, "w") do |sink|
        $stdout.reopen(sink)
        $stderr.reopen(sink)
        exit!(yield(sink))
      end
    rescue Exception # rubocop:disable Lint/RescueException -- a signal too; Minitest's at_exit must not run here
      exit!(130)
    end
  end

  def command(url, archive, errors)
    ENV.update("DATABASE_URL" => url, "BACKUP_FILE" => archive, "RAILS_ENV" => "staging")
    config = ScalingoStagingSync.configure do |settings|
      settings.anonymization_secret = SECRET
      settings.anonymization_tables = SHOP_RULES.map { |table, strategy| { table:, strategy: } }
      settings.logger = Logger.new(errors)
    end
    ScalingoStagingSync::Services::Command.new(config:, errors:)
  end

  # The exit status (that of a signal as shells have it), or nil when it is still alive; then it is killed.
  def wait_for(pid, patience)
    limit = now + patience
    until (ended = Process.wait2(pid, Process::WNOHANG))
      if now > limit
        Process.kill(:KILL, pid)
        Process.wait(pid)
        return
      end
      sleep 0.02
    end
    ended.last.exitstatus || (128 + ended.last.termsig)
  end

  def seconds
    started = now
    yield
    now - started
  end

  def now = Process.clock_gettime(Process::CLOCK_MONOTONIC)

  def large_shop = Shared.large_shop

  # Accepts connections, reads what comes, and never answers.
  class SilentServer
    def initialize
      @server = TCPServer.new("127.0.0.1", 0)
      @guests = Queue.new
      @thread = Thread.new { loop { @guests << @server.accept } }
    end

    def port = @server.addr[1]

    def wait_for_guest = Timeout.timeout(30) { @guests.pop }

    def stop
      @thread.kill
      @server.close
    end
  end
end

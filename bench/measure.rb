# frozen_string_literal: true

require "etc"
require "fileutils"
require "tmpdir"

# What a piece of work costs: time, CPU of a process tree and of PostgreSQL, peak memory, temporary files, WAL.
# Figures of processes come from Linux' /proc (proc(5)).
module Measure
  TICKS = Etc.sysconf(Etc::SC_CLK_TCK).to_f

  # One measured piece of work. Seconds and bytes. `work_seconds` are those that a contestant takes for what the floor
  # does too: the schema, the rows, the indexes, ANALYZE.
  Cost = Struct.new(:seconds, :work_seconds, :client_cpu, :server_cpu, :peak_memory, :temporary_bytes, :spilled_bytes, :wal_bytes, :database_bytes)

  module_function

  # Measures the block. `database` is a Postgres::Database; `temporary` the directory that TMPDIR names for the
  # processes of the block. The block gets a Watch, to which it gives the processes it starts.
  def cost(database, temporary)
    Postgres.exec("CHECKPOINT")
    server = postmaster
    watch = Watch.new(temporary)
    wal = Postgres.exec("SELECT pg_current_wal_lsn()").first.values.first
    server_cpu = tree_cpu(server)
    begun = now
    begin
      yield watch
    rescue StandardError
      watch.stop
      raise
    end
    seconds = now - begun
    Cost.new(seconds, seconds, watch.stop.client_cpu, tree_cpu(server) - server_cpu, watch.peak_memory,
             watch.temporary_bytes, spilled(database), wal_since(wal),
             database.value("SELECT pg_database_size(current_database())").to_i)
  end

  def now = Process.clock_gettime(Process::CLOCK_MONOTONIC)

  def postmaster = File.readlines(File.join(ENV.fetch("TEST_PG_DATA"), "postmaster.pid")).first.to_i

  # CPU seconds of a process, its ended children and its living ones.
  def tree_cpu(pid)
    stat = File.read("/proc/#{pid}/stat").rpartition(") ").last.split
    children = File.read("/proc/#{pid}/task/#{pid}/children").split.map(&:to_i)
    (stat[11, 4].sum(&:to_i) / TICKS) + children.sum { |child| tree_cpu(child) }
  rescue Errno::ENOENT, Errno::ESRCH
    0.0
  end

  # Peak resident bytes of one process.
  def peak_memory(pid)
    File.read("/proc/#{pid}/status")[/^VmHWM:\s+(\d+)/, 1].to_i * 1024
  rescue Errno::ENOENT, Errno::ESRCH
    0
  end

  # The variables with which a Ruby process says at its end what its peak was.
  def saying_peak = { "RUBYOPT" => "-r#{File.join(__dir__, "peak")}", "BENCH_PEAKS" => peaks }

  # The same of one that has ended and was started with these; else 0.
  def own_peak(pid)
    File.read(File.join(peaks, pid.to_s)).to_i * 1024
  rescue Errno::ENOENT
    0
  end

  def peaks
    @peaks ||= Dir.mktmpdir("staging-sync-peaks").tap { |folder| at_exit { FileUtils.rm_rf(folder) } }
  end

  def wal_since(lsn) = Postgres.exec("SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), '#{lsn}')").first.values.first.to_i

  # Bytes of the server's temporary files in this database, sorts and hashes that did not fit.
  def spilled(database) = database.value("SELECT temp_bytes FROM pg_stat_database WHERE datname = current_database()").to_i

  # Looks at processes and at a directory twenty times a second, because an ended process reports nothing.
  class Watch
    attr_reader :client_cpu, :peak_memory, :temporary_bytes

    def initialize(temporary)
      @temporary = temporary
      @peaks = Hash.new(0)
      @cpu = Hash.new(0.0)
      @peak_memory = @temporary_bytes = 0
      @thread = Thread.new do
        loop do
          look
          sleep 0.05
        end
      end
    end

    # Watches a process from here on.
    def process(pid)
      @peaks[pid] = Measure.peak_memory(pid)
      pid
    end

    def stop
      @thread.kill.join
      look
      @client_cpu = @cpu.values.sum
      @peak_memory = @peaks.map { |pid, peak| [peak, Measure.own_peak(pid)].max }.max || 0
      self
    end

    private

    def look
      # A copy, because other threads add processes meanwhile.
      @peaks.to_a.each do |pid, _|
        @peaks[pid] = [@peaks[pid], Measure.peak_memory(pid)].max
        @cpu[pid] = [@cpu[pid], Measure.tree_cpu(pid)].max
      end
      held = Dir.glob("#{@temporary}/**/*", File::FNM_DOTMATCH).sum { |path| File.file?(path) ? File.size(path) : 0 }
      @temporary_bytes = [@temporary_bytes, held].max
    rescue Errno::ENOENT
      nil
    end
  end
end

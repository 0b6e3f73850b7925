# frozen_string_literal: true

require_relative "../support/postgres"
require_relative "../support/small_disk"

module Soak
  # Two small disks under the server: one for a database's files, one for its WAL. Each can be filled, so that the next bytes do
  # not fit. The cluster is that of bin/with-postgres, stopped and started again with its WAL moved.
  class SmallDisks
    PLACES = %i[data wal].freeze

    EMPTY = "DROP TABLE IF EXISTS public.people, public.orders CASCADE; UPDATE scalingo_staging_sync.state SET status = 'incomplete'"
    private_constant :EMPTY

    # @param database [Postgres::Database] whose files go to a small disk
    # @raise [RuntimeError] where none can be mounted
    def initialize(database)
      @database = database
      @disks = { data: SmallDisk.new(128, owner: data), wal: SmallDisk.new(96, owner: data) }
      move_wal
      Postgres.exec("CREATE TABLESPACE small LOCATION '#{@disks[:data].path}'")
      Postgres.exec("ALTER DATABASE #{database.name} SET TABLESPACE small")
    end

    # The kilobytes that are free, by place.
    def free = @disks.transform_values(&:free)

    # Fills a place until so many kilobytes are left. The tables of the run before go first, since they would give theirs back.
    def leave(place, kilobytes)
      @database.exec(EMPTY) if place == :data
      Postgres.exec("CHECKPOINT")
      @disks.fetch(place).leave(kilobytes)
    end

    # Takes away what filled them, and starts the server where it gave up for want of room.
    def empty
      @disks.each_value(&:empty)
      start unless up?
    end

    # Puts all back, once the database is dropped.
    def remove
      Postgres.exec("DROP TABLESPACE small")
      stop
      File.unlink("#{data}/pg_wal")
      as_owner("cp", "-a", @disks[:wal].path, "#{data}/pg_wal")
      start
      @disks.each_value(&:remove)
    end

    private

    def data = ENV.fetch("TEST_PG_DATA")

    # In segments of a megabyte, so that little is needed before the next one.
    def move_wal
      stop
      as_owner(Postgres.program("pg_resetwal"), "--wal-segsize=1", "-D", data)
      as_owner("sh", "-c", "mv '#{data}'/pg_wal/* '#{@disks[:wal].path}' && rmdir '#{data}/pg_wal' && ln -s '#{@disks[:wal].path}' '#{data}/pg_wal'")
      start
    end

    # A server that recovers cannot be asked yet; one that ended its recovery for want of room is gone.
    def up?
      Timeout.timeout(30) do
        loop do
          return true if Postgres.exec("SELECT 1")
        rescue PG::Error
          return false unless as_owner?(Postgres.program("pg_ctl"), "-D", data, "status")

          sleep 0.2
        end
      end
    rescue Timeout::Error
      false
    end

    def stop = as_owner(Postgres.program("pg_ctl"), "-D", data, "-m", "fast", "-w", "stop")

    def start
      as_owner(Postgres.program("pg_ctl"), "-D", data, "-l", "#{ENV.fetch("TEST_PG_DIR")}/server.log", "-o", "-p #{Postgres.port}", "-w", "start")
    end

    # PostgreSQL's programs refuse root.
    def as_owner(*command) = as_owner?(*command) || raise("#{File.basename(command.first)} failed")

    def as_owner?(*command)
      owner = File.stat(data)
      pid = fork do
        Process::Sys.setgid(owner.gid)
        Process::Sys.setuid(owner.uid)
        exec(*command, chdir: ENV.fetch("TEST_PG_DIR"), in: File::NULL, out: File::NULL, err: File::NULL)
      end
      Process.wait2(pid).last.success?
    end
  end
end

# frozen_string_literal: true

module Soak
  # Where the server keeps bytes: the files of a database, the WAL since a moment, and the server's log since then. It is
  # asked whether any of them holds a text.
  class Traces
    SIZE = 16 * 1024 * 1024
    private_constant :SIZE

    # @param database [Postgres::Database] the one whose files are looked at
    # From here on: what was written before does not count. The cluster keeps no old WAL in new files (wal_recycle = off).
    def initialize(database)
      Postgres.exec("CHECKPOINT")
      Postgres.exec("SELECT pg_switch_wal()")
      Postgres.exec("CHECKPOINT")
      @first = Postgres.exec("SELECT pg_walfile_name(pg_current_wal_lsn())").first.values.first
      @oid = database.value("SELECT oid FROM pg_database WHERE datname = current_database()")
      @logged = File.size?(log) || 0
    end

    # @param texts [Array<String>] originals
    # @return [String, nil] the first place that holds one of them; nil if none does
    def of(texts)
      # What is in the server's memory alone would not be seen.
      Postgres.exec("CHECKPOINT")
      pattern = Regexp.new(texts.map { |text| Regexp.escape(text.b) }.join("|").b, Regexp::NOENCODING)
      files.find { |path, from| holds?(path, from, pattern) }&.first
    end

    private

    def data = ENV.fetch("TEST_PG_DATA")

    def log = File.join(ENV.fetch("TEST_PG_DIR"), "server.log")

    def files
      wal = Dir.glob("#{data}/pg_wal/[0-9A-F]*").select { |path| File.file?(path) && File.basename(path) >= @first }
      (wal + Dir.glob("#{data}/{base,pg_tblspc/*/*}/#{@oid}/*") + Dir.glob("#{data}/base/pgsql_tmp/*")).map { |path| [path, 0] } << [log, @logged]
    end

    def holds?(path, from, pattern)
      File.open(path, "rb") do |file|
        file.seek(from)
        rest = "".b
        while (piece = file.read(SIZE))
          return true if (rest + piece).match?(pattern)

          rest = piece[-64..] || piece
        end
      end
      false
    rescue Errno::ENOENT
      false # It was removed meanwhile.
    end
  end
end

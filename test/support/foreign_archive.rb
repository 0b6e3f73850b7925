# frozen_string_literal: true

require "fileutils"
require "tmpdir"
require_relative "engine"
require_relative "postgres"

# Archives of databases that another cluster holds, so that everything raw that is found in this one's files was left
# there by a run. Raw values hold a word of the test's choosing.
module ForeignArchive
  module_function

  # Made once per process, schema and word, by a cluster of its own.
  #
  # sql::   what makes the database; the word RAW in it stands for `word`
  # word::  what every raw value holds
  def make(sql, word)
    (@made ||= {})[[sql, word]] ||= begin
      directory = Dir.mktmpdir("foreign-archive")
      Minitest.after_run { FileUtils.remove_entry(directory) }
      File.write("#{directory}/production.sql", sql.gsub("RAW", word))
      script = '"$TEST_PG_BINDIR/psql" -Xq -v ON_ERROR_STOP=1 -f "$0/production.sql" "$TEST_PG_URL" >&2 && ' \
               '"$TEST_PG_BINDIR/pg_dump" -Fc -f "$0/production.dump" "$TEST_PG_URL"'
      outside = ENV.keys.grep(/\ATEST_PG_/).to_h { |name| [name, nil] }
      # Of the same version, so that this one's pg_restore reads its archives.
      version = `#{ENV.fetch("TEST_PG_BINDIR")}/postgres --version`[/\d+/]
      system(outside, "#{Engine::ROOT}/bin/with-postgres", "--version", version, "sh", "-c", script, directory, exception: true)
      "#{directory}/production.dump"
    end
  end

  # What a test says of such archives.
  module Assertions
    # Neither in the server's data nor in its WAL.
    def assert_nothing_raw_on_disk(covered)
      Postgres.exec("CHECKPOINT")
      files = Dir.glob("#{ENV.fetch("TEST_PG_DATA")}/{base,global,pg_wal,pg_xact}/**/*").select { |name| File.file?(name) }
      assert_operator files.size, :>, 100
      assert_empty(files.select { |name| holds?(name, covered) })
    end

    # Polls columns ("table.column") of the target while the block runs, as another role, whose sessions a run does not
    # end, and expects never to see a value that holds the word.
    def assert_never_seen(target, columns, word)
      role = Postgres.create_role("watcher", "SUPERUSER")
      seen = []
      polls = 0
      stop = false
      watcher = Thread.new do
        Thread.current.report_on_exception = false
        target.connect(target.url_as(role)) { |connection| polls += poll(connection, columns, word, seen) until stop }
      end
      begin
        yield
      ensure
        stop = true
        watcher.join
      end
      assert_empty seen
      assert_operator polls, :>, columns.size
    ensure
      Postgres.exec("DROP ROLE #{role}")
    end

    def count(target, from) = Integer(target.value("SELECT count(*) FROM #{from}"))

    private

    # Returns how many columns could be looked at: a table may not be there yet, or be locked by the reset.
    def poll(connection, columns, word, seen)
      columns.count do |name|
        table, _, column = name.rpartition(".")
        seen.concat(connection.exec("SELECT #{column}::text FROM #{table} WHERE #{column}::text LIKE '%#{word}%' LIMIT 1").values)
        true
      rescue PG::ConnectionBad, PG::UnableToSend
        raise
      rescue PG::Error
        false
      end
    end

    def holds?(name, covered)
      File.binread(name).match?(covered)
    rescue Errno::ENOENT
      false
    end
  end
end

# frozen_string_literal: true

require "fileutils"
require "json"
require "tempfile"
require "uri"
require_relative "contestants"
require_relative "masking"

# Tools of others, which copy from production itself, where this gem starts from the archive. bench/peers installs them.
# Each is configured as its documentation recommends for speed, and masks the columns of Masking::COLUMNS or none. Where
# one has no cheap way to write what the UPDATEs write, it writes something cheaper.
module Contestants
  # Where bench/peers installs.
  PEERS_FOLDER = ENV.fetch("BENCH_PEERS", File.expand_path("../tmp/peers", __dir__))

  # What the gem does not do: making the archive that it starts from.
  class PgDump < Contestant
    NAME = "P  pg_dump -Fc, what the gem starts from"

    def initialize(setting, production)
      super(setting)
      @production = production
    end

    def name = NAME

    def fills? = false

    def run(_database, watch)
      file = File.join(@setting.temporary, "production.pgsql")
      program(watch, "pg_dump", "-Fc", "-f", file, @production.url)
      FileUtils.rm(file)
    end
  end

  # One tool. A class has PROGRAM, the program's name.
  class Peer < Contestant
    # Seconds after which a program that has not ended is stopped.
    LIMIT = 3600

    class << self
      def installed? = !path.nil?

      # The program in bench/peers' folder, or else on the PATH; nil without one.
      def path
        folders = [File.join(PEERS_FOLDER, "bin"), *ENV.fetch("PATH", "").split(":")]
        folders.map { |folder| File.join(folder, self::PROGRAM) }.find { |file| File.file?(file) && File.executable?(file) }
      end

      # As bench/peers has noted it, or as the program says itself.
      def version
        @version ||= noted || IO.popen([path, "--version"], err: File::NULL, &:read)[/\d+(\.\d+)+\S*/] || "?"
      end

      private

      def noted
        return unless path.start_with?(PEERS_FOLDER)

        File.readlines(File.join(PEERS_FOLDER, "versions")).map(&:split).to_h[self::PROGRAM]
      rescue Errno::ENOENT
        nil
      end
    end

    def initialize(setting, production)
      super(setting)
      @production = production
    end

    private

    # Runs the program, which finds PostgreSQL's of the server's version first. Raises with what it said last.
    def start(watch, *arguments, environment: {}, limit: LIMIT)
      environment = { "PATH" => "#{ENV.fetch("TEST_PG_BINDIR")}:#{ENV.fetch("PATH")}", **environment }
      Tempfile.create("peer") do |log|
        # In a group of its own, so that what it has started ends with it.
        pid = watch.process(Process.spawn(environment, self.class.path, *arguments.map(&:to_s), %i[out err] => log, pgroup: true))
        ended = wait_for(pid, limit)
        next if ended&.success?

        said = File.readlines(log.path, chomp: true).last(3).map(&:strip).join(" / ")
        raise "#{self.class::PROGRAM} #{arguments.first} #{ended ? "failed" : "did not end within #{limit} s"}: #{said}"
      end
    end

    # The program's status, or nil when the time is up.
    def wait_for(pid, limit)
      waiter = Process.detach(pid)
      waiter.join(limit) && waiter.value
    ensure
      stop(pid)
    end

    def stop(pid)
      Process.kill("KILL", -pid)
    rescue Errno::ESRCH, Errno::EPERM
      nil
    end

    # A file for the program's own settings: JSON, which is YAML too.
    def settings(name, text) = File.join(@setting.temporary, name).tap { |file| File.write(file, text) }

    # A folder for what it writes, which is removed after the block.
    def in_folder(name)
      folder = File.join(@setting.temporary, name)
      FileUtils.mkdir_p(folder)
      yield folder
    ensure
      FileUtils.rm_rf(folder)
    end
  end

  # pgcopydb clone: straight from one server to the other, nothing masked. Its VACUUM is left to the ANALYZE with which
  # all end, and both servers are one, so rows may travel in binary.
  class Pgcopydb < Peer
    PROGRAM = "pgcopydb"

    def name = "P  pgcopydb #{self.class.version} (nothing masked)"

    def masks? = false

    def run(database, watch)
      in_folder("pgcopydb") do |folder|
        start(watch, "clone", "--source", @production.url, "--target", database.url, "--dir", File.join(folder, "work"),
              "--table-jobs", @setting.connections, "--index-jobs", @setting.connections, "--restore-jobs", @setting.connections,
              "--no-owner", "--no-acl", "--skip-vacuum", "--fail-fast", *binary)
      end
      psql(watch, database, "ANALYZE")
    end

    private

    # Before version 0.17 it had no such option.
    def binary = self.class.version.match?(/\A0\.(\d|1[0-6])(\D|\z)/) ? [] : ["--use-copy-binary"]
  end

  # Greenmask: a masked dump in a directory of its own, then a restore, tables and indexes side by side, compressed by
  # pgzip as its pages recommend.
  class Greenmask < Peer
    PROGRAM = "greenmask"
    SALT = { "GREENMASK_GLOBAL_SALT" => "6265636e6368" }.freeze

    def name = "P  Greenmask #{self.class.version} dump, restore"

    def run(database, watch)
      in_folder("greenmask") do |folder|
        config = settings("greenmask/config.yml", JSON.generate(configuration(folder, database)))
        start(watch, "--config", config, "dump", environment: SALT)
        start(watch, "--config", config, "restore", "latest", environment: SALT)
      end
      psql(watch, database, "ANALYZE")
    end

    def configuration(folder, database)
      storage = File.join(folder, "dumps").tap { |path| FileUtils.mkdir_p(path) }
      { "common" => { "pg_bin_path" => ENV.fetch("TEST_PG_BINDIR"), "tmp_dir" => folder },
        "log" => { "level" => "warn" },
        "storage" => { "type" => "directory", "directory" => { "path" => storage } },
        "dump" => { "pg_dump_options" => { "dbname" => keywords(@production), "jobs" => @setting.connections, "pgzip" => true },
                    "transformation" => transformation },
        "restore" => { "pg_restore_options" => { "dbname" => keywords(database), "jobs" => @setting.connections, "pgzip" => true,
                                                 "exit-on-error" => true, "no-owner" => true, "no-privileges" => true } } }
    end

    private

    def keywords(database) = URI(database.url).then { |url| "host=#{url.host} port=#{url.port} user=#{url.user} dbname=#{database.name}" }

    def transformation
      Masking::COLUMNS.keys.map do |table|
        { "schema" => "public", "name" => table, "transformers" => own(table) + constant(table) + empty(table) }
      end
    end

    def constant(table)
      Masking::CONSTANTS.fetch(table, {}).map { |column, value| transformer("Replace", column, "value" => value, "keep_null" => false) }
    end

    def empty(table) = Masking::EMPTIED.fetch(table, {}).keys.map { |column| transformer("SetNull", column) }

    def own(table)
      case table
      when "users"
        [transformer("RandomEmail", "email", "engine" => "hash", "domains" => ["demo.example.com"], "max_random_length" => 20),
         transformer("RandomString", "email_md5", "engine" => "hash", "min_length" => 32, "max_length" => 32, "symbols" => "0123456789abcdef"),
         transformer("Replace", "last_name", "value" => "User"), transformer("Replace", "full_name", "value" => "Demo User")]
      when "phone_numbers"
        [transformer("RandomString", "number", "min_length" => 10, "max_length" => 10, "symbols" => "0123456789")]
      else []
      end
    end

    def transformer(name, column, **) = { "name" => name, "params" => { "column" => column, ** } }
  end

  # pgstream: a snapshot, several ranges of a table at once, written by COPY. It stops at the first error instead of
  # leaving rows out or originals in.
  class Pgstream < Peer
    PROGRAM = "pgstream"

    def name = "P  pgstream #{self.class.version} snapshot"

    def run(database, watch)
      in_folder("pgstream") do |folder|
        config = settings("pgstream/config.yaml", JSON.generate(configuration(database)))
        start(watch, "snapshot", "--config", config, "--log-level", "warn", environment: { "TMPDIR" => folder })
      end
      psql(watch, database, "ANALYZE")
    end

    def configuration(database)
      { "source" => { "postgres" => { "url" => without_tls(@production), "mode" => "snapshot", "snapshot" => snapshot } },
        "target" => { "postgres" => { "url" => without_tls(database), "disable_triggers" => true, "on_conflict_action" => "error", "strict_mode" => true,
                                      "bulk_ingest" => { "enabled" => true, "copy_workers" => @setting.connections } } },
        "modifiers" => { "transformations" => { "validation_mode" => "relaxed", "table_transformers" => transformers } } }
    end

    private

    def snapshot
      { "mode" => "full", "tables" => ["public.*"], "disable_progress_tracking" => true,
        "data" => { "schema_workers" => @setting.connections, "table_workers" => @setting.connections },
        "schema" => { "pgdump_pgrestore" => { "no_owner" => true, "no_privileges" => true, "roles_snapshot_mode" => "disabled" } } }
    end

    def without_tls(database) = "#{database.url}?sslmode=disable"

    def transformers
      Masking::COLUMNS.keys.map do |table|
        literals = { **Masking::CONSTANTS.fetch(table, {}), **Masking::EMPTIED.fetch(table, {}) }
        columns = literals.transform_values { |value| transformer("literal_string", "literal" => value) }
        { "schema" => "public", "table" => table, "column_transformers" => { **columns, **own(table) } }
      end
    end

    def own(table)
      case table
      when "users"
        { "email" => transformer("email", "replacement_domain" => "@demo.example.com", "salt" => "bench"),
          "email_md5" => transformer("greenmask_string", "generator" => "deterministic", "min_length" => 32, "max_length" => 32, "symbols" => "0123456789abcdef"),
          "last_name" => transformer("literal_string", "literal" => "User"), "full_name" => transformer("literal_string", "literal" => "Demo User") }
      when "phone_numbers"
        { "number" => transformer("phone_number", "prefix" => "060", "min_length" => 10, "max_length" => 10) }
      else {}
      end
    end

    def transformer(name, **parameters) = { "name" => name, "parameters" => parameters }
  end

  PEERS = [Pgcopydb, Greenmask, Pgstream].freeze

  # The peers that are installed here.
  def self.peers = PEERS.select(&:installed?)
end

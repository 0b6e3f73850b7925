# frozen_string_literal: true

require "fileutils"
require "open3"
require "pg"
require "securerandom"
require "tmpdir"

# The PostgreSQL cluster that bin/with-postgres has started, and what tests and the demo do with it: databases,
# roles, dumps and restores with PostgreSQL's own programs.
module Postgres
  # A program of PostgreSQL's failed.
  class ProgramFailed < StandardError; end

  module_function

  # A superuser's URL of a database.
  def url(database = "postgres")
    base = ENV.fetch("TEST_PG_URL") do
      raise "TEST_PG_URL is not set: run this through bin/test, or bin/with-postgres COMMAND."
    end
    base.sub(%r{/[^/]*\z}, "/#{database}")
  end

  def port = Integer(ENV.fetch("TEST_PG_PORT"))

  def program(name) = File.join(ENV.fetch("TEST_PG_BINDIR"), name)

  # Runs one of PostgreSQL's programs and returns what it printed. Its warnings are of no interest.
  def run(name, *arguments, stdin_data: "")
    output, errors, status = Open3.capture3(program(name), *arguments.map(&:to_s), stdin_data:)
    raise ProgramFailed, "#{name} failed: #{errors.lines.last(12).join}" unless status.success?

    output
  end

  # `pg_restore -j4` into the database that the block makes; returns it. Its workers do not know of each other what ALTER INDEX
  # ... ATTACH PARTITION locks (PostgreSQL's pg_backup_archiver.c, identify_locking_dependencies), of any archive, and now and
  # then two of them meet in a deadlock.
  def restore_in_parallel(archive)
    attempts = 0
    begin
      yield.tap { |target| run("pg_restore", "-e", "-j4", "-d", target.url, archive) }
    rescue ProgramFailed => error
      retry if error.message.include?("deadlock detected") && (attempts += 1) < 3
      raise
    end
  end

  def version = @version ||= run("pg_dump", "--version")[/\d+/].to_i

  # One statement, or several, as a superuser in the cluster's own database.
  def exec(sql) = Database.new("postgres").exec(sql)

  # A new database with a unique name, owned by the superuser.
  def create_database(prefix = "test", owner: nil)
    name = "#{prefix}_#{SecureRandom.hex(4)}"
    exec("CREATE DATABASE #{name} TEMPLATE template0#{" OWNER #{owner}" if owner}#{STRATEGY if version >= 15}")
    Database.new(name)
  end

  # Half of what a database costs is its files' way through the WAL, which is how PostgreSQL makes one by default since 15.
  STRATEGY = " STRATEGY file_copy"
  private_constant :STRATEGY

  # A new role that may log in.
  def create_role(prefix = "role", options = "")
    name = "#{prefix}_#{SecureRandom.hex(4)}"
    exec("CREATE ROLE #{name} LOGIN #{options}")
    name
  end

  # A database and its role with only what Scalingo grants: the role owns neither the database nor the schema
  # public nor an extension, and may create no database. It may create in public, and has everything on the
  # database and on what lies in it. `before` is SQL that the platform has run in the database as a superuser.
  def create_staging(prefix = "staging", before: "")
    role = create_role(prefix)
    database = create_database(prefix)
    database.exec(before) unless before.empty?
    database.exec(<<~SQL)
      GRANT ALL ON DATABASE #{database.name} TO #{role};
      GRANT CREATE, USAGE ON SCHEMA public TO #{role};
      GRANT ALL ON ALL TABLES IN SCHEMA public TO #{role};
      GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO #{role};
    SQL
    Staging.new(role, database)
  end

  # What Postgres.create_staging returns.
  Staging = Struct.new(:role, :database) do
    # The URL that the app would find in DATABASE_URL.
    def url = database.url_as(role)

    def drop
      database.drop
      Postgres.exec("DROP ROLE #{role}")
    end
  end

  # An archive packed as Scalingo packs it: NAME.tar.gz with ./NAME.pgsql inside. Returns its path.
  def pack(dump, directory: File.dirname(dump), name: "20260101000000_shop_prod_1234")
    Dir.mktmpdir do |folder|
      FileUtils.ln_s(File.expand_path(dump), "#{folder}/#{name}.pgsql")
      path = File.join(directory, "#{name}.tar.gz")
      system("tar", "--dereference", "-czf", path, "-C", folder, "./#{name}.pgsql", exception: true)
      path
    end
  end

  # One database of the cluster, seen by the superuser.
  class Database
    # What a staging restore leaves out, as options of pg_dump and pg_restore.
    WITHOUT = %w[--no-owner --no-privileges --no-comments --no-publications --no-subscriptions
                 --no-security-labels --no-tablespaces].freeze

    # The schema in which the gem keeps its notes on the target.
    GEM_SCHEMA = "scalingo_staging_sync"

    attr_reader :name

    def initialize(name)
      @name = name
    end

    def url = Postgres.url(name)

    # The URL for another role.
    def url_as(role, password = nil)
      "postgres://#{role}#{":#{password}" if password}@127.0.0.1:#{Postgres.port}/#{name}"
    end

    # Yields a connection and closes it.
    def connect(url = self.url)
      connection = PG.connect(url)
      connection.set_notice_processor { |_| nil }
      yield connection
    ensure
      connection&.close
    end

    # Runs SQL and returns the last result's rows as hashes.
    def exec(sql) = connect { |connection| connection.exec(sql).to_a }

    # The values of a query's first column.
    def values(sql) = connect { |connection| connection.exec(sql).column_values(0) }

    # The first value of a query.
    def value(sql) = values(sql).first

    # A file of SQL, with psql's variables set: `:rows` and the like.
    def load_sql(path, **variables)
      set = variables.flat_map { |name, value| ["-v", "#{name}=#{value}"] }
      Postgres.run("psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", *set, "-f", path, url)
    end

    # An archive in pg_dump's custom format at `path`.
    def dump(path, *options)
      Postgres.run("pg_dump", "-Fc", *options, "-f", path, url)
      path
    end

    # The same by way of a pipe, so that the archive has no offsets.
    def dump_to_pipe(path, *options)
      reader, writer = IO.pipe
      pid = Process.spawn(Postgres.program("pg_dump"), "-Fc", *options, url, out: writer)
      writer.close
      File.open(path, "wb") { |file| IO.copy_stream(reader, file) }
      Process.wait(pid)
      raise ProgramFailed, "pg_dump failed" unless $?.success?

      path
    ensure
      reader&.close
    end

    # Fills this database with pg_restore, without what a staging restore leaves out and without the entries of
    # the table of contents that the block is true for (it gets the lines of pg_restore -l).
    def restore(path, *options, &left_out)
      list = Postgres.run("pg_restore", "-l", path).lines.grep_v(/\A;/)
      list = list.reject(&left_out) if left_out
      Dir.mktmpdir do |folder|
        File.write("#{folder}/list", list.join)
        Postgres.run("pg_restore", *WITHOUT, "--exit-on-error", *options, "-L", "#{folder}/list", "-d", url, path)
      end
      self
    end

    # The whole database as pg_dump writes it, in a form that two databases with the same contents share: rows
    # of a table in the order of their text, since they may lie in any order; nothing of the dump itself.
    def canonical_dump(*options)
      text = Postgres.run("pg_dump", *WITHOUT, "-N", GEM_SCHEMA, *options, url)
      sort_rows(text.lines.reject { |line| line.start_with?("-- Dumped ", "\\restrict", "\\unrestrict") }).join
    end

    # Each table's rows as COPY text, by qualified name; `columns` picks columns of a table.
    def rows(table, columns: nil, order: nil)
      list = columns ? columns.map { |column| PG::Connection.quote_ident(column) }.join(", ") : "*"
      copy("SELECT #{list} FROM #{table}#{" ORDER BY #{order}" if order}").sort
    end

    # What COPY sends for a query, as lines.
    def copy(query)
      connect do |connection|
        lines = []
        connection.copy_data("COPY (#{query}) TO STDOUT") do
          while (line = connection.get_copy_data)
            lines << line
          end
        end
        lines
      end
    end

    # Ordinary tables outside the system's and the gem's schemas, as quoted names for SQL.
    def tables
      values(<<~SQL)
        SELECT format('%I.%I', n.nspname, c.relname) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE c.relkind = 'r' AND n.nspname NOT IN ('pg_catalog', 'information_schema', '#{GEM_SCHEMA}')
        ORDER BY 1
      SQL
    end

    # Columns of a table (a quoted name), in their order.
    def columns(table)
      values(<<~SQL)
        SELECT attname FROM pg_attribute
        WHERE attrelid = '#{table}'::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum
      SQL
    end

    # Rows of every table, by name.
    def counts = tables.to_h { |table| [table, value("SELECT count(*) FROM #{table}").to_i] }

    # Sessions in this database, those of one role or all, without this one.
    def sessions(role = nil)
      Postgres::Database.new("postgres").value(<<~SQL).to_i
        SELECT count(*) FROM pg_stat_activity
        WHERE datname = '#{name}' AND backend_type = 'client backend'#{" AND usename = '#{role}'" if role}
      SQL
    end

    # Waits until the last session has gone.
    def wait_until_idle(seconds = 10)
      deadline = Process.clock_gettime(Process::CLOCK_MONOTONIC) + seconds
      while (left = sessions).positive?
        raise "#{left} sessions are left in #{name} after #{seconds} s" if Process.clock_gettime(Process::CLOCK_MONOTONIC) > deadline

        sleep 0.05
      end
    end

    def drop = Postgres.exec("DROP DATABASE IF EXISTS #{name} WITH (FORCE)")

    private

    def sort_rows(lines)
      rows = nil
      lines.each_with_object([]) do |line, sorted|
        if rows.nil?
          sorted << line
          rows = [] if line.match?(/\ACOPY .* FROM stdin;\n\z/)
        elsif line == "\\.\n"
          sorted.concat(rows.sort) << line
          rows = nil
        else
          rows << line
        end
      end
    end
  end
end

# frozen_string_literal: true

require "digest"
require "io/wait"
require_relative "integration_helper"

# A masked archive, and what pg_restore and the gem itself make of it.
class DumpTest < IntegrationTest
  EVERY_KIND = File.expand_path("every_kind.sql", __dir__)

  # Those that came with version 16, where this PostgreSQL was built with them.
  NEWER = %w[zstd lz4].select do |name|
    Postgres.version >= 16 && Postgres.run("pg_dump", "-Fc", "--compress=#{name}", Postgres.url)
  rescue Postgres::ProgramFailed
    false
  end
  COMPRESSIONS = ["gzip", "none", *NEWER].freeze

  # What a run treats in a way of its own: words of masked columns in a tsvector that a trigger makes, rows that stay out,
  # owners, privileges, comments, large objects.
  ODD = <<~SQL
    CREATE TABLE parents (id int PRIMARY KEY);
    INSERT INTO parents SELECT n FROM generate_series(1, 20) n;
    CREATE TABLE people (id int PRIMARY KEY, name text, email text UNIQUE, words tsvector, parent int REFERENCES parents);
    CREATE TRIGGER words BEFORE INSERT OR UPDATE ON people FOR EACH ROW
      EXECUTE FUNCTION tsvector_update_trigger(words, 'pg_catalog.simple', name, email);
    INSERT INTO people (id, name, email, parent)
      SELECT n, 'Lovelace' || n, 'ada' || n || '@example.org', n FROM generate_series(1, 20) n;
    COMMENT ON TABLE people IS 'people, with ada1@example.org';
    GRANT SELECT ON people TO PUBLIC;
    CREATE TABLE empty (id int);
    SELECT lo_from_bytea(4001, 'a large object'), lo_from_bytea(4002, '');
  SQL

  def self.every_kind
    @every_kind ||= Postgres.create_database("every_kind").tap do |database|
      database.load_sql(EVERY_KIND)
      Minitest.after_run { database.drop }
    end
  end

  def odd = Shared.made(:odd) { Postgres.create_database("odd").tap { |database| database.exec(ODD) } }

  def every_kind = self.class.every_kind

  # -- equal to a run

  def test_the_shop_restores_to_what_a_run_makes_in_every_compression
    expected = run_into_database(source: shop_archive, rules: SHOP_RULES)
    COMPRESSIONS.each do |compression|
      archive, = dump!(source: shop_archive, rules: SHOP_RULES, compression:)
      assert_restores_to expected, archive
    end
  end

  def test_an_archive_of_each_form_restores_to_what_a_run_makes
    forms = [[], ["-Z0"], ["--inserts"], ["--column-inserts"], ["--rows-per-insert=7"], ["--load-via-partition-root"],
             ["--schema-only"]]
    forms += NEWER.map { |name| ["--compress=#{name}"] }
    forms.each do |options|
      source = every_kind.dump(path("dump"), *options)
      archive, = dump!(source:)
      assert_restores_to run_into_database(source:), archive
    end
  end

  def test_what_a_run_treats_in_a_way_of_its_own_comes_out_the_same
    settings = { source: odd.dump(path("dump")), exclude: ["parents"],
                 masking_options: { rules: [mask("people", "name" => "last_name", "email" => "email")] } }
    expected = run_into_database(**settings)
    refute_equal [""], expected.values("SELECT DISTINCT words::text FROM people")
    archive, = dump!(**settings)
    assert_restores_to expected, archive
    assert_equal "f", expected.value("SELECT convalidated FROM pg_constraint WHERE conname = 'people_parent_fkey'")
  end

  def test_an_archive_written_to_a_pipe_is_the_same_as_one_in_a_file
    expected = run_into_database(source: shop_archive, rules: SHOP_RULES)
    reader, writer = IO.pipe
    copy = Thread.new { File.open(path("piped.dump"), "wb") { |file| IO.copy_stream(reader, file) } }
    settings = Engine.settings(source: shop_archive, target: "postgres://nowhere", rules: SHOP_RULES)
    report = ScalingoStagingSync::Native.dump(settings, { "to" => { "stream" => "/dev/fd/#{writer.fileno}" }, "compression" => "gzip" })
    writer.close
    copy.join
    assert_nil report[:archive][:sha256]
    assert_equal File.size(path("piped.dump")), report[:archive][:size]
    assert_restores_to expected, path("piped.dump")
  ensure
    [reader, writer].compact.each(&:close)
  end

  def test_the_gem_reads_its_own_archives
    COMPRESSIONS.each do |compression|
      archive, = dump!(source: shop_archive, rules: SHOP_RULES, compression:)
      assert_same_text run_into_database(source: shop_archive, rules: SHOP_RULES).canonical_dump,
                       run_into_database(source: archive).canonical_dump, compression
    end
  end

  def test_a_dump_of_the_same_backup_is_the_same
    first, = dump!(source: shop_archive, rules: SHOP_RULES)
    second, = dump!(source: shop_archive, rules: SHOP_RULES, to: path("again.dump"))
    assert_equal File.binread(first), File.binread(second)
  end

  def test_some_tables_alone_can_be_restored
    archive, = dump!(source: shop_archive, rules: SHOP_RULES)
    target = new_database
    target.exec("CREATE TYPE user_role AS ENUM ('customer', 'support', 'admin')")
    Postgres.run("pg_restore", "-e", "-t", "users", "-d", target.url, archive)
    assert_equal ["public.users"], target.tables
    assert_equal SHOP_USERS.to_s, target.value("SELECT count(*) FROM users")
  end

  # -- nothing raw

  def test_the_decompressed_archive_holds_none_of_the_originals
    originals = SHOP_MASKED.flat_map do |table, columns|
      columns.flat_map { |column| shop.values("SELECT DISTINCT #{column}::text FROM #{table} WHERE length(#{column}::text) > 8") }
    end.uniq
    assert_operator originals.size, :>, SHOP_USERS
    COMPRESSIONS.each do |compression|
      archive, = dump!(source: shop_archive, rules: SHOP_RULES, compression:)
      script = Postgres.run("pg_restore", "-f", "-", archive)
      assert_includes script, "@demo.example.com"
      assert_empty(found(originals, script), compression)
    end
    plain, = dump!(source: shop_archive, rules: SHOP_RULES, compression: "none")
    assert_empty found(originals, File.binread(plain).force_encoding("UTF-8").scrub("?"))
  end

  def test_what_a_run_leaves_out_is_not_in_it
    archive, = dump!(source: odd.dump(path("dump")), masking_options: { rules: [mask("people", "name" => "last_name", "email" => "email")] })
    list = Postgres.run("pg_restore", "-l", archive)
    refute_match(/ (ACL|COMMENT) /, list)
    refute_match(/ postgres$/, list)
    refute_includes Postgres.run("pg_restore", "-f", "-", archive), "ada1@"
  end

  # -- the report

  def test_the_report_says_what_is_in_it
    archive, report = dump!(source: shop_archive, rules: SHOP_RULES)
    facts = report[:archive]
    assert_equal [File.size(archive), Digest::SHA256.file(archive).hexdigest], facts.values_at(:size, :sha256)
    assert_equal File.binread(archive, 2, 5).bytes.join("."), facts[:format_version]
    assert_equal "gzip", facts[:compression]
    assert_equal shop.counts, report[:tables].to_h { |table| [table[:table], table[:rows]] }
    assert report[:verified]
    # Which is generated, and so in no data.
    users = facts[:tables].find { |table| table[:table] == "public.users" }
    assert_equal [shop.columns("public.users") - ["greeting"], ["id"]], users.values_at(:columns, :primary_key)
    File.open(archive, "rb") do |file|
      file.seek(users[:offset])
      assert_equal 1, file.readbyte
      file.seek(users[:offset] + users[:length] - 5)
      assert_equal "\0" * 5, file.read(5)
    end
    assert_equal facts[:tables].map { |table| table[:table] }.sort, facts[:order].sort
    assert_operator facts[:order].index("public.users"), :<, facts[:order].index("public.emails")
  end

  # -- refused

  def test_what_must_not_leave_leaves_nothing_and_what_was_there_stays
    leaking = new_database("leaking")
    leaking.exec(<<~SQL)
      CREATE TABLE users (id int PRIMARY KEY, email text);
      INSERT INTO users SELECT n, 'someone' || n || '@example.org' FROM generate_series(1, 50) n;
      CREATE TABLE notes (id int PRIMARY KEY, body text);
      INSERT INTO notes SELECT id, email FROM users;
    SQL
    source = leaking.dump(path("dump"))
    rules = { rules: [mask("users", "email" => "email")] }
    scan = { scan: true, policy: "warn" }
    file("masked.dump", "yesterday's")
    error = assert_dump_fails(ScalingoStagingSync::VerificationError, source:, masking_options: rules,
                                                                      options: { leak_check: { enabled: true }, pii: scan })
    assert_match(/notes\.body/, error.message)
    assert_dump_fails(ScalingoStagingSync::PersonalDataError, source:, masking_options: rules, options: { pii: scan.merge(policy: "fail") })
    assert_equal "yesterday's", File.read(path("masked.dump"))
    refute_path_exists path("masked.dump.part")
  end

  def test_rules_that_need_a_database_are_refused_before_anything_is_written
    source = odd.dump(path("dump"))
    [{ sql_rules: [{ table: "people", query: "UPDATE people SET name = 'x'" }] },
     { rules: [mask("people", "name" => "last_name").merge("condition" => "id > 3")] }].each do |masking_options|
      error = assert_dump_fails(ScalingoStagingSync::PlanError, source:, masking_options:)
      assert_match(/people, take a database/, error.message)
    end
    assert_equal ["dump"], Dir.children(@directory)
  end

  def test_a_compression_that_the_archives_version_has_not_is_refused
    source = odd.dump(path("dump"))
    skip "the version has every compression" if Postgres.version >= 16
    error = assert_dump_fails(ScalingoStagingSync::ConfigurationError, source:, compression: "zstd")
    assert_includes error.message, "archive format 1.14, which has no zstd compression"
    assert_equal ["dump"], Dir.children(@directory)
  end

  def test_a_truncated_backup_leaves_nothing
    whole = File.binread(shop_dump)
    assert_dump_fails(ScalingoStagingSync::ArchiveError, source: file("dump", whole[0...-100]), rules: SHOP_RULES)
    assert_equal ["dump"], Dir.children(@directory)
  end

  def test_a_place_that_cannot_be_written_is_refused_before_the_backup_is_asked_for
    fake = fake_scalingo
    error = assert_dump_fails(ScalingoStagingSync::ConfigurationError, source: fake.source, to: path("no/such/place.dump"), rules: SHOP_RULES)
    assert_includes error.message, "no/such/place.dump"
    assert_empty fake.requests
  end

  def test_a_dump_that_is_stopped_leaves_nothing
    fake = fake_scalingo(archive: Shared.large_archive, piece: 20_000, pause: 0.2)
    settings = Engine.settings(source: fake.source, target: "postgres://nowhere", rules: SHOP_RULES)
    stopped = assert_raises(Interrupt) do
      ScalingoStagingSync::Native.dump(settings, to("file", path("masked.dump"))) do |event|
        Process.kill("INT", Process.pid) if event[:event].to_s == "table_started"
      end
    end
    refute_nil stopped
    assert_empty Dir.children(@directory)
  end

  def test_a_dump_whose_reader_takes_nothing_more_can_be_stopped
    reader, writer = IO.pipe
    settings = Engine.settings(source: Shared.large_archive, target: "postgres://nowhere", rules: SHOP_RULES)
    stopping = Thread.new do
      Thread.pass until reader.nread > 60_000
      Process.kill("INT", Process.pid)
    end
    assert_raises(Interrupt) do
      ScalingoStagingSync::Native.dump(settings, to("stream", "/dev/fd/#{writer.fileno}", "none"))
    end
    stopping.join
  ensure
    [reader, writer].compact.each(&:close)
  end

  private

  def mask(table, columns) = { "table" => table, "columns" => columns }

  def to(kind, name, compression = "gzip") = { "to" => { kind => name }, "compression" => compression }

  # The archive's path and the report.
  def dump!(to: path("masked.dump"), compression: "gzip", **settings)
    report = ScalingoStagingSync::Native.dump(Engine.settings(target: "postgres://nowhere", **settings), self.to("file", to, compression))
    [to, report]
  end

  def assert_dump_fails(error_class, to: path("masked.dump"), compression: "gzip", **settings)
    error = assert_raises(error_class) { dump!(to:, compression:, **settings) }
    assert_well_worded error
    error
  end

  def run_into_database(**settings)
    target = new_database("expected")
    run!(target: target.url, **settings)
    target
  end

  # By itself, in parallel, and from standard input; without any option that leaves something out.
  def assert_restores_to(expected, archive)
    expected = expected.canonical_dump
    target = new_database
    Postgres.run("pg_restore", "-e", "-d", target.url, archive)
    assert_same_text expected, target.canonical_dump, "pg_restore made another database than a run"
    target = Postgres.restore_in_parallel(archive) { new_database }
    assert_same_text expected, target.canonical_dump, "pg_restore -j4 made another database than a run"
    target = new_database
    Postgres.run("pg_restore", "-e", "-d", target.url, stdin_data: File.binread(archive))
    assert_same_text expected, target.canonical_dump, "pg_restore made another database of standard input"
  end

  def found(originals, text) = originals.select { |original| text.include?(original) }
end

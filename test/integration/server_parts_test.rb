# frozen_string_literal: true

require_relative "integration_helper"
require_relative "../support/store_server"
require_relative "../support/web_app"

# Parts of a masked archive that the server makes while it sends them: one table's rows, and the schema. As a team has it: mounted
# in a Rails app that Puma serves, asked by curl and by bare sockets.
class ServerPartsTest < IntegrationTest
  KEY = "5f0c9ae17b3d42860e9b71c4d2a8f635"

  # Everything a format has to distinguish.
  ODD = <<~SQL
    CREATE SCHEMA shop;
    CREATE TYPE mood AS ENUM ('good', 'bad, "mostly"');
    CREATE TABLE people (id int PRIMARY KEY, name text, note text, feels mood);
    INSERT INTO people VALUES (1, 'Ada', 'plain', 'good'), (2, '', NULL, 'bad, "mostly"'), (3, 'a,b', 'say "no"', NULL),
      (4, E'two\\nlines', E'a\\ttab\\rand a return', NULL), (5, '\\.', '\\N', NULL), (6, E'back\\\\slash', 'Zoë 😀', NULL);
    CREATE TABLE single (line text);
    INSERT INTO single VALUES ('\\.'), (NULL), (''), ('x');
    CREATE TABLE bare ();
    INSERT INTO bare DEFAULT VALUES; INSERT INTO bare DEFAULT VALUES;
    CREATE TABLE empty (id int, "a, ""b""" text);
    CREATE TABLE shop."Odd name/%2f" (id int);
    INSERT INTO shop."Odd name/%2f" VALUES (7);
    CREATE TABLE large (id int PRIMARY KEY, words text);
    INSERT INTO large SELECT n, repeat(md5(n::text), 4) FROM generate_series(1, 60000) n;
    CREATE TABLE absent (id int);
    INSERT INTO absent VALUES (1);
    CREATE VIEW names AS SELECT name FROM people;
    SELECT lo_from_bytea(4001, 'a large object');
  SQL
  TABLES = %w[people single bare empty large].freeze

  # One app for all tests of the file.
  Scene = Struct.new(:web, :staging, :source, :archive, :token) do
    def drop
      web.stop
      [staging, source].each(&:drop)
    end
  end

  def scene
    Shared.made(:server_parts_scene) do
      directory = "#{Shared.directory}/server_parts"
      FileUtils.mkdir_p(directory)
      source = Postgres.create_database("parts").tap { |database| database.exec(ODD) }
      archive = "#{directory}/staging.dump"
      staging = Postgres.create_staging
      rails = RailsApp.new("#{directory}/app", database_url: staging.url)
      rails.configure(<<~RUBY)
        config.anonymization_secret = #{KEY.inspect}
        config.archive_file = #{archive.inspect}
        config.server_enabled = true
      RUBY
      made(source.dump("#{directory}/raw.dump"), archive)
      token = rails.rake("scalingo_staging_sync:token[parts]").output[/^STAGING_SYNC_TOKEN=(\w{64})$/, 1]
      Scene.new(WebApp.new(rails), staging, source, archive, token)
    end
  end

  def web = scene.web
  def archive = scene.archive
  def source = scene.source

  # A masked archive and its manifest, as the task leaves them.
  def made(raw, archive, compression: "gzip")
    settings = Engine.settings(source: raw, target: "postgres://nowhere", exclude: ["absent"])
    report = ScalingoStagingSync::Native.dump(settings, { "to" => { "file" => archive }, "compression" => compression })
    sealed(report, archive)
  end

  def sealed(report, archive)
    ScalingoStagingSync.configuration.anonymization_secret = KEY
    ScalingoStagingSync::Archives::ManifestFile.new(report, archive, made_at: Time.now).write
  end

  def manifest = JSON.parse(File.read("#{archive}.json"))

  # The manifest with something else in it, under a seal that holds.
  def reseal
    facts = manifest.except("seal")
    yield facts
    ScalingoStagingSync.configuration.anonymization_secret = KEY
    File.write("#{archive}.json", ScalingoStagingSync::Audit::Seal.form(facts.merge(seal: ScalingoStagingSync::Audit::Seal.new.seal(facts))))
  end

  def kept
    before = File.binread("#{archive}.json")
    yield
  ensure
    File.binwrite("#{archive}.json", before)
  end

  def get(path, *, token: scene.token) = web.curl(path, *, token:)

  def lines(columns = "request, status, bytes, whole")
    scene.staging.database.values("SELECT concat_ws('|', #{columns}) FROM scalingo_staging_sync.accesses ORDER BY id")
  end

  # How a download ended is noted after its last byte.
  def assert_noted(line)
    deadline = Process.clock_gettime(Process::CLOCK_MONOTONIC) + 10
    until lines.last(5).any?(line)
      flunk "#{line} is not among #{lines.last(5)}" if Process.clock_gettime(Process::CLOCK_MONOTONIC) > deadline
      sleep 0.02
    end
  end

  # What PostgreSQL writes of a table.
  def copied(table, options = "")
    source.connect do |connection|
      text = +""
      connection.copy_data("COPY #{table} TO STDOUT #{options}") do
        while (line = connection.get_copy_data)
          text << line
        end
      end
      text.b
    end
  end

  def test_a_table_comes_as_postgresql_writes_it_as_copy_text_and_as_csv
    TABLES.each do |table|
      answer = get("/dump/#{table}")
      assert_equal [0, 200, copied(table)], [answer.exit, answer.status, answer.body.to_s.b], table
      assert_equal copied(table).bytesize.to_s, answer.headers["content-length"]
      csv = get("/dump/#{table}?format=csv")
      assert_equal [200, copied(table, "(FORMAT csv, HEADER)")], [csv.status, csv.body.b], table
      assert_equal [csv.body.bytesize.to_s, "text/csv; header=present", %(attachment; filename="public.#{table}.csv")],
                   csv.headers.values_at("content-length", "content-type", "content-disposition")
    end
    assert_noted "GET /dump/large|200|#{copied("large").bytesize}|t"
  end

  def test_every_compression_is_read
    NEWER_COMPRESSIONS.each do |compression|
      kept do
        before = File.binread(archive)
        made(source.dump(path("raw.dump")), archive, compression:)
        assert_equal copied("people"), get("/dump/people").body.b, compression
      ensure
        File.binwrite(archive, before)
      end
    end
  end
  NEWER_COMPRESSIONS = ["none", *(%w[zstd lz4] if Postgres.version >= 16)].freeze

  def test_a_table_is_found_by_its_name_with_and_without_its_schema
    scene
    ["/dump/public.people", "/dump/peopl%65"].each { |path| assert_equal copied("people"), get(path).body.b, path }
    ["/dump/shop.Odd%20name%2F%252f", "/dump/Odd%20name%2f%252f"].each { |path| assert_equal "7\n", get(path).body, path }
  end

  def test_names_that_are_no_tables_and_paths_that_lead_elsewhere_lead_nowhere
    ["/dump", "/dump/", "/dump/..%2f", "/dump/..%2f..%2fetc%2fpasswd", "/dump/../archive", "/dump/users;drop", "/dump/people;drop%20table",
     "/dump/people%00", "/dump/%", "/dump/%zz", "/dump/%ff", "/dump/people/..", "/dump/PEOPLE", "/dump/names",
     "/dump/absent", "/dump/pg_catalog.pg_authid", "/dump/*", "/dump/:table", "/dump/#{"a" * 5000}", "/schema.dump",
     "/schema/../archive"].each do |path|
      answer = get(path)
      assert_equal 404, answer.status, path[0, 60]
      refute_includes answer.body, "root:", path[0, 60]
    end
    ["/dump/people?format=sql", "/dump/people?format[]=csv", "/dump/people?format=%ff", "/dump/people?format="].each do |path|
      assert_equal 400, get(path).status, path
    end
  end

  def test_head_says_what_get_would_and_other_methods_are_refused
    { "/dump/people" => copied("people"), "/dump/people?format=csv" => copied("people", "(FORMAT csv, HEADER)"),
      "/schema" => get("/schema").body }.each do |path, body|
      head = get(path, "-I")
      assert_equal [0, 200, body.bytesize.to_s, ""], [head.exit, head.status, head.headers["content-length"], head.body.to_s], path
      said = ->(answer) { answer.headers.except("date", "connection", "x-request-id", "x-runtime") }
      assert_equal said.(get(path)), said.(head), path
      %w[POST PUT DELETE].each { |method| assert_equal 405, get(path, "-X", method).status, path }
    end
    assert_noted "HEAD /dump/people|200|0|t"
  end

  def test_no_range_is_heeded_and_conditions_are
    whole = copied("people")
    ["bytes=0-1", "bytes=#{"0-," * 2000}0-", "bytes=999999-", "bytes=-0", "bytes=9-3", "lines=1"].each do |range|
      answer = get("/dump/people", "-H", "Range: #{range}")
      assert_equal [200, whole, "none"], [answer.status, answer.body.b, answer.headers["accept-ranges"]], range[0, 30]
    end
    etags = ["/dump/people", "/dump/people?format=csv", "/dump/single", "/schema"].map { |path| get(path).headers["etag"] }
    assert_equal 4, etags.uniq.size
    { "If-None-Match: #{etags[0]}" => 304, "If-None-Match: *" => 304, "If-None-Match: #{etags[1]}" => 200, "If-Match: #{etags[0]}" => 200,
      "If-Match: \"x\"" => 412, "If-Match: #{"\"x\"," * 1500}" => 412, "If-Modified-Since: #{(Time.now + 60).httpdate}" => 304,
      "If-Modified-Since: yesterday" => 200 }.each do |header, status|
      answer = get("/dump/people", "-H", header)
      assert_equal [status, (status == 200) ? whole.bytesize : 0], [answer.status, answer.body.to_s.bytesize], header[0, 60]
    end
  end

  def test_huge_headers_end_in_a_refusal_and_tokens_are_wanted_as_everywhere
    ["Range: bytes=#{"0-," * 40_000}", "If-Match: #{"x" * 100_000}"].each do |header|
      assert_includes [400, 413, 431], get("/dump/people", "-H", header).status
    end
    %w[/dump/people /dump/absent /dump/nowhere /schema].each { |path| assert_equal 401, get(path, token: nil).status, path }
    narrow = web.rails.rake("scalingo_staging_sync:token[narrow,manifest]").output[/^STAGING_SYNC_TOKEN=(\w{64})$/, 1]
    assert_equal [403, 403], [get("/dump/people", token: narrow).status, get("/schema", token: narrow).status]
  end

  def test_the_schema_is_an_archive_without_rows
    answer = get("/schema")
    assert_equal [0, 200, answer.body.bytesize.to_s], [answer.exit, answer.status, answer.headers["content-length"]]
    schema = file("schema.dump", answer.body)
    refute_match(/TABLE DATA|SEQUENCE SET|BLOB/, Postgres.run("pg_restore", "-l", schema))
    target = new_database
    Postgres.run("pg_restore", "-e", "-d", target.url, schema)
    expected = new_database
    Postgres.run("pg_restore", "-e", "--schema-only", "-d", expected.url, archive)
    assert_same_text expected.canonical_dump, target.canonical_dump, "the schema is another one"
    assert_equal "0", target.value("SELECT count(*) FROM people")
  end

  # The head has said how many bytes come; a client sees that they have not.
  def test_rows_that_are_not_as_many_as_the_manifest_says_break_the_answer_off
    [1, -1].each do |wrong|
      kept do
        reseal { |facts| facts["tables"].find { |table| table["table"] == "public.large" }["bytes"] += wrong }
        answer = get("/dump/large")
        assert_equal [18, 200], [answer.exit, answer.status], wrong
        assert_noted(%r{\AGET /dump/large\|200\|\d+\|f\z})
      end
    end
    kept do
      reseal { |facts| facts["tables"].find { |table| table["table"] == "public.large" }["length"] -= 1000 }
      assert_equal 18, get("/dump/large").exit
      # Of CSV it is known beforehand, unless it was measured before the archive was damaged.
      assert_includes [[0, 503], [18, 200]], get("/dump/large?format=csv").then { |answer| [answer.exit, answer.status] }
    end
    assert_equal [0, 200], get("/dump/large").then { |answer| [answer.exit, answer.status] }
  end

  def test_readers_that_do_not_read_hold_up_no_one_and_are_limited
    readers = Array.new(ScalingoStagingSync::Server::PartAnswer::MOST) { asked("/dump/large") }
    assert_equal [503, "5"], get("/dump/people").then { |answer| [answer.status, answer.headers["retry-after"]] }
    assert_equal 200, get("/health", token: nil).status
    assert_equal 200, get("/manifest").status
    readers.first.close
    deadline = Process.clock_gettime(Process::CLOCK_MONOTONIC) + 10
    sleep 0.02 until get("/dump/people").status == 200 || Process.clock_gettime(Process::CLOCK_MONOTONIC) > deadline
    assert_equal 200, get("/dump/people").status
    readers.drop(1).each { |socket| assert_equal copied("large").bytesize, socket.read.b.split("\r\n\r\n", 2).last.bytesize }
  ensure
    readers&.each(&:close)
  end

  # A connection whose answer has begun.
  def asked(path)
    TCPSocket.new("127.0.0.1", web.port).tap do |socket|
      socket.write("GET #{WebApp::PATH}#{path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer #{scene.token}\r\n\r\n")
      socket.wait_readable(10)
    end
  end

  # As from a service that is reached over the network only.
  def test_parts_are_made_of_an_archive_that_lies_in_a_store
    scene
    remote = Struct.new(:path, :manifest) do
      def bytes(range) = File.binread(path, range.size, range.begin)
    end
    ScalingoStagingSync.configuration.anonymization_secret = KEY
    found = ScalingoStagingSync::Server::Offer::ByLink.new(remote.new(archive, ScalingoStagingSync::Archives::Local.new(archive).manifest))
    part = ScalingoStagingSync::Server::Part.new(found, manifest["tables"].find { |table| table["table"] == "public.large" })
    text = +""
    part.each { |piece| text << piece }
    assert_equal copied("large").bytesize, text.bytesize
    assert_equal copied("large"), text.b
    assert_equal get("/schema").body.bytesize, ScalingoStagingSync::Server::Part.new(found).size
  end

  def test_a_store_that_fails_meanwhile_is_what_is_said
    scene
    remote = Struct.new(:path, :manifest) do
      def bytes(range)
        raise ScalingoStagingSync::StoreError.new("The store is away.", "Wait.") if range.begin.positive?

        File.binread(path, range.size, range.begin)
      end
    end
    ScalingoStagingSync.configuration.anonymization_secret = KEY
    found = ScalingoStagingSync::Server::Offer::ByLink.new(remote.new(archive, ScalingoStagingSync::Archives::Local.new(archive).manifest))
    part = ScalingoStagingSync::Server::Part.new(found, manifest["tables"].find { |table| table["table"] == "public.large" })
    assert_raises(ScalingoStagingSync::StoreError) { part.each(&:size) }
  end
end

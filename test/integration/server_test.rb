# frozen_string_literal: true

require_relative "integration_helper"
require_relative "../support/masked_archive"
require_relative "../support/web_app"

# The server of masked archives as a team has it: mounted in a Rails app that Puma serves, asked by curl and by bare sockets.
class ServerTest < IntegrationTest
  KEY = "5f0c9ae17b3d42860e9b71c4d2a8f635"
  ARCHIVE = Random.new(7).bytes(6_000_000).freeze

  # One app for all tests of the file; each takes its own token.
  Scene = Struct.new(:web, :staging, :archive) do
    def drop
      web.stop
      staging.drop
    end
  end

  def scene
    Shared.made(:server_scene) do
      directory = "#{Shared.directory}/server"
      FileUtils.mkdir_p(directory)
      archive = "#{directory}/staging.dump"
      File.binwrite(archive, ARCHIVE)
      staging = Postgres.create_staging
      rails = RailsApp.new("#{directory}/app", database_url: staging.url, preloaded: true)
      rails.configure(<<~RUBY)
        config.anonymization_secret = #{KEY.inspect}
        config.archive_file = #{archive.inspect}
        config.server_enabled = true
      RUBY
      sealed(archive)
      Scene.new(WebApp.new(rails), staging, archive)
    end
  end

  def web = scene.web
  def archive = scene.archive

  def sealed(path, **)
    ScalingoStagingSync.configuration.anonymization_secret = KEY
    MaskedArchive.seal(path, tables: { "public.users" => 3 }, **)
  end

  # A new token, as the rake task prints it.
  def token(*arguments)
    result = web.rails.rake("scalingo_staging_sync:token[#{["t#{SecureRandom.hex(3)}", *arguments].join(",")}]")
    assert result.success?, result.output
    result.output[/^STAGING_SYNC_TOKEN=(\w{64})$/, 1] || flunk(result.output)
  end

  # Made once: a task takes a second to load the app.
  def common_token = Shared.made(:server_token) { token }

  def get(path, *, token: common_token) = web.curl(path, *, token:)

  # The first request that is noted creates the table; before that there are none.
  def lines(columns = "request, status, bytes, whole", where = "true")
    return [] unless scene.staging.database.value("SELECT to_regclass('scalingo_staging_sync.accesses')")

    scene.staging.database.values("SELECT concat_ws('|', #{columns}) FROM scalingo_staging_sync.accesses WHERE #{where} ORDER BY id")
  end

  # How a download ended is noted after its last byte.
  def assert_noted(line)
    deadline = Process.clock_gettime(Process::CLOCK_MONOTONIC) + 10
    until lines.last(5).include?(line)
      flunk "#{line} is not among #{lines.last(5)}" if Process.clock_gettime(Process::CLOCK_MONOTONIC) > deadline
      sleep 0.02
    end
  end

  # Two hundred bodies would be a gigabyte.
  def digest_of_body(socket)
    socket.gets("\r\n\r\n")
    digest = Digest::SHA256.new
    digest << socket.readpartial(64 * 1024) until socket.eof?
    digest.hexdigest
  end

  # Megabytes are no text to show.
  def assert_archive(bytes, message = nil) = assert(bytes == ARCHIVE, message || "#{bytes.to_s.bytesize} bytes came, not the archive's #{ARCHIVE.bytesize}")

  def etag = %("#{Digest::SHA256.file(archive).hexdigest}")

  def test_health_needs_no_token_and_says_three_things
    answer = get("/health", token: nil)
    20.times do # another test may have had the database away a moment ago
      break if answer.body.include?("complete")

      sleep 0.2
      answer = get("/health", token: nil)
    end
    assert_equal 200, answer.status
    facts = JSON.parse(answer.body)
    assert_equal %w[version state archive_age_seconds], facts.keys
    assert_equal [ScalingoStagingSync::VERSION, "complete"], facts.values_at("version", "state")
    assert_kind_of Integer, facts["archive_age_seconds"]
  end

  def test_the_archive_comes_whole_with_its_length_and_is_noted
    answer = get("/archive")
    assert_equal [0, 200], [answer.exit, answer.status], web.output[-500..]
    assert_archive answer.body
    assert_equal [ARCHIVE.bytesize.to_s, etag, "bytes", "no-store"], answer.headers.values_at("content-length", "etag", "accept-ranges", "cache-control")
    assert_noted "GET /archive|200|#{ARCHIVE.bytesize}|t"
    assert_equal ["127.0.0.1"], lines("address").uniq
  end

  def test_the_manifest_comes_as_it_was_sealed
    answer = get("/manifest")
    assert_equal [200, File.binread("#{archive}.json")], [answer.status, answer.body]
    assert_equal etag, answer.headers["etag"]
  end

  def test_a_range_brings_those_bytes_and_one_that_is_none_the_whole
    { "bytes=0-0" => 0..0, "bytes=10-19" => 10..19, "bytes=-5" => -5..-1, "bytes=5999999-" => 5_999_999..5_999_999,
      "bytes=5999990-99999999999999" => 5_999_990..5_999_999 }.each do |header, bytes|
      answer = get("/archive", "-H", "Range: #{header}")
      assert_equal [206, ARCHIVE[bytes]], [answer.status, answer.body], header
      first = bytes.begin.negative? ? ARCHIVE.bytesize + bytes.begin : bytes.begin
      assert_equal "bytes #{first}-#{first + answer.body.bytesize - 1}/6000000", answer.headers["content-range"]
    end
    ["bytes=0-1,2-3", "bytes=#{"0-," * 2000}0-", "bytes=9-3", "bytes=-", "bytes=a-b", "lines=1-2", "bytes=#{"9" * 30}-", "bytes=1-2-3"].each do |header|
      assert_equal [200, ARCHIVE.bytesize], get("/archive", "-H", "Range: #{header}").then { |answer| [answer.status, answer.body.bytesize] }, header[0, 40]
    end
    ["bytes=6000000-", "bytes=7000000-7000001", "bytes=-0"].each do |header|
      answer = get("/archive", "-H", "Range: #{header}")
      assert_equal [416, "bytes */6000000", ""], [answer.status, answer.headers["content-range"], answer.body], header
    end
  end

  def test_conditions_are_heeded
    before = (File.mtime(archive) - 86_400).httpdate
    after = (Time.now + 60).httpdate
    {
      "If-None-Match: #{etag}" => 304, "If-None-Match: \"x\", W/#{etag}" => 304, "If-None-Match: *" => 304, "If-None-Match: \"x\"" => 200,
      "If-Match: #{etag}" => 200, "If-Match: \"x\"" => 412, "If-Match: #{"\"x\"," * 1500}" => 412,
      "If-Modified-Since: #{after}" => 304, "If-Modified-Since: #{before}" => 200, "If-Modified-Since: yesterday" => 200
    }.each do |header, status|
      answer = get("/archive", "-H", header)
      assert_equal [status, (status == 200) ? ARCHIVE.bytesize : 0], [answer.status, answer.body.to_s.bytesize], header[0, 60]
    end
  end

  def test_a_range_of_another_archive_brings_the_whole
    same = get("/archive", "-H", "Range: bytes=5-6", "-H", "If-Range: #{etag}")
    other = get("/archive", "-H", "Range: bytes=5-6", "-H", "If-Range: \"x\"")
    assert_equal [206, ARCHIVE[5..6], 200, ARCHIVE.bytesize], [same.status, same.body, other.status, other.body.bytesize]
  end

  def test_head_has_the_head_of_get_and_no_body
    answer = get("/archive", "-I")
    assert_equal [0, 200, "6000000", etag], [answer.exit, answer.status, *answer.headers.values_at("content-length", "etag")]
    assert_empty answer.body.to_s
    assert_noted "HEAD /archive|200|0|t"
    assert_equal 200, get("/manifest", "-I").status
    assert_equal 200, get("/health", "-I", token: nil).status
  end

  def test_other_methods_are_refused
    %w[POST PUT DELETE PATCH].each { |method| assert_equal 405, get("/archive", "-X", method).status, method }
    assert_equal "GET, HEAD", get("/archive", "-X", "POST").headers["allow"]
    assert_equal 405, get("/health", "-X", "POST", token: nil).status
  end

  def test_paths_that_lead_elsewhere_lead_nowhere
    ["/", "", "/dump/..%2f", "/dump/../archive", "/dump/users;drop", "/archive/..", "/archive%00", "/%2e%2e/%2e%2e/etc/passwd",
     "/../../../etc/passwd", "/archive.json", "/ARCHIVE", "/dump/users%27--", "/archive?x=/etc/passwd&file=x"].each do |path|
      answer = get(path)
      expected = path.start_with?("/archive?") ? 200 : 404
      assert_equal expected, answer.status, path
      refute_includes answer.body, "root:", path
    end
  end

  def test_without_a_valid_token_everything_is_answered_alike
    expired = token
    revoked = token
    scene.staging.database.exec("UPDATE scalingo_staging_sync.tokens SET expires_at = now() - interval '1 second' WHERE digest = '#{Digest::SHA256.hexdigest(expired)}'")
    scene.staging.database.exec("UPDATE scalingo_staging_sync.tokens SET revoked_at = now() WHERE digest = '#{Digest::SHA256.hexdigest(revoked)}'")
    given = [nil, "Bearer", "Bearer x", "Bearer #{"a" * 64}", "Bearer #{expired}", "Bearer #{revoked}", "Basic #{common_token}",
             "Bearer #{common_token}x", "Bearer #{common_token}' OR '1'='1", "Bearer #{common_token[0..-2]}"]
    counted = -> { scene.staging.database.value("SELECT coalesce(sum(count), 0) FROM scalingo_staging_sync.wrong_tokens").to_i }
    noted = lines.size
    before = scene.staging.database.value("SELECT to_regclass('scalingo_staging_sync.wrong_tokens')") ? counted.call : 0
    answers = given.map { |header| web.curl("/archive", *(["-H", "Authorization: #{header}"] if header)) }
    answers += %w[/manifest /nowhere /dump/users].map { |path| web.curl(path) }
    assert_equal [[401, "Bearer"]], answers.map { |answer| [answer.status, answer.headers["www-authenticate"]] }.uniq
    assert_equal 1, answers.map { |answer| [answer.headers.keys.sort, answer.body] }.uniq.size
    assert_equal before + answers.size, counted.call
    assert_equal noted, lines.size
  end

  def test_huge_headers_end_in_a_refusal_and_the_server_goes_on
    ["Authorization: Bearer #{"a" * 100_000}", "Range: bytes=#{"0-," * 40_000}", "If-Match: #{"x" * 100_000}"].each do |header|
      answer = get("/archive", "-H", header)
      assert_includes [400, 413, 431], answer.status, header[0, 30]
    end
    assert_equal 401, web.curl("/archive", "-H", "Authorization: Bearer #{"a" * 60_000}").status
    assert_equal 200, get("/archive").status
  end

  def test_a_token_of_the_scope_manifest_does_not_open_the_archive
    manifest = token("manifest", "1")
    assert_equal [200, 403], [get("/manifest", token: manifest).status, get("/archive", token: manifest).status]
    assert_equal "1", scene.staging.database.value("SELECT round(extract(epoch FROM expires_at - created_at) / 86400) FROM scalingo_staging_sync.tokens ORDER BY id DESC LIMIT 1")
  end

  def test_a_revoked_token_opens_nothing_any_more
    first = token
    name = scene.staging.database.value("SELECT name FROM scalingo_staging_sync.tokens ORDER BY id DESC LIMIT 1")
    again = web.rails.rake("scalingo_staging_sync:token[#{name}]")
    assert_includes again.output, "ConfigurationError: There is a valid token named #{name} already."
    assert_equal 200, get("/manifest", token: first).status
    revoked = web.rails.rake("scalingo_staging_sync:revoke[#{name}]")
    assert revoked.success?, revoked.output
    assert_equal 401, get("/manifest", token: first).status
    listed = web.rails.rake("scalingo_staging_sync:tokens").output
    assert_match(/^#{name}  revoked, archive, until \d{4}-\d\d-\d\d; used once, last on /, listed)
    refute_includes listed, first
    assert_includes web.rails.rake("scalingo_staging_sync:status").output, "revoke #{name}: done"
  end

  # Nothing of a token is in the database but its digest, and nothing of it is in the app's log.
  def test_a_token_is_kept_nowhere
    secret = common_token
    get("/archive")
    text = Postgres.run("pg_dump", "-n", "scalingo_staging_sync", scene.staging.database.url)
    refute_includes text, secret
    assert_includes text, Digest::SHA256.hexdigest(secret)
    refute_includes web.output, secret
  end

  def test_readers_that_do_not_read_hold_up_no_one_else
    readers = Array.new(200) { web.reader(common_token) }
    get("/health", token: nil)
    memory = web.memory
    20.times { assert_equal 200, get("/health", token: nil).status }
    assert_equal ARCHIVE.bytesize, get("/archive").body.bytesize
    assert_operator web.memory - memory, :<, 32 * 1024 * 1024
    # All at once: who waits a minute for its turn is given up.
    digests = readers.map { |socket| Thread.new { digest_of_body(socket) } }.map(&:value)
    assert_equal [Digest::SHA256.hexdigest(ARCHIVE)], digests.uniq
  ensure
    readers&.each(&:close)
  end

  def test_a_reader_that_goes_away_is_noted_as_cut_off
    slow = token
    socket = web.reader(slow)
    socket.readpartial(1000)
    socket.close
    id = scene.staging.database.value("SELECT max(id) FROM scalingo_staging_sync.tokens")
    deadline = Process.clock_gettime(Process::CLOCK_MONOTONIC) + 10
    sleep 0.02 until lines("whole", "token_id = #{id}") == ["f"] || Process.clock_gettime(Process::CLOCK_MONOTONIC) > deadline
    assert_equal ["f"], lines("whole", "token_id = #{id}")
    assert_operator lines("bytes", "token_id = #{id}").first.to_i, :<, ARCHIVE.bytesize
  end

  # An archive that shrinks while it is sent cannot end as if it were whole.
  def test_an_archive_that_is_changed_is_not_handed_out
    socket = web.reader(common_token)
    socket.readpartial(1000)
    File.truncate(archive, 5_999_000)
    rest = socket.read
    assert_operator rest.bytesize, :<, ARCHIVE.bytesize
    assert_equal 503, get("/archive").status
    File.binwrite(archive, ARCHIVE.dup.tap { |bytes| bytes.setbyte(3_000_000, bytes.getbyte(3_000_000) ^ 1) })
    answer = get("/archive")
    assert_equal 503, answer.status
    refute_includes answer.body, archive
    assert_includes web.output, "is not the one that its manifest describes"
    manifest = File.read("#{archive}.json")
    File.write("#{archive}.json", manifest.sub('"findings": 0', '"findings": 1'))
    assert_equal [503, 503], [get("/archive").status, get("/manifest").status]
    File.delete("#{archive}.json")
    assert_equal [404, 404], [get("/archive").status, get("/manifest").status]
  ensure
    socket&.close
    File.binwrite(archive, ARCHIVE)
    sealed(archive)
  end

  # As the engine leaves it while a run lasts.
  def test_what_is_fetched_during_a_run_is_noted_too
    scene.staging.database.exec("ALTER ROLE #{scene.staging.role} SET default_transaction_read_only = on")
    scene.staging.database.exec("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '#{scene.staging.role}'")
    before = lines.size
    assert_equal ARCHIVE.bytesize, get("/archive").body.bytesize
    assert_equal before + 1, lines.size
  ensure
    scene.staging.database.exec("ALTER ROLE #{scene.staging.role} RESET default_transaction_read_only")
    scene.staging.database.exec("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '#{scene.staging.role}'")
  end

  def test_a_database_that_is_away_hands_out_nothing
    # While the database is there, should this test be the first.
    token = common_token
    scene.staging.database.exec("ALTER ROLE #{scene.staging.role} NOLOGIN")
    scene.staging.database.exec("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '#{scene.staging.role}'")
    assert_equal [503, "10"], get("/archive", token:).then { |answer| [answer.status, answer.headers["retry-after"]] }
    assert_equal 200, get("/health", token: nil).status
  ensure
    scene.staging.database.exec("ALTER ROLE #{scene.staging.role} LOGIN")
  end
end

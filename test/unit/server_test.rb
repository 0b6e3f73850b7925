# frozen_string_literal: true

require "test_helper"
require "active_record"
require "minitest/mock"
require "rack/mock"
require "support/masked_archive"

# When the server of masked archives answers at all, and what it does about those without a token. What it hands out is in
# test/integration.
class ServerUnitTest < Minitest::Test
  Server = ScalingoStagingSync::Server

  def setup
    @directory = Dir.mktmpdir
    @archive = "#{@directory}/staging.dump"
    File.binwrite(@archive, "PGDMP" * 10)
    staging_config.archive_file = @archive
    MaskedArchive.seal(@archive)
  end

  def teardown = FileUtils.remove_entry(@directory)

  def config = ScalingoStagingSync.configuration

  def get(path, server = Server.new) = server.call(Rack::MockRequest.env_for(path))

  def test_it_is_off_unless_it_is_enabled
    assert_equal 404, get("/health").first
    config.server_enabled = true
    assert_equal 200, get("/health").first
  end

  # By everything that the guard looks at.
  def test_in_production_it_is_off_unless_that_is_meant
    config.server_enabled = true
    %w[my-app-production shop-prod].each do |app|
      ENV["APP"] = app
      assert_equal 404, get("/health").first, app
    end
    ENV.update("APP" => "my-app-staging", "DATABASE_URL" => STAGING_URL.sub("staging-db", "production-db"))
    assert_equal 404, get("/health").first
    config.server_in_production = true
    assert_equal 200, get("/health").first
  end

  def test_in_production_a_file_that_was_not_published_is_not_offered
    config.server_enabled = config.server_in_production = true
    assert_equal @archive, Server::Offer.new(config).newest.open.first.tap(&:close).path
    ENV["APP"] = "my-app-production"
    assert_nil Server::Offer.new(config).newest
  end

  def test_health_goes_on_where_the_database_and_the_archive_cannot_be_asked
    config.server_enabled = true
    File.write("#{@archive}.json", "{}")
    status, headers, body = get("/health")
    assert_equal [200, "application/json"], [status, headers["content-type"]]
    assert_equal({ "version" => ScalingoStagingSync::VERSION, "state" => "unknown", "archive_age_seconds" => nil }, JSON.parse(body.join))
  end

  # Tokens, none of which is valid.
  NoTokens = Struct.new(:asked) do
    def holder(_token) = nil
    def wrong_token(_address) = self.asked = asked.to_i + 1
  end

  # A door that makes the wrong ones wait ends the test at once.
  def test_those_without_a_token_wait_and_when_many_wait_the_others_are_sent_away
    door = Server::Door.new(pause: 7, tokens: NoTokens.new, accesses: (counted = NoTokens.new))
    request = Rack::Request.new(Rack::MockRequest.env_for("/archive", "HTTP_AUTHORIZATION" => "Bearer #{"a" * 64}"))
    pauses = Queue.new
    go_on = Queue.new
    door.define_singleton_method(:sleep) do |seconds|
      pauses << seconds
      go_on.pop
    end
    waiting = Array.new(Server::Door::WAITING) { Thread.new { door.pass(request) { flunk } } }
    assert_equal [7] * Server::Door::WAITING, Array.new(Server::Door::WAITING) { pauses.pop(timeout: 10) }
    further = Thread.new { door.pass(request) { flunk } }
    assert_equal further, further.join(10), "one more waits, too"
    assert_equal [429, "1"], further.value.then { |status, headers, _| [status, headers["retry-after"]] }
    go_on.close
    assert_equal [401], waiting.map { |thread| thread.value.first }.uniq
    assert_equal Server::Door::WAITING + 1, counted.asked
  ensure
    go_on&.close
    [*waiting, further].compact.each(&:kill)
  end

  def test_where_a_request_comes_from_is_known_though_a_header_says_something_that_is_no_address
    from = lambda do |forwarded|
      Server::Address.of(Rack::Request.new(Rack::MockRequest.env_for("/archive", "REMOTE_ADDR" => "203.0.113.9", "HTTP_X_FORWARDED_FOR" => forwarded)))
    end
    assert_equal ["203.0.113.9", "203.0.113.9", "203.0.113.9"], [nil, "", "198.51.100.7<script>"].map(&from)
  end

  def test_a_range_is_read_as_the_standard_has_it
    read = ->(text) { Server::ByteRange.of(text, 10) }
    assert_equal [0..9, 2..3, 7..9, 5..9, 0..9, 9..9], ["bytes=0-", "bytes=2-3", "bytes=-3", "BYTES=5-99", "bytes=-99", " bytes=9-9 "].map(&read)
    assert_equal [nil], [nil, "", "bytes=", "bytes=-", "bytes=3-2", "bytes=1-2,3-4", "bytes= 1-2", "items=0-1", "bytes=0x1-2"].map(&read).uniq
    assert_equal [:none], ["bytes=10-", "bytes=11-12", "bytes=-0"].map(&read).uniq
    assert_equal :none, Server::ByteRange.of("bytes=0-", 0)
  end

  # Where the app's server cannot hand the connection over.
  def test_a_body_that_the_apps_server_sends_knows_how_much_was_taken
    ended = []
    pieces = Server::Pieces.new(File.open(@archive, "rb"), 5..14) { |*facts| ended << facts }
    assert_equal "PGDMPPGDMP", pieces.enum_for(:each).to_a.join
    2.times { pieces.close }
    assert_equal [[10, true]], ended
  end

  def test_a_body_of_a_file_that_has_shrunk_ends_in_an_error_and_not_as_if_it_were_whole
    file = File.open(@archive, "rb")
    ended = []
    pieces = Server::Pieces.new(file, 0..49) { |*facts| ended << facts }
    File.truncate(@archive, 0)
    assert_raises(EOFError) { pieces.each { |piece| flunk piece } }
    pieces.close
    assert_equal [[0, false]], ended
  end

  def test_a_reader_that_takes_nothing_is_given_up
    File.binwrite(@archive, "x" * 10_000_000)
    reader, writer = UNIXSocket.pair
    ended = Queue.new
    Server::Sender.new(patience: 0).take(writer, File.open(@archive, "rb"), 0..9_999_999) { |*facts| ended << facts }
    sent, whole = ended.pop
    assert_operator sent, :<, 10_000_000
    refute whole
    assert_predicate writer, :closed?
    assert_equal sent, reader.read.bytesize
  end

  def test_a_connection_that_was_never_handed_over_is_noted_and_the_file_closed
    file = File.open(@archive, "rb")
    ended = []
    handover = Server::Handover.new(Server::Sender.new, file, 0..9) { |*facts| ended << facts }
    2.times { handover.close }
    assert_equal [[[0, false]], true], [ended, file.closed?]
  end

  def test_a_token_has_sixty_four_characters_and_nothing_shows_it
    deliberately_mistyped
    assert_equal 64, ScalingoStagingSync::Database::Tokens::LENGTH
    tokens = ScalingoStagingSync::Database::Tokens.new
    [nil, "", "a b", "x" * 61, "../x", "tk-us-secret-token", "a\nb"].each do |name|
      error = assert_raises(ScalingoStagingSync::ConfigurationError) { tokens.make(name) }
      refute_includes error.message, "tk-us"
    end
    assert_raises(ScalingoStagingSync::ConfigurationError) { tokens.make("ada", scope: "all") }
    ["0", "-1", "3651", "1.5", "x"].each { |days| assert_raises(ScalingoStagingSync::ConfigurationError, days) { tokens.make("ada", days:) } }
  end

  def test_a_seal_key_stands_for_the_key_of_pseudonyms
    key = ScalingoStagingSync::Audit::Seal.new.key
    ScalingoStagingSync.reset_configuration!
    assert_raises(ScalingoStagingSync::ConfigurationError) { ScalingoStagingSync::Archives::Local.new(@archive).manifest }
    ENV["STAGING_SYNC_SEAL_KEY"] = key
    assert_equal "shop-production", ScalingoStagingSync::Archives::Local.new(@archive).manifest.origin
    ENV["STAGING_SYNC_SEAL_KEY"] = "cd" * 32
    assert_raises(ScalingoStagingSync::VerificationError) { ScalingoStagingSync::Archives::Local.new(@archive).manifest }
    ENV["STAGING_SYNC_SEAL_KEY"] = "no key"
    assert_includes assert_raises(ScalingoStagingSync::ConfigurationError) { ScalingoStagingSync::Archives::Local.new(@archive).manifest }.message, "STAGING_SYNC_SEAL_KEY"
  end

  def test_an_audit_is_no_manifest
    seal = ScalingoStagingSync::Audit::Seal.new
    text = ->(facts) { ScalingoStagingSync::Audit::Seal.form(facts.merge(seal: seal.seal(facts))) }
    { { kind: "audit" } => "no masked archive", { schema_version: 1 } => "no masked archive" }.each do |facts, sentence|
      error = assert_raises(ScalingoStagingSync::VerificationError) { ScalingoStagingSync::Archives::Manifest.of(text.(facts), from: "x") }
      assert_includes error.message, sentence
    end
    MaskedArchive.seal(@archive, manifest_version: 2)
    assert_includes assert_raises(ScalingoStagingSync::VerificationError) { ScalingoStagingSync::Archives::Local.new(@archive).manifest }.message, "version 2"
  end
end

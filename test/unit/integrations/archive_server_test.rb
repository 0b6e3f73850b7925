# frozen_string_literal: true

require "test_helper"
require "socket"

# A client's downloads from a server that breaks off, leads elsewhere, or sends something else, over real connections.
class ArchiveServerTest < Minitest::Test
  Client = ScalingoStagingSync::Integrations::ArchiveServer
  BYTES = Random.new(3).bytes(300_000).freeze
  TOKEN = "t" * 64

  # Answers each request with the next of its answers, the last one for good; an answer is what is written to the connection,
  # which is closed then.
  class Scripted
    attr_reader :requests, :port

    def initialize(*answers)
      @server = TCPServer.new("127.0.0.1", 0)
      @port = @server.addr[1]
      @requests = []
      @thread = Thread.new { serve(answers) }
    end

    def url(path = "/staging_sync") = "http://127.0.0.1:#{port}#{path}"

    def stop
      @thread.kill
      @server.close
    end

    private

    def serve(answers)
      loop do
        socket = @server.accept
        head = +""
        head << socket.readpartial(4096) until head.end_with?("\r\n\r\n")
        @requests << head
        answer = answers.first
        answers.shift if answers.size > 1
        socket.write(answer.respond_to?(:call) ? answer.call(head) : answer)
        socket.close
      end
    end
  end

  def setup
    @servers = []
  end

  def teardown = @servers.each(&:stop)

  def serving(*answers) = Scripted.new(*answers).tap { |server| @servers << server }

  def answer(status, headers = {}, body = "")
    "HTTP/1.1 #{status}\r\n#{{ "Content-Length" => body.bytesize, "Connection" => "close" }.merge(headers).map { |name, value| "#{name}: #{value}\r\n" }.join}\r\n".b + body
  end

  # The whole file, cut after so many bytes.
  def cut(bytes) = answer("200 OK", { "Content-Length" => BYTES.bytesize }, BYTES[0, bytes])

  # What is asked for from its first byte on.
  def rest(most = BYTES.bytesize)
    lambda do |head|
      first = head[/^Range: bytes=(\d+)-\r$/i, 1].to_i
      answer("206 Partial Content", { "Content-Range" => "bytes #{first}-#{BYTES.bytesize - 1}/#{BYTES.bytesize}", "Content-Length" => BYTES.bytesize - first }, BYTES[first, most])
    end
  end

  def client(url) = Client.new(url, TOKEN, pause: 0)

  def fetch(server, size: BYTES.bytesize)
    got = +"".b
    client(server.url).archive(size, "ab" * 32) { |piece| got << piece }
    got
  end

  def refused(server, **) = assert_raises(ScalingoStagingSync::StoreError) { fetch(server, **) }.tap { |error| refute_includes error.message, TOKEN }

  def test_a_download_that_breaks_off_goes_on_where_it_was
    server = serving(cut(100_000), rest(50_000), rest(1), rest)
    assert_equal Digest::SHA256.hexdigest(BYTES), Digest::SHA256.hexdigest(fetch(server))
    assert_equal [nil, "100000", "150000", "150001"], server.requests.map { |head| head[/^Range: bytes=(\d+)-/i, 1] }
    assert_equal ["Bearer #{TOKEN}", "\"#{"ab" * 32}\""], [server.requests.last[/^Authorization: (.+)\r$/i, 1], server.requests.last[/^If-Match: (.+)\r$/i, 1]]
  end

  def test_one_that_begins_again_sends_nothing_twice
    server = serving(cut(100_000), cut(BYTES.bytesize))
    assert_equal Digest::SHA256.hexdigest(BYTES), Digest::SHA256.hexdigest(fetch(server))
  end

  def test_an_answer_that_may_pass_is_asked_for_again_and_given_up_in_the_end
    server = serving(answer("503 Service Unavailable"), answer("429 Too Many Requests"), answer("500 Error"), "", cut(BYTES.bytesize))
    assert_equal BYTES.bytesize, fetch(server).bytesize
    down = serving(answer("503 Service Unavailable"))
    assert_includes refused(down).message, "did not send what was asked for, after 5 tries"
    assert_equal 5, down.requests.size
  end

  # What does not come nearer to the end must not go on for ever.
  def test_steps_forward_begin_the_count_anew_and_standing_still_does_not
    server = serving(cut(10_000), *([rest(10_000)] * 19), rest)
    assert_equal BYTES.bytesize, fetch(server).bytesize
    still = serving(cut(10_000), rest(0))
    refused(still)
    assert_equal 5, still.requests.size
  end

  def test_a_redirect_is_followed_without_the_token
    store = serving(cut(1000), rest)
    server = serving(answer("302 Found", { "Location" => "#{store.url("/bucket/key")}?signature=hush" }))
    assert_equal Digest::SHA256.hexdigest(BYTES), Digest::SHA256.hexdigest(fetch(server))
    assert_equal 2, server.requests.size, "the link is asked for anew, since it lasts some minutes only"
    assert_equal [nil, nil], store.requests.map { |head| head[/^(?:Authorization|If-Match):.*/i] }
    assert_match(/^Range: bytes=1000-\r$/i, store.requests.last)
  end

  def test_a_redirect_to_a_place_without_https_or_without_end_is_refused
    assert_includes refused(serving(answer("302 Found", { "Location" => "http://store.example.com/x?signature=hush" }))).message, "without HTTPS"
    refused(serving(answer("302 Found", { "Location" => "ftp://store.example.com/x" })))
    refused(serving(answer("302 Found", { "Location" => "::" })))
    circle = serving(answer("302 Found", { "Location" => "/again" }))
    refute_includes refused(circle).message, "hush"
    assert_equal 6, circle.requests.size
  end

  def test_more_bytes_than_the_manifest_says_are_refused
    assert_includes refused(serving(cut(BYTES.bytesize)), size: 1000).message, "longer than its manifest says"
    refused(serving(cut(1000), answer("206 Partial Content", { "Content-Range" => "bytes 0-9/300000" }, "0123456789")))
  end

  def test_each_refusal_says_what_to_do_and_is_not_asked_for_again
    { "401 Unauthorized" => "new one made", "403 Forbidden" => "scope archive", "404 Not Found" => "dumped there", "412 Precondition Failed" => "Run it again",
      "418 Teapot" => "418" }.each do |status, words|
      server = serving(answer(status))
      assert_includes refused(server).message, words
      assert_equal 1, server.requests.size
    end
  end

  def test_a_url_that_is_none_or_not_safe_is_refused_before_anything_is_sent
    ["http://staging.example.com/x", "https://user:hush@staging.example.com", "ftp://x", "staging.example.com", "https://", "https://x/?a=b", "::"].each do |url|
      error = assert_raises(ScalingoStagingSync::ConfigurationError, url) { client(url) }
      refute_includes error.message, "hush"
    end
    assert_raises(ScalingoStagingSync::ConfigurationError) { Client.new("https://staging.example.com", "") }
    %w[https://staging.example.com/x/ http://localhost:3000 http://[::1]:3000/x http://127.0.0.1].each { |url| assert client(url) }
  end

  def test_a_manifest_comes_whole_or_not_at_all
    assert_equal "{}", client(serving(answer("200 OK", { "Content-Length" => 10 }, "half"), answer("200 OK", {}, "{}")).url).manifest
    nothing = Client.new("http://127.0.0.1:1/staging_sync", TOKEN, pause: 0)
    assert_includes assert_raises(ScalingoStagingSync::StoreError) { nothing.manifest }.message, "Errno::ECONNREFUSED"
  end
end

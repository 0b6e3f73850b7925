# frozen_string_literal: true

require "test_helper"
require "json"
require "socket"

class SlackNotificationServiceTest < Minitest::Test
  Slack = ScalingoStagingSync::Services::SlackNotificationService

  # A server that keeps the bodies it was sent and answers as told; without an answer it never does.
  def with_server(answer)
    server = TCPServer.new("127.0.0.1", 0)
    bodies = Queue.new
    thread = Thread.new do
      loop do
        Thread.new(server.accept) do |socket|
          length = 0
          while (line = socket.gets) && line != "\r\n"
            length = line.split(":").last.to_i if line.downcase.start_with?("content-length:")
          end
          bodies << JSON.parse(socket.read(length))
          answer ? socket.write("HTTP/1.1 #{answer}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n") : sleep
          socket.close
        end
      end
    end
    yield "http://127.0.0.1:#{server.addr[1]}/services/hush", bodies
  ensure
    thread&.kill&.join
    server&.close
  end

  def configure(url)
    staging_config.tap do |config|
      config.slack_enabled = true
      config.slack_webhook_url = url
      config.slack_channel = "#deployments"
    end
  end

  def test_start_success_and_failure_are_told_in_french_and_in_order
    with_server("200 OK") do |url, bodies|
      slack = Slack.new(config: configure(url))
      slack.started
      slack.succeeded(FakeNative::REPORT)
      slack.failed(ScalingoStagingSync::RestoreError.new("PostgreSQL said no.", "Do this."))
      slack.flush
      texts = Array.new(bodies.size) { bodies.pop }.map { |body| body.fetch("text") }
      assert_equal "Copie de la base de my-app-production vers my-app-staging : démarrage.", texts[0]
      assert_includes texts[1], "terminée en 12 s"
      assert_includes texts[1], "Données anonymisées : utilisateurs (50 000)."
      assert_includes texts[2], "échec.\nRestoreError : PostgreSQL said no."
    end
  end

  def test_it_speaks_english_too
    with_server("200 OK") do |url, bodies|
      config = configure(url)
      config.slack_locale = :en
      slack = Slack.new(config:)
      slack.started
      slack.step(:rows)
      slack.step(:plan)
      slack.succeeded(FakeNative::REPORT.merge(findings: [{ table: "a", status: "uncovered" }, { table: "b", status: "masked" }]))
      slack.flush
      texts = Array.new(bodies.size) { bodies.pop }.map { |body| body.fetch("text") }
      assert_equal 3, texts.size
      assert_equal "Copy of my-app-production's database to my-app-staging: started.", texts[0]
      assert_equal "Copy of my-app-production's database to my-app-staging: loading anonymized rows.", texts[1]
      ["done in 12 s", "2 tables, 50,002 rows.", "Anonymized: users (50,000).", "without a rule: 1."].each { |words| assert_includes texts[2], words }
    end
  end

  def test_too_many_messages_are_sent_again_later
    with_server("429 Too Many Requests\r\nRetry-After: 0") do |url, bodies|
      slack = Slack.new(config: configure(url))
      slack.started
      slack.flush
      assert_equal 1 + Slack::RETRIES, bodies.size
      assert_includes log.string, "it answered 429"
    end
  end

  def test_the_channel_is_named_where_it_is_configured
    with_server("200 OK") do |url, bodies|
      slack = Slack.new(config: configure(url))
      slack.started
      assert_equal "#deployments", bodies.pop(timeout: 5)["channel"]
      slack.flush
    end
  end

  def test_of_a_foreign_error_only_the_class_is_told
    with_server("200 OK") do |url, bodies|
      slack = Slack.new(config: configure(url))
      slack.failed(ArgumentError.new("ada@lovelace.example"))
      slack.flush
      text = bodies.pop(timeout: 5)["text"]
      assert_includes text, "ArgumentError"
      refute_includes text, "ada"
    end
  end

  def test_an_interrupted_run_is_told_as_such
    with_server("200 OK") do |url, bodies|
      slack = Slack.new(config: configure(url))
      slack.failed(Interrupt.new)
      slack.flush
      assert_includes bodies.pop(timeout: 5)["text"], "interrompue"
    end
  end

  def test_a_refusal_and_what_a_failure_has_left_are_told_with_what_to_do
    guard = ScalingoStagingSync::Support::EnvironmentValidator::ProductionEnvironmentError.new(["Rails.env is production."], "Set it.")
    plan = ScalingoStagingSync::PlanError.new("No table <tags> & no column.", "Mend the rule.")
    with_server("200 OK") do |url, bodies|
      slack = Slack.new(config: configure(url))
      slack.failed(guard, :refused)
      slack.failed(plan, :untouched)
      slack.failed(plan, :incomplete)
      slack.failed(plan, :unknown)
      slack.flush
      refused, untouched, incomplete, unknown = Array.new(bodies.size) { bodies.pop }.map { |body| body.fetch("text") }
      assert_match(/: refusée, rien n'a été touché\.\nProductionEnvironmentError : .*Rails\.env is production\.\nSet it\.\z/, refused)
      assert_includes untouched, "échec.\nPlanError : No table &lt;tags&gt; &amp; no column.\nMend the rule.\nLes anciennes données"
      assert_includes incomplete, "Les données de staging sont incomplètes"
      refute_match(/données/, unknown)
    end
  end

  def test_of_many_tables_the_largest_are_named_and_the_others_counted
    tables = Array.new(500) { |at| { table: "public.t#{at}", rows: at, columns: [{ name: "email", mask: "x", masked: at }] } }
    with_server("200 OK") do |url, bodies|
      slack = Slack.new(config: configure(url))
      slack.succeeded(FakeNative::REPORT.merge(tables:))
      slack.flush
      text = bodies.pop(timeout: 5)["text"]
      assert_includes text, "Données anonymisées : t499 (499), t498 (498)"
      assert_includes text, "t480 (480), et 480 autres."
    end
  end

  def test_nothing_is_sent_unless_enabled
    with_server("200 OK") do |url, bodies|
      config = configure(url)
      config.slack_enabled = false
      slack = Slack.new(config:)
      slack.started
      slack.flush
      assert_empty bodies
    end
  end

  def test_a_refusal_is_logged_without_the_url_and_fails_nothing
    with_server("403 Forbidden") do |url, _|
      slack = Slack.new(config: configure(url))
      slack.started
      slack.flush
    end
    assert_includes log.string, "Slack was not told: it answered 403."
    refute_includes log.string, "hush"
  end

  def test_a_server_that_is_not_there_fails_nothing
    port = TCPServer.open("127.0.0.1", 0) { |server| server.addr[1] }
    slack = Slack.new(config: configure("http://127.0.0.1:#{port}/services/hush"))
    slack.started
    slack.flush
    assert_includes log.string, "Slack was not told: Errno::ECONNREFUSED."
    refute_includes log.string, "hush"
  end

  def test_a_server_that_never_answers_delays_nothing
    with_server(nil) do |url, bodies|
      slack = Slack.new(config: configure(url))
      slack.started
      bodies.pop(timeout: 5)
      before = Process.clock_gettime(Process::CLOCK_MONOTONIC)
      slack.flush(patience: 0.05)
      assert_operator Process.clock_gettime(Process::CLOCK_MONOTONIC) - before, :<, 2
    end
  end

  def test_an_enabled_service_without_a_url_says_so_in_the_log
    config = staging_config
    config.slack_enabled = true
    Slack.new(config:).started
    assert_includes log.string, "config.slack_webhook_url is not set"
  end
end

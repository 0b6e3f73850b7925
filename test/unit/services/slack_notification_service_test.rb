# frozen_string_literal: true

require "test_helper"
require "support/everything"
require "json"
require "socket"

class SlackNotificationServiceTest < Minitest::Test
  Slack = ScalingoStagingSync::Services::SlackNotificationService
  PAGE = "https://dashboard.scalingo.com/apps/osc-fr1/my-app-staging"

  # French has spaces at which no line may end.
  def breaking(text) = text.tr("\u00a0", " ")

  # A server that keeps the bodies it was sent and answers as given; without an answer it never does.
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

  def test_start_success_and_failure_are_posted_in_french_and_in_order
    with_server("200 OK") do |url, bodies|
      slack = Slack.new(config: configure(url))
      slack.started
      slack.succeeded(FakeNative::REPORT)
      slack.failed(ScalingoStagingSync::RestoreError.new("PostgreSQL said no.", "Do this."))
      slack.flush
      texts = Array.new(bodies.size) { bodies.pop }.map { |body| breaking(body.fetch("text")) }
      assert_equal "Copie de la base de « my-app-production » vers « my-app-staging » : démarrage.\n#{PAGE}", texts[0]
      assert_equal "Copie de la base de « my-app-production » vers « my-app-staging » : terminée en 12 s.\n" \
                   "Sauvegarde bk-1 du 02/01/2026 à 03:04 UTC (1,2 Mo).\n2 tables, 50 002 lignes, 9 Mo.\n" \
                   "Données anonymisées : utilisateurs (50 000).\n#{PAGE}", texts[1].sub("9,0", "9")
      assert_includes texts[2], "échec.\nPostgreSQL a refusé une partie de la restauration (RestoreError).\n> PostgreSQL said no. Do this.\n"
    end
  end

  def test_french_elides_and_counts_as_the_french_do
    findings = Array.new(12) { |at| { table: "t#{at}", status: "uncovered" } }
    with_server("200 OK") do |url, bodies|
      config = configure(url)
      config.clone_source_scalingo_app_name = "app"
      slack = Slack.new(config:)
      slack.succeeded(FakeNative::REPORT.merge(findings:, warnings: ["One."]))
      slack.succeeded(FakeNative::REPORT.merge(findings: findings.first(1), warnings: []))
      with_env("BACKUP_FILE" => __FILE__) { slack.started }
      slack.failed(ScalingoStagingSync::RestoreError.new("No."), :incomplete)
      slack.flush
      many, one, file, failed = Array.new(4) { breaking(bodies.pop(timeout: 5).fetch("text")) }
      assert_includes many, "Copie de la base d'« app » vers « my-app-staging » : terminée"
      assert_includes many, "\n12 colonnes personnelles non couvertes.\n1 avertissement :\n• One.\n"
      assert_includes one, "\n1 colonne personnelle non couverte.\n"
      assert_includes file, "Copie d'une archive locale vers « my-app-staging » : démarrage."
      assert_includes failed, "aucune valeur brute d'une colonne masquée n'y figure."
    end
  end

  def test_warnings_are_named_and_of_many_the_others_counted
    with_server("200 OK") do |url, bodies|
      slack = Slack.new(config: configure(url))
      slack.succeeded(FakeNative::REPORT.merge(warnings: Array.new(1200) { |at| "#{at} #{"x" * 400}" }))
      slack.flush
      text = breaking(bodies.pop(timeout: 5).fetch("text"))
      assert_includes text, "\n1 200 avertissements :\n• 0 xxx"
      assert_includes text, "…\n• et 1 195 autres\n"
      assert_operator text.length, :<, 2500
      slack.succeeded(FakeNative::REPORT.merge(warnings: %w[a b c d e f]))
      slack.flush
      assert_match(/^• et 1 autre$/, bodies.pop(timeout: 5).fetch("text"))
    end
  end

  def test_a_failure_says_once_that_nothing_was_touched
    with_server("200 OK") do |url, bodies|
      slack = Slack.new(config: configure(url))
      slack.failed(ScalingoStagingSync::ConfigurationError.new("It is wrong.", "Correct it. Nothing was touched."), :untouched)
      slack.flush
      message = breaking(bodies.pop(timeout: 5).fetch("text"))
      assert_includes message, "> It is wrong. Correct it.\nLes anciennes données de staging sont toujours en place.\n"
      refute_includes message, "Nothing was touched"
    end
  end

  def test_a_failure_comes_with_the_command_that_shows_its_log_and_a_link_to_the_app
    with_server("200 OK") do |url, bodies|
      with_env("REGION_NAME" => "osc-secnum-fr1", "CONTAINER" => "one-off-4711") do
        slack = Slack.new(config: configure(url))
        slack.failed(ScalingoStagingSync::RestoreError.new("No.", "Do."), :untouched)
        with_env("APP" => "x; rm -rf /") { slack.failed(ScalingoStagingSync::RestoreError.new("No.", "Do.")) }
        slack.flush
      end
      message, elsewhere = Array.new(2) { breaking(bodies.pop(timeout: 5).fetch("text")) }
      assert message.end_with?("\nhttps://dashboard.scalingo.com/apps/osc-secnum-fr1/my-app-staging\nJournal : " \
                               "`scalingo --region osc-secnum-fr1 --app my-app-staging logs --lines 500 --filter one-off-4711`"), message
      refute_match(/dashboard|Journal/, elsewhere)
    end
  end

  # Every class of the gem's errors, in both languages, without the sentence for those that are unforeseen.
  def test_every_error_has_a_reason_in_each_language
    Everything.load
    errors = ObjectSpace.each_object(Class).select { |one| one < ScalingoStagingSync::Error && one.name }
    assert_operator errors.size, :>, 20
    %i[fr en].each do |locale|
      config = configure("https://hooks.example/x")
      config.slack_locale = locale
      words = ScalingoStagingSync::Services::SlackWords.new(config)
      common = words.reason(ScalingoStagingSync::Error.new("x"))
      errors.each { |one| refute_equal common, words.reason(one.new("x", "y")), "#{one} in #{locale}" }
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
      assert_equal "Copy of my-app-production's database to my-app-staging: started.\n#{PAGE}", texts[0]
      assert_equal "Copy of my-app-production's database to my-app-staging: loading anonymized rows.", texts[1]
      ["done in 12 s", "Backup bk-1 of 2026-01-02 03:04 UTC (1.2 MB).", "2 tables, 50,002 rows, 9.0 MB.", "Anonymized: users (50,000).",
       "1 personal column without a rule."].each do |words|
        assert_includes texts[2], words
      end
    end
  end

  def test_too_many_messages_are_sent_again_later
    with_server("429 Too Many Requests\r\nRetry-After: 0") do |url, bodies|
      slack = Slack.new(config: configure(url))
      slack.started
      slack.flush
      assert_equal 1 + ScalingoStagingSync::Integrations::SlackWebhook::RETRIES, bodies.size
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

  def test_of_a_foreign_error_only_the_class_is_posted
    with_server("200 OK") do |url, bodies|
      slack = Slack.new(config: configure(url))
      slack.failed(ArgumentError.new("ada@lovelace.example"))
      slack.flush
      text = bodies.pop(timeout: 5)["text"]
      assert_includes text, "ArgumentError"
      refute_includes text, "ada"
    end
  end

  def test_an_interrupted_run_is_posted_as_such
    with_server("200 OK") do |url, bodies|
      slack = Slack.new(config: configure(url))
      slack.failed(Interrupt.new)
      slack.flush
      assert_includes bodies.pop(timeout: 5)["text"], "interrompue"
    end
  end

  def test_a_refusal_and_what_a_failure_has_left_are_posted_with_what_to_do
    guard = ScalingoStagingSync::Support::EnvironmentValidator::ProductionEnvironmentError.new(["Rails.env is production."], "Set it.")
    plan = ScalingoStagingSync::PlanError.new("No table <tags> & no column.", "Correct the rule.")
    with_server("200 OK") do |url, bodies|
      slack = Slack.new(config: configure(url))
      slack.failed(guard, :refused)
      slack.failed(plan, :untouched)
      slack.failed(plan, :incomplete)
      slack.failed(plan, :unknown)
      slack.flush
      refused, untouched, incomplete, unknown = Array.new(bodies.size) { bodies.pop }.map { |body| breaking(body.fetch("text")) }
      assert_match(
        / : refusée, rien n'a été modifié\.\nCet environnement .* production \(ProductionEnvironmentError\)\.\n> .*Rails\.env is production\. Set it\.\n/, refused
      )
      assert_includes untouched,
                      "échec.\nUne règle ne correspond pas à la sauvegarde (PlanError).\n> No table &lt;tags&gt; &amp; no column. Correct the rule.\nLes anciennes données"
      assert_includes incomplete, "Les données de staging sont incomplètes"
      refute_match(/données/, unknown.delete_prefix("Copie"))
    end
  end

  def test_of_many_tables_the_largest_are_named_and_the_others_counted
    tables = Array.new(500) { |at| { table: "public.t#{at}", rows: at, columns: [{ name: "email", mask: "x", masked: at }] } }
    with_server("200 OK") do |url, bodies|
      slack = Slack.new(config: configure(url))
      slack.succeeded(FakeNative::REPORT.merge(tables:))
      slack.flush
      text = breaking(bodies.pop(timeout: 5)["text"])
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
    assert_includes log.string, "No message reached Slack: it answered 403."
    refute_includes log.string, "hush"
  end

  def test_a_server_that_is_not_there_fails_nothing
    port = TCPServer.open("127.0.0.1", 0) { |server| server.addr[1] }
    slack = Slack.new(config: configure("http://127.0.0.1:#{port}/services/hush"))
    slack.started
    slack.flush
    assert_includes log.string, "No message reached Slack: Errno::ECONNREFUSED."
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

  def test_an_enabled_service_without_a_url_leaves_the_warning_to_the_run
    config = staging_config
    config.slack_enabled = true
    Slack.new(config:).started
    assert_empty log.string
  end
end

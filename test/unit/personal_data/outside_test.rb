# frozen_string_literal: true

require "test_helper"

# The messages about data that acts outside, and about known passwords.
class OutsideTextTest < Minitest::Test
  Outside = ScalingoStagingSync::PersonalData::Outside

  QUEUE = { table: "public.good_jobs", column: "*", kind: "queued_work", heading: "outside", confidence: 0.95, found_by: "name", values: 0, count: 0,
            reason: "queued work, GoodJob's", status: "covered", because: "its rows stay out (quiesce)", mask: nil }.freeze
  HOOK = QUEUE.merge(table: "public.webhooks", column: "url", kind: "endpoint", reason: "where requests are sent", status: :masked,
                     because: nil, mask: { mask: "url", options: {} }).freeze
  LEFT = QUEUE.merge(column: "*", table: "public.que_jobs", reason: "queued work, Que's", status: "ignored",
                     because: "quiesce is false").freeze
  PERSON = { table: "public.users", column: "email", kind: "email", heading: "contact", reason: "named", status: "uncovered" }.freeze
  KNOWN = [{ table: "public.users", column: "encrypted_password", accounts: 1200 }].freeze

  def report(**more) = FakeNative::REPORT.merge(findings: [QUEUE, HOOK, LEFT, PERSON], known_passwords: KNOWN, **more)

  def finished = ScalingoStagingSync::Report::Run.of(report)

  # Lines of findings, and the summary of all of them.
  def line(facts) = Outside.line(ScalingoStagingSync::Report::Finding.of(facts))
  def summary(*list) = Outside.summary(ScalingoStagingSync::Report::Findings.of(list))

  def document = ScalingoStagingSync::Audit::Document.new(report, started_at: Time.now, finished_at: Time.now, config: staging_config)

  def test_each_is_named_with_what_was_done
    assert_equal "public.good_jobs: queued work, GoodJob's; its rows stay out (quiesce)", line(QUEUE)
    assert_equal "public.webhooks.url: where requests are sent; masked by :url", line(HOOK)
    assert_equal "public.que_jobs: queued work, Que's; left as it is: quiesce is false", line(LEFT)
    assert_equal "1 queue kept out or covered, 1 column masked, 1 left as production has it", summary(QUEUE, HOOK, LEFT, PERSON)
    assert_equal "1 column masked", summary(HOOK, PERSON), "of what there is none nothing is said"
    assert_equal "1 column masked, 1 column covered by rules", summary(HOOK, HOOK.merge(status: "covered"))
    assert_nil summary(PERSON)
  end

  def test_the_audit_names_each_apart_from_personal_data
    text = ScalingoStagingSync::Audit::Text.new(document).to_s
    ["1 column looks personal and was copied as it is", "public.good_jobs: queued work; kept out, or covered by a rule",
     "1,200 accounts have a password that the team knows:\n  - public.users.encrypted_password: 1,200"].each { |line| assert_includes text, line }
    page = ScalingoStagingSync::Audit::Page.new(document).to_s.gsub("<wbr>", "").gsub(/\s*<[^>]+>\s*/, " ").squeeze(" ")
    ["What staging could do in production&#39;s name", "webhooks.url address that requests are sent to replaced",
     "users.encrypted_password: 1,200", "1 column looks personal and was copied as it is"].each { |said| assert_includes page, said }
    assert_equal KNOWN.map { |one| one.transform_keys(&:to_s) }, JSON.parse(ScalingoStagingSync::Audit::Json.new(document).to_s)["known_passwords"]
  end

  def test_scan_and_dry_run_name_each
    found = FakeNative::FOUND.merge(findings: [*FakeNative::FOUND[:findings], QUEUE, HOOK])
    text = ScalingoStagingSync::Terminal::FindingsText.new(ScalingoStagingSync::PersonalData::Found.of(found)).to_s
    assert_includes text, "2 columns look personal"
    assert_includes text, "Acts outside:\n  #{line(QUEUE)}\n  #{line(HOOK)}\n"
    plan = ScalingoStagingSync::Terminal::PreviewText.new(ScalingoStagingSync::Preview::Plan.of(FakeNative::PREVIEW.merge(findings: [QUEUE, PERSON]))).to_s
    assert_includes plan, "Acts outside\n  #{line(QUEUE)}\n"
    assert_equal 1, plan.scan("good_jobs").size
  end

  def test_the_end_of_a_run_says_how_many_accounts_have_a_known_password
    config = staging_config
    log = StringIO.new
    reporter = ScalingoStagingSync::Terminal::ProgressReporter.new(logger: Logger.new(File::NULL), terminal: log, bars: false)
    coordinator = ScalingoStagingSync::Services::Coordinator.new(config:, reporter:, native: FakeNative.new(report:))
    coordinator.send(:report_quiesced, finished)
    assert_equal "Acts outside: 1 queue kept out or covered, 1 column masked, 1 left as production has it.\n" \
                 "1,200 accounts of public.users have a known password (encrypted_password).\n", log.string
  end

  def test_slack_counts_them
    service = ScalingoStagingSync::Services::SlackNotificationService.new(config: staging_config)
    lines = service.send(:cautions, finished)
    assert_includes lines.join("\n").tr(" ", " "), "comptes ont un mot de passe connu."
    assert_empty service.send(:cautions, ScalingoStagingSync::Report::Run.of(FakeNative::REPORT)).compact
  end

  def test_the_report_has_both
    summary = ScalingoStagingSync::Report.new(:after_sync, engine: report, config: staging_config)
    assert_equal [[QUEUE, HOOK, LEFT], KNOWN], [summary.outside, summary.known_passwords]
  end
end

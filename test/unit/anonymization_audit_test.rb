# frozen_string_literal: true

require "test_helper"
require "json"

class AnonymizationAuditTest < Minitest::Test
  def setup
    started_at = Time.utc(2026, 1, 2, 3, 4, 5)
    @audit = ScalingoStagingSync::Audit::Document.new(
      FakeNative::REPORT, started_at:, finished_at: started_at + 12.5, config: staging_config
    )
  end

  def test_both_files_are_written_whatever_the_paths_ending
    Dir.mktmpdir do |directory|
      %w[a.json b.txt c].each { |name| @audit.write("#{directory}/deep/#{name}") }
      assert_equal %w[a b c].flat_map { |name| %W[#{name}.html #{name}.json #{name}.txt] }, Dir.children("#{directory}/deep").sort
    end
  end

  def test_the_json_holds_the_evidence
    Dir.mktmpdir do |directory|
      json, = @audit.write("#{directory}/audit")
      audit = JSON.parse(File.read(json))
      assert_equal 1, audit["schema_version"]
      assert_equal ["2026-01-02T03:04:05Z", "2026-01-02T03:04:17Z", 12.5],
                   audit.values_at("started_at", "finished_at", "duration_seconds")
      assert_equal %w[my-app-production my-app-staging], audit.values_at("source_app", "target_app")
      assert_equal "bk-1", audit.dig("backup", "id")
      assert_equal({ "enabled" => true, "passed" => true, "violations" => 0 }, audit["verification"])
      assert_equal({ "tables" => 2, "rows" => 50_002, "masked_values" => 49_000, "large_objects" => 3 }, audit["totals"])
      assert_equal({ "name" => "email", "mask" => "e-mail pseudonym", "masked" => 49_000, "kept" => 0, "nulls" => 1000, "violations" => 0 },
                   audit.dig("tables", 0, "columns", 0))
      assert_equal ["public.sessions"], audit["excluded"]
    end
  end

  def test_the_text_holds_it_for_people
    text = @audit.to_text
    ["email: e-mail pseudonym, 49,000 masked, 1,000 NULL, 0 wrong", "Verification   passed", "public.sessions",
     "EXTENSION pg_stat_statements"].each { |line| assert_includes text, line }
  end

  def test_the_text_tells_phases_personal_data_and_the_leak_check_like_the_page
    found = %w[uncovered withheld covered masked ignored].map do |status|
      { table: "public.t", column: status, kind: "email", reason: "seen", status: }
    end
    leak = { table: "public.notes", column: "body", kind: "email", count: 3, expected_by_chance: 0.0, certain: true, entry: "" }
    report = FakeNative::REPORT.merge(findings: found, leaks: [leak], leak_check: { originals: 1200, candidates: 3, exact: true })
    text = ScalingoStagingSync::Audit::Document.new(report, started_at: Time.now, finished_at: Time.now, config: staging_config).to_text
    ["rows    1.5 s", "Personal data  4 columns found, 2 not covered", "Leak check     FAILED, 1 column with originals",
     "public.notes.body: 3 of the kind email, certain"].each { |line| assert_includes text, line }
  end

  def test_values_that_were_kept_are_told_everywhere
    column = { name: "email", mask: "e-mail pseudonym, under a condition", masked: 40_000, kept: 9_123, nulls: 877, violations: 0 }
    report = FakeNative::REPORT.merge(tables: [{ table: "public.users", rows: 50_000, bytes: 9, seconds: 1.0, columns: [column] }])
    audit = ScalingoStagingSync::Audit::Document.new(report, started_at: Time.utc(2026), finished_at: Time.utc(2026),
                                                             config: staging_config)
    assert_includes audit.to_text, "email: e-mail pseudonym, under a condition, 40,000 masked, 9,123 kept, 877 NULL, 0 wrong"
    assert_equal 9_123, JSON.parse(audit.to_json).dig("tables", 0, "columns", 0, "kept")
    assert_includes ScalingoStagingSync::Audit::Page.new(audit.to_h).to_s,
                    '<td class="n">40,000</td><td class="n">9,123</td><td class="n">877</td>'
  end

  def test_the_text_tells_of_the_leak_check
    check = { originals: 40_000, candidates: 1_200, hashes: 0, possible: 0, possible_by_chance: 0.0, exact: true, error_rate: nil }
    leak = { table: "public.notes", column: "body", kind: "email", count: 3, expected_by_chance: 0.0, certain: true, entry: "{ table: :notes }" }
    assert_includes audit_text(leak_check: nil), "Leak check     not asked for"
    assert_includes audit_text(leak_check: check), "nothing survived elsewhere: 1,200 candidates against 40,000 originals, exactly"
    text = audit_text(leak_check: check.merge(exact: false), leaks: [leak])
    assert_includes text, "FAILED, 1 column with originals of others: 1,200 candidates against 40,000 originals\n"
    assert_includes text, "public.notes.body: 3 of the kind email, certain: { table: :notes }"
  end

  def test_it_holds_no_secret
    ["pw-of-staging", "tk-us-secret-token", SECRET].each do |secret|
      refute_includes @audit.to_text + JSON.generate(@audit.to_h), secret
    end
  end

  def test_a_file_that_cannot_be_written_is_an_error_of_the_gem
    error = assert_raises(ScalingoStagingSync::ConfigurationError) { @audit.write("#{__FILE__}/audit.json") }
    assert_includes error.remedy, "config.anonymization_audit_file"
  end

  def test_the_seal_tells_a_changed_file_and_another_key
    Dir.mktmpdir do |directory|
      json, = @audit.write("#{directory}/audit")
      seal = ScalingoStagingSync::Audit::Seal.new
      assert_nil seal.verify!(json)
      whole = File.read(json)
      ScalingoStagingSync.configuration.anonymization_secret = "27c4e8b06a9f13d5708be2c61f94da35"
      assert_raises(ScalingoStagingSync::VerificationError) { seal.verify!(json) }
      ScalingoStagingSync.configuration.anonymization_secret = SECRET
      assert_nil seal.verify!(json)
      facts = JSON.parse(whole)
      {
        "another value" => JSON.pretty_generate(facts.merge("warnings" => ["x"])),
        "no seal" => JSON.pretty_generate(facts.except("seal")),
        "another order" => JSON.pretty_generate(facts.to_a.reverse.to_h),
        "a second key in front" => whole.sub("{", %({\n  "target_app": "elsewhere",)),
        "a second key within" => whole.sub(%("passed": true), %("passed": false, "passed": true)),
        "other white space" => JSON.generate(facts),
        "a byte more" => "#{whole} ",
        "a word within the seal" => form(facts.merge("seal" => facts["seal"].merge("approved_by" => "x"))),
        "another algorithm in the seal" => form(facts.merge("seal" => facts["seal"].merge("algorithm" => "none"))),
        "another order in the seal" => form(facts.merge("seal" => facts["seal"].to_a.reverse.to_h))
      }.each do |change, text|
        File.write(json, text)
        assert_raises(ScalingoStagingSync::VerificationError, change) { seal.verify!(json) }
      end
    end
  end

  def test_what_json_can_read_and_not_write_is_no_audit
    Dir.mktmpdir do |directory|
      ["{\"a\": \"\xFF\"}".b, '{"a": 1e999}'].each do |text|
        File.binwrite("#{directory}/audit.json", text)
        error = nil
        capture_io do # Ruby warns of such a number
          error = assert_raises(ScalingoStagingSync::ConfigurationError) do
            ScalingoStagingSync::Audit::Seal.new.verify!("#{directory}/audit.json")
          end
        end
        assert_includes error.what, "is no audit as JSON"
      end
    end
  end

  def test_a_path_that_the_system_does_not_take_is_an_error_of_the_gem
    ["~no-such-user/audit.json", "a\0b"].each do |path|
      error = assert_raises(ScalingoStagingSync::ConfigurationError) { ScalingoStagingSync::Audit::Seal.new.verify!(path) }
      assert_includes error.what, "cannot be read"
    end
  end

  def test_a_file_that_is_not_named_or_not_there_is_told_as_that_with_the_configured_path
    ScalingoStagingSync.configuration.anonymization_audit_file = "log/audit.html"
    seal = ScalingoStagingSync::Audit::Seal.new
    { nil => "No audit file is named.", "" => "No audit file is named.", "none.json" => "There is no audit file none.json.",
      __FILE__ => "is no audit as JSON", "postgres://ada:hush@db.example/x" => "What is given as the audit file is not shown" }.each do |path, what|
      error = assert_raises(ScalingoStagingSync::ConfigurationError) { seal.verify!(path) }
      assert_includes error.what, what
      refute_includes error.message, "hush"
      assert_includes error.remedy, "audit:verify[log/audit.json]"
    end
  end

  def test_a_backup_in_a_file_is_not_said_to_come_from_the_configured_app
    backup = FakeNative::REPORT[:backup].merge(id: "shop.dump", origin: "the file shop.dump", file: true)
    assert_match(/^  From           the file shop\.dump$/, audit_text(backup:))
    report = FakeNative::REPORT.merge(backup:)
    facts = ScalingoStagingSync::Audit::Document.new(report, started_at: Time.now, finished_at: Time.now, config: staging_config).to_h
    assert_nil facts[:source_app]
    page = ScalingoStagingSync::Audit::Page.new(facts).to_s
    assert_includes page, "the file shop.dump → my-app-staging"
    refute_includes page, "my-app-production"
  end

  def test_the_page_is_whole_and_asks_nothing_of_other_servers
    page = ScalingoStagingSync::Audit::Page.new(@audit.to_h).to_s
    refute_match(%r{https?://|//[a-z]|<script|<link|<img|url\(|@import}, page)
    ["my-app-production → my-app-staging", "public.users", "e-mail pseudonym", "49,000", "Timeline"].each { |text| assert_includes page, text }
  end

  def test_names_on_the_page_are_escaped
    report = FakeNative::REPORT.merge(tables: [FakeNative::REPORT[:tables][0].merge(table: "public.<b>")])
    audit = ScalingoStagingSync::Audit::Document.new(report, started_at: Time.now, finished_at: Time.now, config: staging_config)
    page = ScalingoStagingSync::Audit::Page.new(audit.to_h).to_s
    assert_includes page, "public.&lt;b&gt;"
    refute_includes page, "<b>public"
    refute_includes page, "public.<b>"
  end

  private

  def form(facts) = ScalingoStagingSync::Audit::Seal.form(facts)

  def audit_text(facts)
    report = FakeNative::REPORT.merge(facts)
    ScalingoStagingSync::Audit::Document.new(report, started_at: Time.utc(2026), finished_at: Time.utc(2026),
                                                     config: staging_config).to_text
  end
end

# frozen_string_literal: true

require "test_helper"
require "json"
require "support/audit_samples"

class AuditFilesTest < Minitest::Test
  CHECK = { originals: 40_000, candidates: 1_200, hashes: 0, possible: 0, possible_by_chance: 0.0, exact: true, error_rate: nil }.freeze
  LEAK = { table: "public.notes", column: "body", kind: "email", count: 3, expected_by_chance: 0.0, certain: true,
           entry: "{ table: :notes }" }.freeze

  def test_all_three_files_are_written_whatever_the_paths_ending
    Dir.mktmpdir do |directory|
      %w[a.json b.txt c].each { |name| files.write("#{directory}/deep/#{name}") }
      assert_equal %w[a b c].flat_map { |name| %W[#{name}.html #{name}.json #{name}.txt] }, Dir.children("#{directory}/deep").sort
    end
  end

  def test_a_file_that_cannot_be_written_is_an_error_of_the_gem
    error = assert_raises(ScalingoStagingSync::ConfigurationError) { files.write("#{__FILE__}/audit.json") }
    assert_includes error.remedy, "config.anonymization_audit_file"
  end

  def test_the_json_says_which_run_it_was
    audit = json
    assert_equal 1, audit["schema_version"]
    assert_equal ["2026-01-02T03:04:05Z", "2026-01-02T03:04:17Z", 12.5], audit.values_at("started_at", "finished_at", "duration_seconds")
    assert_equal %w[my-app-production my-app-staging], audit.values_at("source_app", "target_app")
    assert_equal "bk-1", audit.dig("backup", "id")
  end

  def test_the_json_holds_the_evidence
    audit = json
    assert_equal({ "enabled" => true, "passed" => true, "violations" => 0 }, audit["verification"])
    assert_equal({ "tables" => 2, "rows" => 50_002, "masked_values" => 49_000, "large_objects" => 3 }, audit["totals"])
    assert_equal({ "name" => "email", "mask" => "e-mail pseudonym", "mask_data" => { "kind" => "mask_email" }, "masked" => 49_000, "kept" => 0, "nulls" => 1000, "violations" => 0 },
                 audit.dig("tables", 0, "columns", 0))
    assert_equal ["public.sessions"], audit["excluded"]
  end

  def test_a_phase_has_the_time_at_which_it_began
    phases = [{ name: :schema, seconds: 0.4004 }, { name: :rows, seconds: 1.5 }]
    assert_equal [{ "name" => "schema", "started" => 0.0, "seconds" => 0.4 }, { "name" => "rows", "started" => 0.4, "seconds" => 1.5 }],
                 json(phases:)["phases"]
  end

  def test_the_text_holds_it_for_people
    ["email: Invented e-mail address; 49,000 masked, 0 kept, 1,000 NULL, 0 wrong", "Every value that a mask wrote was checked as it was sent",
     "- public.sessions", "EXTENSION pg_stat_statements", "personal columns: 1 (in 1 of 3 tables)"].each { |line| assert_includes text, line }
  end

  def test_the_text_has_phases_personal_data_and_the_leak_check_like_the_page
    found = %w[uncovered withheld covered masked ignored].map do |status|
      { table: "public.t", column: status, kind: "email", reason: "seen", status: }
    end
    text = text(findings: found, leaks: [LEAK], leak_check: CHECK)
    ["Not as it should be:", "rows: 1.5 s", "left as they are: 2 (1 without a rule; 1 declared not personal)", "Originals of masked columns were found in 1 other column.",
     "public.notes.body: 3 (e-mail address), certain", "public.t.uncovered: e-mail address (seen); copied as production has it"].each { |line| assert_includes text, line }
  end

  def test_the_text_names_what_became_of_each_column
    columns = [["note", "ignored", "our own"], ["memo", "uncovered", nil]].map do |column, status, because|
      { table: "public.users", column:, kind: "free_text", reason: "seen", status:, because: }
    end
    text = text(findings: columns, channels: [{ channel: "search_vector", name: "public.users.words", count: 0, outcome: "emptied" }])
    ["note: left as it is, declared not personal: our own", "memo: copied as production has it; no rule covers it", "public.users.words, a search index, was emptied."]
      .each { |line| assert_includes text, line }
  end

  def test_the_text_is_in_the_language_that_is_asked_for
    french = ScalingoStagingSync::Audit::Text.new(AuditSamples.document(5, locale: :fr, bad: true)).to_s.tr("\u00a0", " ")
    ["Audit de pseudonymisation", "Résultat non conforme :", "Ce qui n'a pas été examiné :", "Adresse électronique inventée", "gardées", "Il ne contient aucune valeur"]
      .each { |words| assert_includes french, words }
    refute_match(/Personal data|Leak check|masked/, french[/\A.*?(?=Partie technique)/m])
  end

  def test_values_that_were_kept_are_counted_in_text_and_json
    mask_data = { kind: "mask_conditional", mask: { kind: "mask_email" } }
    column = { name: "email", mask: "e-mail pseudonym, under a condition", mask_data:, masked: 40_000, kept: 9_123, nulls: 877, violations: 0 }
    tables = [{ table: "public.users", rows: 50_000, bytes: 9, seconds: 1.0, columns: [column] }]
    assert_includes text(tables:), "email: Invented e-mail address; 40,000 masked, 9,123 kept, 877 NULL, 0 wrong"
    assert_equal 9_123, json(tables:).dig("tables", 0, "columns", 0, "kept")
  end

  def test_the_text_says_what_the_leak_check_looked_at
    assert_includes text(leak_check: nil), "Other columns were not searched for originals."
    assert_includes text(leak_check: CHECK), "1,200 of their values have the form of an original; these and 0 digests were compared with 40,000 originals of masked columns, without approximation."
    text = text(leak_check: CHECK.merge(exact: false), leaks: [LEAK])
    assert_includes text, "compared with 40,000 originals of masked columns.\n"
    assert_includes text, "public.notes.body: 3 (e-mail address), certain. A rule that covers it: { table: :notes }"
  end

  def test_they_hold_no_secret
    ["pw-of-staging", "tk-us-secret-token", SECRET].each { |secret| refute_includes text + JSON.generate(document.to_h), secret }
  end

  def test_a_backup_in_a_file_is_not_said_to_come_from_the_configured_app
    backup = FakeNative::REPORT[:backup].merge(id: "shop.dump", origin: "the file shop.dump", file: true)
    assert_includes text(backup:), "The backup in the file shop.dump was loaded"
    assert_nil json(backup:)["source_app"]
    page = ScalingoStagingSync::Audit::Page.new(document(backup:)).to_s
    assert_includes page, "The backup in the file shop.dump was loaded into the app my-app-staging"
    refute_includes page, "my-app-production"
  end

  private

  def document(**facts)
    started_at = Time.utc(2026, 1, 2, 3, 4, 5)
    ScalingoStagingSync::Audit::Document.new(FakeNative::REPORT.merge(facts), started_at:, finished_at: started_at + 12.5, config: staging_config)
  end

  def files = ScalingoStagingSync::Audit::Files.new(document)
  def json(**facts) = JSON.parse(ScalingoStagingSync::Audit::Json.new(document(**facts)).to_s)
  def text(**facts) = ScalingoStagingSync::Audit::Text.new(document(**facts)).to_s
end

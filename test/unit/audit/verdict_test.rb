# frozen_string_literal: true

require "test_helper"

# What the page concludes, and what it says it cannot.
class AuditVerdictTest < Minitest::Test
  COLUMN = { name: "email", mask: "e-mail pseudonym", mask_data: { kind: "mask_email" }, masked: 9, kept: 0, nulls: 0, violations: 0 }.freeze
  REPORT = { verified: true, tables: [{ table: "public.users", rows: 10, columns: [COLUMN] }], findings: [],
             leak_check: { originals: 1, candidates: 1, hashes: 0, exact: true, error_rate: nil }, leaks: [] }.freeze
  LEAK = { table: "public.notes", column: "body", kind: "email", count: 3, certain: true, entry: "" }.freeze
  OPEN = { table: "public.users", column: "note", kind: "free_text", heading: "personal", status: "uncovered" }.freeze

  def test_a_sound_run_is_sound_in_what_was_looked_at
    verdict = verdict_of
    assert_equal :sound, verdict.level
    assert_equal %w[verified searched uncovered_none], verdict.sentences.map(&:first)
  end

  def test_original_values_elsewhere_and_values_of_a_wrong_form_are_not_as_they_should_be
    assert_equal [:bad, ["leaked", { count: 1 }]], worst(leaks: [LEAK], verified: false)
    assert_equal [:bad, ["wrong_form", { count: 3 }]], worst(verified: false, tables: [{ table: "public.users", columns: [COLUMN.merge(violations: 3)] }])
    assert_equal [:bad, ["failed", {}]], worst(verified: false)
  end

  def test_columns_without_a_rule_need_a_decision
    assert_equal [:attention, ["open", { count: 1 }]], worst(findings: [OPEN])
    assert_equal [:attention, ["withheld", { count: 1 }]], worst(findings: [OPEN.merge(status: "withheld")])
    refute_includes verdict_of(findings: [OPEN]).sentences.map(&:first), "uncovered_none"
  end

  def test_it_claims_nothing_of_what_was_turned_off
    sentences = verdict_of(leak_check: nil, set: { verify_anonymization: false, run_pii_scan: false }).sentences.map(&:first)
    assert_equal %w[unverified unsearched unscanned], sentences
  end

  def test_a_possible_leak_is_not_said_to_be_none
    refute_includes verdict_of(leaks: [LEAK.merge(certain: false)]).sentences.map(&:first), "searched"
  end

  def test_what_was_not_looked_at_is_listed
    assert_equal %w[sample names leak_limits files], unseen
    assert_equal %w[names leak_limits files], unseen(set: { pii_sample_rows: :all })
    assert_equal %w[names_only names leak_limits files], unseen(set: { pii_sample_rows: 0 })
    assert_equal %w[scan_off leaks_off verification_off files], unseen(leak_check: nil, set: { verify_anonymization: false, run_pii_scan: false })
    assert_equal %w[sample leak_limits files], unseen(set: { leak_check_names: true })
    assert_equal %w[sample leaks_off large_objects files], unseen(leak_check: nil, large_objects: 3)
  end

  def test_values_that_rules_keep_are_said_in_the_verdict_and_beside_their_column
    facts = { tables: [{ table: "public.users", rows: 13, columns: [COLUMN.merge(kept: 4)] }] }
    verdict = verdict_of(**facts)
    assert_equal [:sound, ["kept_values", { count: 4 }]], [verdict.level, verdict.sentences.last]
    text = page(**facts)
    ["4 values of masked columns were kept as production has them", "and 4 single values that rules keep", "(4 values kept)"].each { |said| assert_includes text, said }
  end

  def test_what_rules_in_sql_write_is_not_said_to_be_checked_for_its_form
    rules = ['{ table: "users", query: "UPDATE users SET email = NULL" }', 'config.anonymization_rules["users"]']
    facts = { tables: [{ table: "public.users", rows: 13, columns: [COLUMN, *rules.map { |rule| COLUMN.merge(mask: rule, mask_data: { kind: "mask_by_sql", rule: }) }] }] }
    assert_includes view(**facts).unseen.items, ["by_sql", { count: 2 }]
    refute_includes unseen(**facts, set: { verify_anonymization: false }), "by_sql"
  end

  def test_objects_that_were_not_read_are_among_it
    facts = { channels: [{ channel: "large_objects", name: "large objects", count: 200, outcome: "unscanned" },
                         { channel: "bytea", name: "public.a.b", count: 1, outcome: "unscanned" },
                         { channel: "search_vector", name: "public.a.c", count: 0, outcome: "rebuilt" }],
              kept: ["public.admins"], findings: [OPEN.merge(status: "ignored", because: "x")], tables: [{ table: "t", columns: [COLUMN] }] }
    assert_equal %w[sample names leak_limits large_objects bytea kept declared files], unseen(**facts)
    text = page(**facts)
    assert_includes text, "200 large objects (files inside the database) came as production has them, unread."
    assert_includes text, "This does not cover 8 things that were not looked at"
  end

  def test_a_column_that_came_without_rows_is_not_masked
    personal = ScalingoStagingSync::Audit::Personal.new(run_of(findings: [OPEN.merge(table: "public.logs", status: "covered")], excluded: ["public.logs"]))
    assert_equal({ absent: 1, masked: 1 }, personal.columns.map(&:fate).tally)
  end

  private

  def run_of(**facts) = ScalingoStagingSync::Report::Run.of(REPORT.merge(facts))

  def document(set: {}, **facts)
    ScalingoStagingSync.reset_configuration!
    config = staging_config
    config.locale = :en
    set.each { |name, value| config.public_send(:"#{name}=", value) }
    ScalingoStagingSync::Audit::Document.new(REPORT.merge(facts), started_at: Time.now, finished_at: Time.now, config:)
  end

  def view(**) = ScalingoStagingSync::Audit::View.new(document(**))
  def verdict_of(**) = view(**).verdict
  def unseen(**) = view(**).unseen.items.map(&:first)
  def page(**) = ScalingoStagingSync::Audit::Page.new(document(**)).to_s
  def worst(**) = verdict_of(**).then { |verdict| [verdict.level, verdict.sentences.first] }
end

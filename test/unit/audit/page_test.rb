# frozen_string_literal: true

require "test_helper"

class AuditPageTest < Minitest::Test
  REPORT = {
    run_id: "20261121T030004-5f3a9c01", backup: { id: "bk-1", size: 943_000_000 }, size_before: 1_000, size_after: 2_000, verified: true,
    large_objects: 0, phases: [{ name: "rows", seconds: 10.0 }],
    tables: [{ table: "public.users", rows: 10, bytes: 100, started: 1.0, seconds: 2.0,
               columns: [{ name: "email", mask: "a pseudonym", masked: 9, kept: 1, nulls: 0, violations: 0 }] },
             { table: "public.odd", rows: 1, bytes: 1, started: 3.0, seconds: 0.1, columns: [] }],
    findings: [], excluded: [], left_out: [], warnings: []
  }.freeze
  CHECK = { originals: 120, candidates: 45, hashes: 1, exact: true, error_rate: nil }.freeze
  LEAK = { table: "public.notes", column: "body", kind: "email", count: 3, expected_by_chance: 0.0, certain: true, entry: "{ table: :notes }" }.freeze
  EMAIL = { table: "public.users", column: "email", kind: "email", heading: "contact", reason: "named \"email\"", status: "covered",
            because: "a rule", rule: nil }.freeze

  def test_it_asks_nothing_of_any_other_server
    assert_includes page, "default-src 'none'"
    refute_match(%r{(src|href|action)=|url\(|@import|https?://|//[a-z]|<script|<link|<img}, page)
  end

  def test_it_says_what_was_copied_where
    ["my-app-production → my-app-staging", "public.users", "a pseudonym", "Timeline", "943 MB"].each { |said| assert_includes words, said }
  end

  # Each text of a report, whatever it is, and the apps' names.
  def test_every_text_is_escaped
    report = hostile(everything)
    shown = page(**report)
    refute_includes shown, "<odd"
    assert_operator shown.scan("&lt;odd&gt;").size, :>, 30
  end

  def test_kept_values_stand_beside_the_masked_ones_where_there_are_any
    assert_match(/Masked Kept NULL Wrong/, words)
    assert_match(/email a pseudonym 9 1 0 0/, words)
    column = REPORT[:tables][0][:columns][0].merge(kept: 0)
    refute_includes words(tables: [REPORT[:tables][0].merge(columns: [column])]), "Kept"
  end

  def test_personal_data_is_shown_without_the_rules_and_with_them_what_is_open_first
    open = { table: "public.zoo", column: "note", kind: "phone", reason: "seen", status: :uncovered, because: nil, rule: "{ table: \"zoo\" }" }
    ignored = { table: "public.goods", column: "name", kind: "name", reason: "named", status: "ignored", because: "goods" }
    text = words(findings: [ignored, EMAIL, open])
    assert_includes text, "Without rules 2 columns with personal data would be in staging as in production."
    assert_includes text, "With the rules 1 column needs a rule."
    assert_operator text.index("public.zoo.note"), :<, text.index("email email covered by a rule a rule")
    assert_includes text, "{ table: &quot;zoo&quot; }"
    assert_operator text.index("Tables copied as they are"), :<, text.index("Personal data that is taken care of")
  end

  def test_where_every_column_is_covered_none_is_left
    assert_includes words(findings: [EMAIL]), "With the rules none is."
    refute_includes words, "Personal data"
  end

  def test_the_leak_check_says_what_it_found
    assert_includes words(leak_check: CHECK, leaks: []), "No original value of a masked column was found in another."
    text = words(leak_check: CHECK, leaks: [LEAK], channels: [{ note: "3 large objects were not looked into." }])
    ["Original values of masked columns are in 1 column.", "public.notes.body email 3 certain", "3 large objects were not"].each do |said|
      assert_includes text, said
    end
    refute_includes words, "Leak check"
  end

  def test_only_the_longest_tables_are_drawn_and_all_are_listed
    tables = Array.new(500) { |number| { table: "public.t#{number}", rows: 1, bytes: 1, started: number, seconds: number, columns: [] } }
    whole = page(tables:)
    assert_equal 40 + 1, whole.scan('class="track').size
    assert_includes whole, "the 40 that took longest of 500"
    500.times { |number| assert_includes whole, ">public.<wbr>t#{number}<" }
  end

  def test_without_any_time_there_is_no_chart
    refute_includes words(phases: []), "Timeline"
  end

  def test_a_failed_verification_says_so_with_and_without_wrong_values
    column = REPORT[:tables][0][:columns][0].merge(violations: 3)
    assert_includes words(verified: false, tables: [REPORT[:tables][0].merge(columns: [column])]), "FAILED: 3 values"
    assert_includes words(verified: false), "FAILED: the warnings"
    config = staging_config
    config.verify_anonymization = false
    assert_includes ScalingoStagingSync::Audit::Page.new(document({}, config)).to_s, "not asked for"
  end

  private

  def document(facts, config = staging_config)
    finished_at = Time.utc(2026, 11, 21, 3, 4, 10)
    ScalingoStagingSync::Audit::Document.new(REPORT.merge(facts), started_at: finished_at - 10, finished_at:, config:)
  end

  def page(**facts) = ScalingoStagingSync::Audit::Page.new(document(facts)).to_s

  # The page's words without its tags.
  def words(**) = page(**)[%r{<body>.*</body>}m].gsub("<wbr>", "").gsub(/\s*<[^>]+>\s*/, " ").squeeze(" \n")

  # A report with something in each part of the page.
  def everything
    findings = %w[uncovered withheld masked ignored].map { |status| EMAIL.merge(status:, column: status, mask: { mask: "email" }) }
    outside = [EMAIL.merge(heading: "outside"), EMAIL.merge(heading: "outside", status: "uncovered", rule: "{ table: :x }")]
    REPORT.merge(findings: findings + outside, leaks: [LEAK, LEAK.merge(certain: false)], leak_check: CHECK, channels: [{ note: "A note." }],
                 known_passwords: [{ table: "public.users", column: "digest", accounts: 2 }], excluded: ["public.sessions"],
                 left_out: [{ kind: "EXTENSION", name: "x", why: "Why." }], warnings: ["A warning."],
                 backup: FakeNative::REPORT[:backup].merge(created_at: nil, file: true))
  end

  # The same with a tag in each text but for those that the page goes by.
  def hostile(value, key = nil)
    case value
    when Hash then value.to_h { |inner, part| [inner, hostile(part, inner)] }
    when Array then value.map { |part| hostile(part) }
    when String then %i[status heading].include?(key) ? value : "#{value}<odd>"
    else value
    end
  end
end

# frozen_string_literal: true

require "test_helper"

class AuditPageTest < Minitest::Test
  FACTS = {
    run_id: "20261121T030004-5f3a9c01", finished_at: "2026-11-21T03:04:10Z", duration_seconds: 10.0, source_app: "shop",
    backup: { id: "bk-1", size: 943_000_000 }, size_bytes: { before: 1_000, after: 2_000 },
    verification: { enabled: true, passed: true, violations: 0 },
    totals: { tables: 1, rows: 10, masked_values: 9, large_objects: 0 },
    phases: [{ name: "rows", started: 0.0, seconds: 10.0 }],
    tables: [{ table: "public.users", rows: 10, bytes: 100, started: 1.0, seconds: 2.0,
               columns: [{ name: "email", mask: "a pseudonym", masked: 9, kept: 1, nulls: 0, violations: 0 }] },
             { table: "public.<b>odd</b>", rows: 1, bytes: 1, started: 3.0, seconds: 0.1, columns: [] }],
    findings: [], excluded: [], left_out: [], warnings: []
  }.freeze

  def page(facts = {}) = ScalingoStagingSync::Audit::Page.new(FACTS.merge(facts)).to_s

  # The page's words without its tags.
  def words(facts = {}) = page(facts)[%r{<body>.*</body>}m].gsub("<wbr>", "").gsub(/<[^>]+>/, " ").squeeze(" \n")

  def test_it_asks_nothing_of_any_other_server
    assert_includes page, "default-src 'none'"
    refute_match(%r{(src|href|action)=|url\(|@import|https?://}, page)
  end

  def test_names_are_escaped
    refute_includes page, "<b>odd"
    assert_includes page, "public.&lt;b&gt;odd&lt;/b&gt;"
  end

  def test_kept_values_stand_beside_the_masked_ones_where_there_are_any
    assert_match(/Masked Kept NULL Wrong/, words)
    assert_match(/email a pseudonym 9 1 0 0/, words)
    column = FACTS[:tables][0][:columns][0].merge(kept: 0)
    refute_includes words(tables: [FACTS[:tables][0].merge(columns: [column])]), "Kept"
  end

  def test_personal_data_is_told_without_the_rules_and_with_them_what_is_open_first
    finding = { table: "public.users", column: "email", kind: "email", reason: "named \"email\"", status: "covered", because: "a rule", rule: nil }
    open = { table: "public.zoo", column: "note", kind: "phone", reason: "seen", status: :uncovered, because: nil, rule: "{ table: \"zoo\" }" }
    ignored = { table: "public.goods", column: "name", kind: "name", reason: "named", status: "ignored", because: "goods" }
    text = words(findings: [ignored, finding, open])
    assert_includes text, "Without rules 2 columns with personal data would be in staging as in production."
    assert_includes text, "With the rules 1 column needs a rule."
    assert_operator text.index("public.zoo.note"), :<, text.index("email email covered by a rule a rule")
    assert_includes text, "{ table: &quot;zoo&quot; }"
    assert_operator text.index("Tables copied as they are"), :<, text.index("Personal data that is taken care of")
    assert_includes words(findings: [finding]), "With the rules none is."
    refute_includes words, "Personal data"
  end

  def test_the_leak_check_is_told
    check = { originals: 120, candidates: 45, hashes: 1, exact: true, error_rate: nil }
    assert_includes words(leak_check: check, leaks: []), "No original value of a masked column was found in another."
    leak = { table: "public.notes", column: "body", kind: "email", count: 3, expected_by_chance: 0.0, certain: true, entry: "{ table: :notes }" }
    text = words(leak_check: check, leaks: [leak], channels: [{ note: "3 large objects were not looked into." }])
    ["Original values of masked columns are in 1 column.", "public.notes.body email 3 certain", "3 large objects were not"].each do |said|
      assert_includes text, said
    end
    refute_includes words, "Leak check"
  end

  def test_only_the_longest_tables_are_drawn_and_all_are_listed
    tables = Array.new(500) { |number| { table: "public.t#{number}", rows: 1, bytes: 1, started: number, seconds: number, columns: [] } }
    assert_equal 40 + 1, page(tables:).scan('class="track').size
    assert_includes page(tables:), "the 40 that took longest of 500"
    whole = page(tables:)
    500.times { |number| assert_includes whole, ">public.<wbr>t#{number}<" }
  end

  def test_a_failed_verification_says_so_with_and_without_wrong_values
    assert_includes words(verification: { enabled: true, passed: false, violations: 3 }), "FAILED: 3 values"
    assert_includes words(verification: { enabled: true, passed: false, violations: 0 }), "FAILED: the warnings"
    assert_includes words(verification: { enabled: false }), "not asked for"
  end
end

# frozen_string_literal: true

require "test_helper"

class AuditPageTest < Minitest::Test
  REPORT = {
    run_id: "20261121T030004-5f3a9c01", backup: { id: "bk-1", created_at: "2026-11-21T01:12:40Z", size: 943_000_000 }, size_before: 1_000,
    size_after: 2_000, verified: true, large_objects: 0, phases: [{ name: "rows", seconds: 10.0 }],
    tables: [{ table: "public.users", rows: 10, bytes: 100, started: 1.0, seconds: 2.0,
               columns: [{ name: "email", mask: "e-mail pseudonym", mask_data: { kind: "mask_email" }, masked: 9, kept: 1, nulls: 0, violations: 0 }] },
             { table: "public.odd", rows: 1, bytes: 1, started: 3.0, seconds: 0.1, columns: [] }],
    findings: [], excluded: [], left_out: [], warnings: []
  }.freeze
  CHECK = { originals: 120, candidates: 45, hashes: 1, exact: true, error_rate: nil }.freeze
  LEAK = { table: "public.notes", column: "body", kind: "email", count: 3, expected_by_chance: 0.0, certain: true, entry: "{ table: :notes }" }.freeze
  EMAIL = { table: "public.users", column: "email", kind: "email", heading: "contact", reason: "named \"email\"", reason_data: [{ kind: "named", name: "email" }], status: "covered",
            because: "a rule", rule: nil }.freeze
  OPEN = EMAIL.merge(column: "note", kind: "free_text", status: "uncovered", because: nil, rule: "{ table: \"users\" }").freeze
  OBJECTS = { channel: "large_objects", name: "large objects", kind: nil, count: 200, outcome: "unscanned", note: "200 large objects stay." }.freeze

  def test_it_asks_nothing_of_any_other_server
    assert_includes page, "default-src 'none'"
    refute_match(%r{(src|href|action)="(?!#)|url\(|@import|https?://|<script|<link|<img}, page(**everything))
  end

  def test_the_first_screen_says_which_backup_went_where_by_whom_and_how_it_ended
    ["The backup bk-1, made 2026-11-21 01:12 UTC from my-app-production, was loaded into the app my-app-staging on 2026-11-21 03:04 UTC, in 10 s.",
     "It was started by the user ada on one-off-7, with the command rake\u00a0scalingo_staging_sync:run.",
     "It ran to completion: 2 tables and 11 rows were copied."].each { |said| assert_includes words, said }
    by_code = words(operator: { task: nil, login: nil, container: nil })
    assert_includes by_code, "by the user (no name) on worker, from the app&#39;s own code."
  end

  def test_what_did_not_come_stands_beside_what_came
    refused = [{ kind: "INDEX", name: "x", why: "Why.", refused: true }]
    assert_includes words(left_out: refused, excluded: ["public.logs"]),
                    "It ran to completion, but without 1 object that the staging database refused: 2 tables and 11 rows were copied; no rows in 1 table."
  end

  def test_a_table_that_stays_out_and_decides_about_others_is_none_of_those_that_came_in_part
    deciding = { table: "public.teams", condition: "id = 1", through: [], decides: ["public.users"] }
    said = words(part: [deciding, { table: "public.users", through: [], counts: { kept: 1, total: 9, added: 0 } }], excluded: ["public.teams"])
    assert_includes said, "2 tables and 11 rows were copied; only some of the rows in 1 table; no rows in 1 table."
    assert_includes said, "its rows stay out, and decide which rows of public.users come"
  end

  # Each text of a report, and the apps' names, in both languages.
  def test_every_text_is_escaped
    %i[en fr].each do |locale|
      shown = page(locale:, **hostile(everything))
      refute_includes shown, "<odd"
      assert_operator shown.scan("&lt;odd&gt;").size, :>, 25
    end
  end

  def test_the_four_figures_count_each_personal_column_once
    found = [EMAIL, OPEN, EMAIL.merge(table: "public.logs", because: "exclude_tables"), EMAIL.merge(column: "brand", status: "ignored", because: "goods")]
    text = words(findings: found, excluded: ["public.logs"], leak_check: CHECK)
    ["personal columns 4 in 2 of 3 tables", "of those masked 1 9 values replaced 1 more is empty or has no rows",
     "left as they are 2 1 without a rule 1 declared not personal", "originals found afterwards 0 among 45 values of their form"].each do |figure|
      assert_includes text, figure
    end
    assert_includes words, "originals found afterwards – not searched"
  end

  def test_a_table_says_how_many_of_its_columns_were_masked_and_by_what
    text = words(findings: [EMAIL, OPEN])
    assert_includes text, "users 10 rows email Invented e-mail address (1 value kept) left as it is: note 1 of 2"
    assert_includes words(findings: [EMAIL.merge(column: "greeting", because: "it is computed from name")]), "greeting covered by a rule 2 of 2"
    assert_includes text, "1 table in which nothing personal was recognised odd 1"
  end

  def test_many_tables_are_folded_and_all_are_named
    tables = Array.new(500) do |number|
      { table: "public.t#{number}", rows: 1, bytes: 1, started: number, seconds: number, columns: REPORT[:tables][0][:columns] }
    end
    whole = page(tables:)
    assert_includes whole, "460 more tables with personal columns"
    assert_equal 40 + 1, whole.scan('class="track').size
    assert_includes whole, "the 40 that took longest of 500"
    500.times { |number| assert_includes whole, ">t#{number}<" }
  end

  def test_open_columns_stand_before_those_that_were_declared_not_personal
    text = words(findings: [EMAIL.merge(column: "brand", status: "ignored", because: "names of goods"), OPEN])
    assert_operator text.index("copied as production has it; no rule covers it A rule that covers it: { table: &quot;users&quot; }"), :<,
                    text.index("declared not personal: names of goods")
  end

  def test_leaks_and_channels_are_findings
    rebuilt = { channel: "search_vector", name: "public.users.search", outcome: "rebuilt", count: 0 }
    text = words(leak_check: CHECK, leaks: [LEAK, LEAK.merge(certain: false, expected_by_chance: 1.25)], channels: [rebuilt, OBJECTS])
    ["The other columns were read. 45 of their values have the form of an original; these and 1 digests were compared with 120 originals of masked columns, without approximation.",
     "notes.body e-mail address 3 certain", "possible; 1.3 would be there by chance",
     "public.users.search, a search index, was built again"].each { |said| assert_includes text, said }
  end

  def test_a_channel_of_another_version_is_quoted
    assert_includes words(channels: [{ channel: "new", name: "x", outcome: "kept", note: "Its own note." }]), "Its own note."
  end

  def test_what_acts_outside_says_what_became_of_it
    outside = EMAIL.merge(table: "public.hooks", column: "url", kind: "endpoint", heading: "outside")
    text = words(findings: [outside.merge(status: "masked", because: nil), outside.merge(column: "key", status: "uncovered", because: nil)])
    assert_operator text.index("hooks.key address that requests are sent to left as production has it"), :<,
                    text.index("hooks.url address that requests are sent to replaced")
    assert_includes words, "Nothing was recognised that would let staging send, call or charge anything"
    assert_includes words(set: { quiesce: false }), "config.quiesce is false"
  end

  # Rules, names and the team's own reasons are in no language of the tool's.
  def test_a_french_page_quotes_in_english_only_what_has_no_french_words
    warned = said(warnings: [["", { phrase: { kind: "left_out", object: "EXTENSION x", why: [{ kind: "may_not_create" }] } }, ""]],
                  left_out: [{ kind: "COMMENT", name: "x", why: [{ kind: "comments" }] }],
                  findings: [found("email", "named", { kind: "let_be", reason: "noms de produits" }, status: "ignored"),
                             found("url", "named", { kind: "rule", rule: "{ table: \"users\", strategy: :x }" }, heading: "outside"),
                             found("ip", "named", { kind: "excluded" }, table: "public.logs")])
    refute_includes page(locale: :fr, **warned, excluded: ["public.logs"]), 'lang="en"'
    page = page(locale: :fr, **said(warnings: ["A new sentence."]))
    assert_equal ["A new sentence."], page.scan(%r{<span lang="en">([^<]*)</span>}).flatten
    assert_includes page, "cités tels quels"
    refute_includes page(warnings: ["A new sentence."]), 'lang="en"><span'
  end

  def test_known_passwords_are_counted
    assert_includes words(known_passwords: [{ table: "public.users", column: "digest", accounts: 2 }]),
                    "2 accounts have a password that the team knows: users.digest: 2"
  end

  def test_without_any_time_there_is_no_chart
    refute_includes words(phases: []), "Timeline"
  end

  private

  def document(locale: :en, operator: {}, set: {}, **facts)
    config = staging_config
    { locale:, **set }.each { |name, value| config.public_send(:"#{name}=", value) }
    operator = ScalingoStagingSync::Support::Operator.new(
      **{ login: "ada", host: "worker", container: "one-off-7", task: "scalingo_staging_sync:run" }, **operator
    )
    finished_at = Time.utc(2026, 11, 21, 3, 4, 10)
    ScalingoStagingSync::Audit::Document.new(REPORT.merge(facts), started_at: finished_at - 10, finished_at:, config:, operator:)
  end

  # Of the engine, worded.
  def said(**facts) = ScalingoStagingSync::Messages::EngineWords.result(facts)

  def found(column, kind, because, **others)
    { **EMAIL, column:, reason: [{ kind:, name: column }], because:, **others }
  end

  def page(**) = ScalingoStagingSync::Audit::Page.new(document(**)).to_s

  # The page's words without its tags.
  def words(**) = page(**)[%r{<body>.*</body>}m].gsub("<wbr>", "").gsub(/\s*<[^>]+>\s*/, " ").squeeze(" \n")

  # A report with something in each part of the page.
  def everything
    findings = %w[uncovered withheld masked ignored].map { |status| EMAIL.merge(status:, column: status, mask: { mask: "email" }, rule: "{ table: :users }") }
    outside = [EMAIL.merge(heading: "outside"), EMAIL.merge(heading: "outside", status: "uncovered", rule: "{ table: :x }")]
    REPORT.merge(findings: findings + outside, leaks: [LEAK, LEAK.merge(certain: false)], leak_check: CHECK,
                 channels: [OBJECTS, { channel: "bytea", name: "public.files.data", count: 2, outcome: "unscanned", note: "A note." }],
                 known_passwords: [{ table: "public.users", column: "digest", accounts: 2 }], excluded: ["public.sessions"],
                 left_out: [{ kind: "EXTENSION", name: "x", why: "Why." }], warnings: ["A warning."],
                 backup: FakeNative::REPORT[:backup].merge(created_at: nil, file: true))
  end

  # The same with a tag in each text but for those that the page goes by.
  def hostile(value, key = nil)
    case value
    when Hash then value.to_h { |inner, part| [inner, (inner == :kind && key.to_s.end_with?("_data")) ? part : hostile(part, inner)] }
    when Array then value.map { |part| hostile(part, key) }
    when String then %i[status heading channel outcome].include?(key) ? value : "#{value}<odd>"
    else value
    end
  end
end

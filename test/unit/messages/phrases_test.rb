# frozen_string_literal: true

require "test_helper"

# What the engine says as data has words in every language: it lists all that it can say, and this test goes through the list.
class PhrasesTest < Minitest::Test
  Phrases = ScalingoStagingSync::Messages::Phrases
  Sentence = ScalingoStagingSync::Messages::Sentence
  EngineWords = ScalingoStagingSync::Messages::EngineWords
  Part = ScalingoStagingSync::Report::Part
  VOCABULARY = ScalingoStagingSync::Native.vocabulary
  KINDS = VOCABULARY[:kinds].to_h { |kind| kind.values_at(:kind, :fields) }.merge(Part::KINDS)
  FAILURES = VOCABULARY[:failures].to_h { |kind| kind.values_at(:kind, :fields) }
  WORDS = File.expand_path("../../../lib/scalingo_staging_sync/messages", __dir__)

  # What only chooses between singular and plural need not be in a sentence.
  def test_every_kind_that_is_returned_has_a_sentence_with_its_fields_in_every_language
    assert_operator VOCABULARY[:kinds].size, :>, 100
    Phrases::LANGUAGES.product(KINDS.to_a).each do |locale, (kind, fields)|
      assert_equal fields.sort, Phrases.in(locale).fields(kind)&.sort, "#{kind} in #{locale}.yml"
    end
  end

  def test_no_sentence_is_for_a_kind_that_there_is_not
    Phrases::LANGUAGES.each do |locale|
      sections = file(locale).except(*Phrases::LISTS).values
      assert_empty sections.flat_map(&:keys) - KINDS.keys, locale
      assert_equal sections.sum(&:size), sections.reduce(:merge).size, "a kind stands twice in #{locale}.yml"
    end
  end

  def test_every_kind_of_an_error_has_an_english_sentence_with_its_fields
    assert_operator FAILURES.size, :>, 100
    FAILURES.each { |kind, fields| assert_equal (fields - %w[count]).sort, (Phrases.in(:en).fields(kind).to_a - %w[count]).sort, kind }
    sentences = Dir["#{WORDS}/failures/*.yml"].map { |file| YAML.safe_load_file(file) }
    assert_empty sentences.flat_map(&:keys) - FAILURES.keys
    assert_equal sentences.sum(&:size), sentences.reduce(:merge).size, "a kind stands twice"
    assert_empty FAILURES.keys & KINDS.keys
  end

  # Sentences name options as they are written, and `%{option.NAME}` where that depends on the app.
  def test_every_option_that_a_sentence_names_is_one_of_the_configuration
    words = Dir["#{WORDS}/{failures,phrases}/*.yml"].map { |file| File.read(file) }.join
    named = words.scan(/config\.(\w+)/).flatten.uniq
    assert_operator named.size, :>, 15
    assert_empty(named.reject { |name| ScalingoStagingSync::Configuration.new.respond_to?(name) })
    assert_equal %w[storage_service target_url], words.scan(/%\{option\.(\w+)\}/).flatten.uniq.sort
  end

  def test_an_error_says_a_place_in_it_with_a_capital_where_it_begins
    subject = { kind: "backup_file", name: "shop.dump" }
    assert_equal "The backup file shop.dump is truncated: its tar file lacks the last 1,200 bytes of the archive.",
                 Phrases.in(:en).say({ kind: "truncated", subject:, damage: { kind: "tar_lacks", count: 1200 } })
    assert_nil Phrases.in(:fr).say({ kind: "empty", subject: })
  end

  def test_a_sentence_within_another_has_no_full_stop_of_its_own
    failure = { kind: "no_app" }
    assert_equal "there was no link to it (The app to copy from is not configured)", Phrases.in(:en).say({ kind: "no_link_because", failure: })
  end

  def test_a_sentence_that_ends_another_keeps_its_end
    meant = { kind: "meant", name: '"public.users"' }
    fault = { kind: "none_matches", text: "user", advice: meant }
    assert_equal '{ table: "user" }: no table of the backup matches "user". Did you mean "public.users"?',
                 Phrases.in(:en).say({ kind: "names_nothing", place: '{ table: "user" }', fault: })
    nothing = { kind: "none_matches", text: "zzz", advice: { kind: "correct_or_remove_name" } }
    assert_match(/\Akeep_tables: no table of the backup matches "zzz"\. Correct the name, or remove it\. Only tables/,
                 Phrases.in(:en).say({ kind: "keeps_nothing", fault: nothing }))
    stray = [{ kind: "stray_option_meant", option: "keepyear", meant: "keep_year" }, { kind: "stray_option", option: "zzz" }]
    assert_equal 'the mask :date does not take the option "keepyear". Did you mean keep_year? Nor "zzz". It takes days, keep_year.',
                 Phrases.in(:en).say({ kind: "mask_takes_options", mask: "date", options: stray, known: %w[days keep_year] })
  end

  def test_an_entry_that_lets_a_column_be_stands_in_a_sentence_as_ruby
    acts = { kind: "acts_outside", column: "public.hooks.url", reason: { kind: "outbox" }, because: [{ kind: "no_mask_fits" }], entry: "public.hooks.url" }
    assert_equal "public.hooks.url acts outside (an outbox) and cannot be masked by itself: no mask of the catalogue fits it. Give it a rule with a " \
                 'mask that fits, or let it stay with the entry "public.hooks.url" => "why it may stay" in config.pii_ignore.', Phrases.in(:en).say(acts)
  end

  # In English they are their own names.
  def test_every_kind_of_personal_data_and_every_term_has_a_word
    Phrases::LANGUAGES.each { |locale| assert_empty VOCABULARY[:personal] - file(locale)["kinds"].keys, locale }
    assert_empty VOCABULARY[:terms] - file(:fr)["terms"].keys
    assert_equal "new kind", Phrases.in(:fr).word("kinds", :new_kind)
  end

  def test_a_phrase_is_said_with_its_fields
    named = { kind: "named", name: "first name" }
    seen = { kind: "values_as", personal: "street_address", percent: 98 }
    clues = { kind: "learned", clues: [{ kind: "word", word: "birth" }, { kind: "word_for", term: "family_status" }] }
    assert_equal ['named "first name"; street address as 98% of the values looked at', 'because: "birth", a word for family status'],
                 [Phrases.in(:en).say([named, seen]), Phrases.in(:en).say(clues)]
    assert_equal ["nommée « first name » ; adresse postale : 98 % des valeurs examinées", "indices : « birth », mot du domaine « situation familiale »"],
                 [french([named, seen]), french(clues)]
  end

  def test_several_stand_side_by_side_and_a_count_chooses_the_form
    object = "TRIGGER t"
    rows = ->(count) { { kind: "left_out", object:, why: [{ kind: "rows_do_not_meet_it" }, { kind: "such_rows", count:, query: "SELECT 1" }] } }
    assert_equal ["TRIGGER t is left out: rows of production do not meet it; 1 such row: SELECT 1.",
                  "TRIGGER t is left out: rows of production do not meet it; 1,200 such rows: SELECT 1."], [1, 1200].map { |count| Phrases.in(:en).say(rows[count]) }
    assert_equal "TRIGGER t est laissé de côté : des lignes de production ne la respectent pas ; 1 200 lignes concernées : SELECT 1.", french(rows[1200])
    many = { kind: "many_keys_not_valid", count: 9, names: %w[a b c], more: 6 }
    assert_includes Phrases.in(:en).say(many), "are excluded: a, b, c and 6 more. A dry run lists each under \"not_valid\"."
  end

  def test_which_rows_came_is_said_in_both_languages
    part = Part.of({ table: "t", rows: 1000, order_by: %w[id], descending: true, through: [{ reference: "a", then: ["b"], table: "c" }],
                     needed_by: %w[a b], counts: { kept: 3, total: 10, added: 2 } })
    assert_equal ["the last 1,000 by id", "through a and b, with rows of c", "3 of 10 rows, 2 of them because a and b need them"], part.lines
    assert_equal ["les 1 000 dernières selon id", "par a et b, avec des lignes de c", "3 sur 10 lignes, dont 2 nécessaires à a et b"],
                 part.sentences.map { |sentence| sentence.in(:fr).tr("\u00a0", " ") }
    deciding = Part.of({ table: "t", condition: "id = 1", through: [], decides: %w[a b] })
    assert_equal ["its rows stay out, and decide which rows of a and b come", "rows where id = 1"], deciding.lines
    assert_equal "ses lignes ne viennent pas, mais décident lesquelles de a et b viennent", deciding.sentences.first.in(:fr)
    one = Part.of({ table: "t", through: [], needed_by: %w[a], counts: { kept: 1, total: 1, added: 1 }, of_last_run: true })
    assert_equal "1 of 1 row in the last run, 1 of them because a needs it", one.kept
  end

  def test_what_is_the_teams_own_is_no_language_of_the_tools
    own = [{ kind: "rule", rule: "{ table: \"x\" }" }, { kind: "let_be", reason: "goods" }, { kind: "excluded" }]
    assert_equal [true, true, false], (own.map { |data| Sentence.of_phrase(data).own? })
  end

  def test_what_has_only_english_words_has_no_french_ones
    assert_equal "something new", Phrases.in(:en).say("something new")
    ["something new", nil, [{ kind: "outbox" }, "something new"]].each { |said| assert_nil Phrases.in(:fr).say(said) }
    assert_raises(KeyError) { Phrases.in(:en).say({ kind: "unheard_of" }) }
  end

  def test_a_finding_has_its_reason_in_english_with_the_data_beside_it
    data = [{ kind: "queue_of", product: "GoodJob" }]
    because = { kind: "computed_from", column: "x" }
    finding = EngineWords.result({ findings: [{ table: "public.good_jobs", column: "*", reason: data, because:, rule: nil }] })[:findings].first
    assert_equal ["queued work, GoodJob's", data], finding.values_at(:reason, :reason_data)
    assert_equal ["it is computed from x", because], finding.values_at(:because, :because_data)
    sentence = Sentence.of(finding, :reason)
    assert_equal ["queued work, GoodJob's", "queued work, GoodJob's", "travail en attente, de GoodJob"], [sentence.to_s, sentence.in(:en), sentence.in(:fr)]
    assert_nil Sentence.of({ reason: nil }, :reason)
  end

  def test_what_is_left_out_and_warned_of_has_its_data_beside_its_english
    why = [{ kind: "needs_left_out", object: "TABLE y" }]
    phrase = { kind: "left_out", object: "INDEX x", why: }
    result = EngineWords.result({ left_out: [{ kind: "INDEX", name: "x", why:, refused: true }], warnings: [["", { phrase: }, ""], "Words."] })
    assert_equal ["it needs TABLE y, which is left out", why], result[:left_out].first.values_at(:why, :why_data)
    assert_equal [["INDEX x is left out: it needs TABLE y, which is left out.", "Words."], [phrase, nil]], result.values_at(:warnings, :warnings_data)
    assert_equal ["INDEX x est laissé de côté\u00a0: il dépend de TABLE y, qui est laissé de côté.", nil],
                 (Sentence.all_of(result, :warnings).map { |warning| warning.in(:fr) })
  end

  def test_a_warning_with_details_is_the_phrase_that_it_begins_with
    phrase = { kind: "uncovered", count: 2 }
    result = EngineWords.result({ warnings: [["", { phrase: }, ":\n- a.b.\n"], ["Words, ", { phrase: }, "."]] })
    assert_equal "2 columns look personal, are covered by no rule, and were copied as production has them:\n- a.b.\n", result[:warnings].first
    assert_equal [phrase, nil], result[:warnings_data]
    assert_match(/\A2 colonnes semblent personnelles/, Sentence.all_of(result, :warnings).first.in(:fr))
  end

  def test_what_masks_make_of_columns_has_its_data_beside_it_and_a_number_of_tables_stays_one
    mask = { kind: "mask_conditional", mask: { kind: "mask_encrypted", mask: { kind: "mask_constant", value: "x" } } }
    tables = EngineWords.result({ tables: [{ table: "t", columns: [{ name: "a", mask: }] }] })[:tables]
    assert_equal ["constant \"x\", encrypted under this environment's key, under a condition", mask], tables.first[:columns].first.values_at(:mask, :mask_data)
    assert_equal 3, EngineWords.result({ tables: 3 })[:tables]
  end

  def test_what_the_server_refuses_is_said_by_its_code_or_in_its_own_words
    details = [{ kind: "detail_sqlstate", sqlstate: "23505" }, { kind: "detail_table", name: "public.users" }]
    refused = ->(answer) { EngineWords.text([{ phrase: { kind: "server_refused", attempt: { kind: "creating", object: "INDEX x" }, answer: } }]) }
    assert_equal "PostgreSQL refused creating INDEX x: two rows have the same key (SQLSTATE 23505, table public.users).",
                 refused[{ kind: "server_meant", sqlstate: "23505", details: }]
    assert_equal "PostgreSQL refused creating INDEX x: no (SQLSTATE 23505, table public.users).", refused[{ kind: "server_said", message: "no", details: }]
    meant = %w[22ZZZ ZZZZZ].map { |sqlstate| Phrases.in(:en).say({ kind: "server_meant", sqlstate:, details: [] }) }
    assert_equal ["a value is not possible there ()", "it failed ()"], meant
    assert_equal "deux lignes ont la même clé (SQLSTATE 23505, table public.users)", french({ kind: "server_meant", sqlstate: "23505", details: })
  end

  def test_every_code_of_postgresql_that_has_words_has_them_in_both_languages
    english, french = %w[en fr].map { |locale| YAML.safe_load_file("#{WORDS}/sqlstates/#{locale}.yml") }
    assert_equal english.keys, french.keys
    assert_operator english.size, :>, 140
  end

  def test_what_holds_personal_data_beside_columns_is_a_phrase_too
    rule = { table: "t", column: "data", mask: { mask: "null", options: {} } }
    note = { kind: "bytes_unread", column: "public.t.data", count: 1, rule: }
    channel = EngineWords.result({ channels: [{ name: "public.t.data", note: }] })[:channels].first
    assert_equal ["public.t.data holds 1 value that is not text, which the leak check does not read. To empty it: { table: \"t\", columns: { data: :null } }", note],
                 channel.values_at(:note, :note_data)
    assert_match(/Pour la vider : { table: "t"/, french(note.merge(count: 3)))
  end

  # As an audit of an earlier version has it.
  def test_a_reason_that_is_only_there_in_english_is_quoted
    assert_equal ["named \"email\"", nil], %i[en fr].map { |locale| Sentence.of({ reason: "named \"email\"" }, :reason).in(locale) }
  end

  def test_messages_have_phrases_and_findings_among_their_words
    assert_equal "It acts outside (an outbox).", EngineWords.text(["It acts outside (", { phrase: { kind: "outbox" } }, ")."])
    finding = { table: "public.users", column: "email", kind: "email", confidence: 0.97, reason: [{ kind: "named", name: "email" }], because: nil }
    line = 'public.users.email: email (0.97), named "email"'
    assert_equal ["- #{line}.", "- #{line}; no mask of the catalogue fits it."],
                 [finding, finding.merge(because: { kind: "no_mask_fits" })].map { |one| EngineWords.text(["- ", { finding: one }, "."]) }
  end

  private

  def french(said) = Phrases.in(:fr).say(said).tr("\u00a0", " ")

  def file(locale) = YAML.safe_load_file("#{WORDS}/phrases/#{locale}.yml", aliases: true)
end

# frozen_string_literal: true

require "test_helper"

# What the engine says as data has words in every language: it lists all that it can say, and this test goes through the list.
class PhrasesTest < Minitest::Test
  Phrases = ScalingoStagingSync::Messages::Phrases
  Sentence = ScalingoStagingSync::Messages::Sentence
  EngineWords = ScalingoStagingSync::Messages::EngineWords
  VOCABULARY = ScalingoStagingSync::Native.vocabulary

  def test_every_kind_that_the_engine_can_return_has_a_sentence_with_its_fields_in_every_language
    assert_operator VOCABULARY[:kinds].size, :>, 50
    Phrases::LANGUAGES.product(VOCABULARY[:kinds]).each do |locale, kind|
      assert_equal kind[:fields].sort, Phrases.in(locale).fields(kind[:kind])&.sort, "#{kind[:kind]} in #{locale}.yml"
    end
  end

  def test_no_sentence_is_for_a_kind_that_the_engine_has_not
    kinds = VOCABULARY[:kinds].map { |kind| kind[:kind] }
    Phrases::LANGUAGES.each do |locale|
      sections = file(locale).except(*Phrases::LISTS).values
      assert_empty sections.flat_map(&:keys) - kinds, locale
      assert_equal sections.sum(&:size), sections.reduce(:merge).size, "a kind stands twice in #{locale}.yml"
    end
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

  def test_what_has_only_english_words_has_no_french_ones
    assert_equal "something new", Phrases.in(:en).say("something new")
    ["something new", nil, [{ kind: "outbox" }, "something new"]].each { |said| assert_nil Phrases.in(:fr).say(said) }
    assert_raises(KeyError) { Phrases.in(:en).say({ kind: "unheard_of" }) }
  end

  def test_a_finding_has_its_reason_in_english_with_the_data_beside_it
    data = [{ kind: "queue_of", product: "GoodJob" }]
    finding = EngineWords.result({ findings: [{ table: "public.good_jobs", column: "*", reason: data, rule: nil }] })[:findings].first
    assert_equal ["queued work, GoodJob's", data], finding.values_at(:reason, :reason_data)
    sentence = Sentence.of(finding, :reason)
    assert_equal ["queued work, GoodJob's", "queued work, GoodJob's", "travail en attente, de GoodJob"], [sentence.to_s, sentence.in(:en), sentence.in(:fr)]
    assert_nil Sentence.of({ reason: nil }, :reason)
  end

  # As an audit of an earlier version has it.
  def test_a_reason_that_is_only_there_in_english_is_quoted
    assert_equal ["named \"email\"", nil], %i[en fr].map { |locale| Sentence.of({ reason: "named \"email\"" }, :reason).in(locale) }
  end

  def test_messages_have_phrases_and_findings_among_their_words
    assert_equal "It acts outside (an outbox).", EngineWords.text(["It acts outside (", { phrase: { kind: "outbox" } }, ")."])
    finding = { table: "public.users", column: "email", kind: "email", confidence: 0.97, reason: [{ kind: "named", name: "email" }], because: nil }
    line = 'public.users.email: email (0.97), named "email"'
    assert_equal ["- #{line}.", "- #{line}; no mask fits it."],
                 [finding, finding.merge(because: "no mask fits it")].map { |one| EngineWords.text(["- ", { finding: one }, "."]) }
  end

  private

  def french(said) = Phrases.in(:fr).say(said).tr("\u00a0", " ")

  def file(locale) = YAML.safe_load_file(File.expand_path("../../../lib/scalingo_staging_sync/messages/phrases/#{locale}.yml", __dir__), aliases: true)
end

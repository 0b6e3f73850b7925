# frozen_string_literal: true

require "test_helper"

# The page in its two languages: each sentence is in both, and each is used.
class AuditWordsTest < Minitest::Test
  Words = ScalingoStagingSync::Audit::Words
  ROOM = File.expand_path("../../../lib/scalingo_staging_sync/audit", __dir__)

  def test_both_languages_have_every_sentence_with_the_same_values
    english, french = %i[en fr].map { |locale| flat(sentences(locale)) }
    assert_equal english.keys.sort, french.keys.sort
    english.each { |key, text| assert_equal values(text), values(french[key]), key }
  end

  def test_every_mask_of_the_catalogue_has_a_sentence_and_an_example
    %i[en fr].map { |locale| Words.new(locale) }.each do |words|
      ScalingoStagingSync::Native.masks.each do |mask|
        assert words.mask(mask[:name]), "#{mask[:name]} has no sentence in #{words.language.locale}"
        refute_nil mask_words(kind: "mask_named", mask: mask[:name]).example(words), mask[:name]
      end
    end
  end

  def test_masks_are_known_by_what_the_engine_says_of_them
    { mask_email: "email", mask_constant: "constant", mask_null: "null", mask_numbered: "numbered_name",
      mask_numbered_phone: "numbered_phone", mask_neutral: "neutral" }.each { |kind, name| assert_equal name, mask_words(kind: kind.to_s).name }
    mask = { kind: "mask_named", mask: "phone" }
    around = mask_words(kind: "mask_conditional", mask: { kind: "mask_encrypted", mask: })
    assert_equal ["phone", true, false], [around.name, around.conditional, around.sql?]
    sql = mask_words(kind: "mask_by_sql", rule: "{ table: :x, query: \"UPDATE\" }")
    assert_equal [true, "Replaced by a rule of the team"], [sql.sql?, sql.said(Words.new(:en)).first]
  end

  def test_a_mask_is_said_in_the_language_of_the_page
    mask = ->(data) { ScalingoStagingSync::Messages::Sentence.of_phrase(data) }
    assert_equal "constante « x », sous condition",
                 Words.new(:fr).quote(mask[{ kind: "mask_conditional", mask: { kind: "mask_constant", value: "x" } }]).tr("\u00a0", " ")
    assert_nil Words.new(:fr).quote("something new")
    assert_equal "something new", Words.new(:en).quote("something new")
  end

  def test_every_sentence_is_used
    code = Dir["#{ROOM}/**/*.{rb,erb}"].map { |file| File.read(file) }.join
    unused = flat(sentences(:en)).keys.reject do |key|
      room, name = key.split(".")
      %w[mask example nouns ran verdict].include?(room) || code.include?("#{room}.#{name}") || code.match?(/["\s%(\[]#{name}(?:_|\b)/) || name.match?(/large_objects|bytea|search_vector|schema_text/)
    end
    assert_empty unused
  end

  def test_figures_are_written_as_the_language_has_them
    assert_equal "12 345 tables", Words.new(:fr).counted(:table, 12_345).tr("\u00a0", " ")
    assert_equal ["0 table", "1 table"], [0, 1].map { |count| Words.new(:fr).counted(:table, count) }
    assert_equal ["0 tables", "1 table", "12,345 tables"], [0, 1, 12_345].map { |count| Words.new(:en).counted(:table, count) }
  end

  private

  def mask_words(**data) = ScalingoStagingSync::Audit::MaskWords.of(ScalingoStagingSync::Messages::Sentence.new(english: "", data:))

  def sentences(locale) = YAML.safe_load_file("#{ROOM}/words/#{locale}.yml")

  def flat(part, above = nil)
    return { above => part } unless part.is_a?(Hash)

    part.reduce({}) { |all, (name, inner)| all.merge(flat(inner, [above, name].compact.join("."))) }
  end

  def values(text) = text.to_s.scan(/%\{\w+\}/).uniq.sort
end

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
        refute_nil ScalingoStagingSync::Audit::MaskWords.of(mask[:name]).example(words), mask[:name]
      end
    end
  end

  def test_masks_are_known_by_what_the_report_says_of_them
    { "e-mail pseudonym" => "email", "constant \"Paris\"" => "constant", "NULL" => "null", "User<id>" => "numbered_name",
      "phone number 060…" => "numbered_phone", "neutral value \"0\"" => "neutral", "first_name" => "first_name" }.each do |description, name|
      assert_equal name, ScalingoStagingSync::Audit::MaskWords.of(description).name
    end
    assert_predicate ScalingoStagingSync::Audit::MaskWords.of("phone, under a condition"), :conditional
    assert_equal "Replaced by a rule of the team", ScalingoStagingSync::Audit::MaskWords.of("what is new").said(Words.new(:en)).first
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

  def sentences(locale) = YAML.safe_load_file("#{ROOM}/words/#{locale}.yml")

  def flat(part, above = nil)
    return { above => part } unless part.is_a?(Hash)

    part.reduce({}) { |all, (name, inner)| all.merge(flat(inner, [above, name].compact.join("."))) }
  end

  def values(text) = text.to_s.scan(/%\{\w+\}/).uniq.sort
end

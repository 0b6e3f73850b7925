# frozen_string_literal: true

require "test_helper"

# A French page says in French what the engine says only in English. What that can be is read from its sources.
class AuditQuotesTest < Minitest::Test
  SOURCES = File.expand_path("../../../ext", __dir__)
  WORDS = ScalingoStagingSync::Audit::Words.new(:fr)

  def test_every_reason_for_what_became_of_a_column_has_french_words
    texts = literals("engine/src/plan/personal/doubts.rs", /format!\(\s*"((?:[^"\\]|\\.)+)"/m) +
            literals("engine/src/plan/personal/keys.rs", /Some\(format!\(\s*"((?:[^"\\]|\\.)+)"/m) +
            literals("engine/src/plan/personal/force.rs", /^\s*"(the app encrypts (?:[^"\\]|\\.)+)"/m) +
            literals("engine/src/plan/personal/findings.rs", /"(it is (?:[^"\\]|\\.)+)"/) +
            literals("engine/src/plan/queues.rs", /(?:QUIESCED: &str = |Status::\w+, )"((?:[^"\\]|\\.)+)"/) +
            literals("engine/src/detect/judge.rs", /"((?:its mask|no mask|its values) (?:[^"\\]|\\.)+)"/m) +
            literals("engine/src/detect.rs", /withhold\(load, "((?:[^"\\]|\\.)+)"/)
    assert_operator texts.size, :>, 12
    assert_empty untold(texts)
  end

  def test_every_reason_of_the_plan_for_leaving_an_object_out_has_french_words
    kinds = File.read("#{SOURCES}/engine/src/plan/decide.rs")[/^fn by_kind.*?^}/m]
    whys = kinds.scan(/(?:=>\s*\{?\s*|^ +|format!\(\s*)"([a-zT](?:[^"\\]|\\.)+)"/m).flatten.map { |text| plain(text) }
    assert_operator whys.size, :>, 15
    assert_empty untold(whys)
  end

  def test_a_sentence_has_its_parts_in_french
    assert_equal "les 1 000 dernières selon id", said("the last 1,000 by id")
    assert_equal "3 sur 10 lignes, dont 2 nécessaires à a et b", said("3 of 10 rows, 2 of them because a and b need them")
    assert_equal "INDEX x est laissé de côté : il dépend de TABLE y, qui est laissé de côté.",
                 said("INDEX x is left out: it needs TABLE y, which is left out.")
  end

  def test_what_is_not_known_stays_english_as_a_whole
    ["something new", "INDEX x is left out: something new."].each do |text|
      assert_nil WORDS.quote(text)
    end
    assert_equal "something new", ScalingoStagingSync::Audit::Words.new(:en).quote("something new")
  end

  private

  def said(text) = WORDS.quote(text).tr("\u00a0", " ")

  def untold(texts) = texts.uniq.reject { |text| WORDS.quote(text) }

  def literals(file, pattern) = File.read("#{SOURCES}/#{file}").split("#[cfg(test)]").first.scan(pattern).flatten.map { |text| plain(text) }

  # A literal of Rust with something in each place.
  def plain(text) = text.gsub(/\\\n\s*/, "").gsub('\"', '"').gsub(/\{[^}]*%?\}(?=%)/, "90").gsub(/\{[^}]*\}/, "some_name")
end

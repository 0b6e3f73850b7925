# frozen_string_literal: true

require "test_helper"

# A French page says in French what the engine says only in English.
class AuditQuotesTest < Minitest::Test
  WORDS = ScalingoStagingSync::Audit::Words.new(:fr)

  def test_a_sentence_has_its_parts_in_french
    assert_equal "constante « x »", said("constant \"x\"")
    assert_equal "valeur unique sous clé", said("distinct keyed value")
  end

  def test_what_is_not_known_stays_english_as_a_whole
    assert_nil WORDS.quote("something new")
    assert_equal "something new", ScalingoStagingSync::Audit::Words.new(:en).quote("something new")
  end

  private

  def said(text) = WORDS.quote(text).tr("\u00a0", " ")
end

# frozen_string_literal: true

require "test_helper"

# A French page says in French what the engine says only in English.
class AuditQuotesTest < Minitest::Test
  WORDS = ScalingoStagingSync::Audit::Words.new(:fr)

  def test_a_sentence_has_its_parts_in_french
    assert_equal "constante « x »", said("constant \"x\"")
    assert_includes said("t.c holds 1,200 values that are not text, which the leak check does not read. To empty it: x"), "t.c contient 1 200 valeurs"
  end

  def test_what_is_not_known_stays_english_as_a_whole
    assert_nil WORDS.quote("something new")
    assert_equal "something new", ScalingoStagingSync::Audit::Words.new(:en).quote("something new")
  end

  private

  def said(text) = WORDS.quote(text).tr("\u00a0", " ")
end

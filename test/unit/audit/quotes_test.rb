# frozen_string_literal: true

require "test_helper"

# A French page says in French what the tool says in English. What the engine can say is read from its sources.
class AuditQuotesTest < Minitest::Test
  SOURCES = File.expand_path("../../../ext", __dir__)
  WORDS = ScalingoStagingSync::Audit::Words.new(:fr)

  def test_every_reason_of_a_name_has_french_words
    reasons = %w[rules outside encrypted mod].flat_map { |file| literals("personal_data/src/names/#{file}.rs", /finding\([^;{]*?"((?:[^"\\]|\\.)+)"/m) }
    queues = literals("personal_data/src/names/queue.rs", /(?:Some\(|then\(\|\| )(?:format!\()?"((?:[^"\\]|\\.)+)"/) - ["queued work, some_name"]
    queues += literals("personal_data/src/names/queue.rs", /\(\s*"[a-z_*]+",\s*"([^"]+)",?\s*\)/).map { |whose| "queued work, #{whose}" }
    assert_operator reasons.size + queues.size, :>, 40
    assert_empty untold(reasons + queues + ["declared with `encrypts`", "an encrypted attribute", "refers to queued work whose rows stay out"])
  end

  # As `said` in the engine's model puts its weights into words.
  def test_every_clue_of_the_learned_model_has_french_words
    clues = File.foreach("#{SOURCES}/personal_data/src/names/weights.tsv").filter_map { |line| clue(line[/\A[^\t:]+/]) }.uniq
    assert_operator clues.size, :>, 150
    assert_empty untold(clues)
  end

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

  def test_the_parts_of_a_reason_are_said_one_by_one
    assert_equal "nommée « email » ; adresse électronique : 98 % des valeurs examinées", said("named \"email\"; email as 98% of the values looked at")
    assert_equal "indices : « birth », mot du domaine « maladie »", said("because: \"birth\", a word for illness")
    assert_equal "les 1 000 dernières selon id", said("the last 1,000 by id")
    assert_equal "3 sur 10 lignes, dont 2 nécessaires à a et b", said("3 of 10 rows, 2 of them because a and b need them")
    assert_equal "INDEX x est laissé de côté : il dépend de TABLE y, qui est laissé de côté.",
                 said("INDEX x is left out: it needs TABLE y, which is left out.")
  end

  def test_what_is_not_known_stays_english_as_a_whole
    ["something new", "named \"email\"; something new", "because: \"email\", something new", "INDEX x is left out: something new."].each do |text|
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

  def clue(feature)
    what, value = feature.split("=", 2)
    term = value.to_s[/\A[^ ,]+/]&.tr("_", " ")
    case what
    when "class", "last class", "first class", "only class", "classes" then "a word for #{term}"
    when "table class" then "in a table named for #{term}"
    when "beside class" then "beside words for #{term}"
    when "key class" then "refers to #{term}"
    when "beside>" then "beside personal columns"
    else spaced(feature)
    end
  end

  def spaced(feature)
    what, value = feature[/\A[^=]+\z/].to_s.split(" ", 2)
    term = value.to_s.split(" of ").first.to_s.tr("_", " ")
    return if term.empty? || term == "anything"

    { "of" => "in a table of #{term}", "about" => "in a table about #{term}", "beside" => "beside #{term}", "says" => "a word for #{term}",
      "names" => "with #{term} in its name", "a" => "refers to a person" }[what]
  end
end

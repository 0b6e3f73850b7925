# frozen_string_literal: true

require_relative "integration_helper"

# Collations of ICU's that take texts of different bytes for equal: case, accents, or only two ways to write one letter. What is
# equal to them gets one pseudonym, so that a foreign key holds afterwards, and what is not gets another, so that a unique index
# does.
class EqualTextsTest < IntegrationTest
  # Each with pairs that it takes for equal.
  LEVELS = {
    "und" => { "élise" => "e\u0301lise" },
    "und-u-ks-level2" => { "élise" => "ÉLISE", "Nora" => "nORA", "straße" => "STRAẞE", "e\u0301va" => "Éva", "Ａda" => "ada", "οδος" => "ΟΔΟΣ" },
    "und-u-ks-level1" => { "Élise" => "elise", "José" => "JOSE\u0301", "Søren" => "soren", "Łukasz" => "lukasz", "Strasse" => "straße", "Ζωή" => "ζωη" }
  }.freeze

  # Every letter of Latin, Greek and Cyrillic, as one character and taken apart.
  LETTERS = <<~SQL
    SELECT DISTINCT v FROM generate_series(161, 8191) AS n, LATERAL (VALUES ('a' || chr(n) || 'b'), (normalize('a' || chr(n) || 'b', NFD))) AS forms (v)
    WHERE (n < 592 OR n BETWEEN 880 AND 1327 OR n >= 7680) AND chr(n) ~ '[[:alpha:]]'
  SQL

  LEVELS.each do |locale, pairs|
    define_method(:"test_a_key_under_#{locale.tr("-", "_")}_holds_once_both_of_its_columns_are_masked") do
      %w[email token].each do |mask|
        target = masked(locale, mask, pairs.keys.map { |v| "('#{v}')" }.join(", "), pairs.values.map { |v| "('#{v}')" }.join(", "))
        held = target.value("SELECT count(*) FROM visits JOIN people USING (v) WHERE v COLLATE \"C\" NOT IN (#{pairs.to_a.flatten.map { |v| "'#{v}'" }.join(", ")})")
        assert_equal pairs.size.to_s, held, mask
      end
    end

    define_method(:"test_every_letter_of_europe_keeps_its_key_under_#{locale.tr("-", "_")}") do
      target = masked(locale, "email", "SELECT DISTINCT ON (v COLLATE equal) v FROM (#{LETTERS}) AS letters", LETTERS)
      assert_operator target.value("SELECT count(*) FROM visits").to_i, :>, 1000
      assert_equal target.value("SELECT count(*) FROM people"), target.value("SELECT count(DISTINCT v) FROM visits")
    end
  end

  def test_a_name_under_a_unique_index_stays_one_of_its_own
    source = new_database
    source.exec("#{schema("und-u-ks-level1")}DROP TABLE visits; INSERT INTO people SELECT 'Élise ' || n FROM generate_series(1, 3000) n;")
    target = new_database
    run!(source: source.dump(path("names.dump")), target: target.url, masking_options: { rules: [{ "table" => "people", "columns" => { "v" => "name" } }] })
    assert_equal "3000", target.value("SELECT count(DISTINCT v) FROM people")
  end

  def test_a_database_that_is_there_is_masked_alike
    target = new_database
    target.exec("#{schema("und-u-ks-level1")}INSERT INTO people VALUES ('Élise'); INSERT INTO visits VALUES ('elise');")
    settings = Engine.settings(source: path("none.dump"), target: target.url, masking_options: { rules: rules("email") })
    report = ScalingoStagingSync::Native.anonymize(settings) { |_| nil }
    assert report[:verified]
    assert_equal "1", target.value("SELECT count(*) FROM visits JOIN people USING (v) WHERE v <> 'elise'")
    assert_equal "t", target.value("SELECT bool_and(convalidated) FROM pg_constraint WHERE contype = 'f'")
  end

  # The remedy that docs/rules.md has where a collation goes further.
  def test_a_key_under_a_collation_without_punctuation_can_be_left_out
    source = new_database
    source.exec("#{schema("und-u-ka-shifted-ks-level1")}INSERT INTO people VALUES ('Anne-Lise'); INSERT INTO visits VALUES ('annelise');")
    backup = source.dump(path("shifted.dump"))
    target = new_database
    assert_run_fails ScalingoStagingSync::RestoreError, source: backup, target: target.url, masking_options: { rules: rules("email") }
    run!(source: backup, target: target.url, masking_options: { rules: rules("email") }, options: { exclude_objects: ["FK CONSTRAINT *visits_v_fkey"] })
    assert_equal %w[1 1], [target.value("SELECT count(*) FROM visits"), target.value("SELECT count(*) FROM people")]
  end

  private

  def schema(locale)
    <<~SQL
      CREATE COLLATION equal (provider = icu, locale = '#{locale}', deterministic = false);
      CREATE TABLE people (v text COLLATE equal PRIMARY KEY);
      CREATE TABLE visits (v text COLLATE equal REFERENCES people);
    SQL
  end

  def rules(mask) = %w[people visits].map { |table| { "table" => table, "columns" => { "v" => mask } } }

  # Both tables filled, and run with both columns masked.
  def masked(locale, mask, people, visits)
    source = new_database
    insert = ->(rows) { rows.start_with?("(") ? "VALUES #{rows}" : rows }
    source.exec("#{schema(locale)}INSERT INTO people #{insert[people]}; INSERT INTO visits #{insert[visits]};")
    target = new_database
    outcome = run!(source: source.dump(path("#{mask}.dump")), target: target.url, masking_options: { rules: rules(mask) })
    assert outcome.report[:verified], outcome.warnings.join("\n")
    assert_equal "t", target.value("SELECT bool_and(convalidated) FROM pg_constraint WHERE contype = 'f'"), outcome.warnings.join("\n")
    target
  end
end

# frozen_string_literal: true

require "test_helper"

# Suggestions are Ruby that means the right thing, whatever tables and columns are called.
class RubySourceTest < Minitest::Test
  Source = ScalingoStagingSync::Messages::RubySource

  NAMES = ["email", "a \#{1+1}", 'quo"te', "sing'le", "back\\slash", "dot.ted", "sch.ema.tab le", "prénom 名前", "class", "nil", "Odd",
           "9lives", "a \#$0 \#@b", "line\nbreak", "nul\0", "end\u0004", "\#{raise}\" => 1 }; raise"].freeze

  JSON_MASK = { mask: "json", options: { "scrub" => true, "paths" => { "$.a \#{1+1}" => "email" } } }.freeze
  PLAIN = { mask: "email", options: {} }.freeze

  def test_an_entry_is_read_as_the_names_that_it_was_made_of
    NAMES.each do |name|
      entry = evaluated(Source.entry(table: name, column: name, mask: PLAIN))
      assert_equal({ table: name, columns: { name.to_sym => :email } }, entry)
    end
  end

  def test_rules_are_read_as_the_names_that_they_were_made_of
    findings = NAMES.map { |name| finding(name, "x\#{1+1}", reason: "named \"#{name}\"", because: "it\n#{name}") }
    config = ScalingoStagingSync::Configuration.new
    eval(Source.rules(findings), binding, __FILE__, __LINE__)
    assert_equal(NAMES.map { |name| { table: name, columns: { "x\#{1+1}": :email } } }, config.anonymization_tables)
    assert_empty config.problems
  end

  def test_a_column_that_no_mask_fits_gets_the_line_that_lets_it_stay
    NAMES.each do |name|
      config = ScalingoStagingSync::Configuration.new
      eval(Source.rules([finding("t", name, rule: nil)]), binding, __FILE__, __LINE__)
      assert_empty config.anonymization_tables
      assert_equal ["why it may stay"], config.pii_ignore.values
      assert_empty config.problems
    end
  end

  def test_a_name_with_dots_or_quotes_is_written_as_patterns_are_read
    line = Source.rules([finding('odd.".t', "a.b", rule: nil)])
    assert_includes line, 'config.pii_ignore["public.\"odd.\"\".t\".\"a.b\""] = "why it may stay"'
  end

  def test_a_column_to_ignore_is_read_as_its_name
    NAMES.each { |name| assert_equal({ name => "why it may stay" }, evaluated("{ #{Source.ignore(name)} }")) }
  end

  def test_options_are_written_as_the_configuration_has_them
    assert_equal "{ mask: :array, of: :scrub }", Source.mask(mask: "array", options: { "of" => "scrub" })
    assert_equal({ mask: :json, scrub: true, paths: { "$.a \#{1+1}" => "email" } }, evaluated(Source.mask(JSON_MASK)))
    assert_equal '{ mask: :template, template: "…{id}" }', Source.mask(mask: "template", options: { "template" => "…{id}" })
    assert_equal ":null", Source.mask(mask: "null", options: {})
  end

  def test_rules_are_an_entry_for_each_table_with_what_its_columns_look_like
    findings = [finding("users", "email"), finding("audit.log", "Odd \#{name}", mask: { mask: "json", options: { "scrub" => true } }),
                finding("users", "phone"), finding("users", "id", rule: nil, because: "it is unique")]
    assert_equal <<~'RUBY', Source.rules(findings)
      config.anonymization_tables += [
        { table: "users", columns: {
          email: :email, # email (0.90), named "mail"
          phone: :email # email (0.90), named "mail"
        } },
        { table: "audit.log", columns: {
          "Odd \#{name}": { mask: :json, scrub: true } # email (0.90), named "mail"
        } },
      ]
      config.pii_ignore["public.users.id"] = "why it may stay" # email (0.90), named "mail"; it is unique
    RUBY
  end

  def test_what_the_engine_suggests_in_a_form_that_is_not_known_is_an_error
    assert_raises(KeyError) { Source.of({ "other" => "x" }) }
  end

  def test_words_have_what_is_suggested_at_its_place
    words = ScalingoStagingSync::Messages::EngineWords
    assert_match(/\AUse these:\nconfig\.anonymization_tables \+= \[/, words.text(["Use these:\n", { "rules" => [finding("users", "email")] }]))
    assert_equal "No code.", words.text("No code.")
  end

  private

  def evaluated(ruby) = eval(ruby, binding, __FILE__, __LINE__)

  def finding(table, column, mask: PLAIN, reason: 'named "mail"', because: nil, **others)
    { table: "public.#{table}", column:, kind: "email", confidence: 0.9, reason:, because:, rule: { table:, column:, mask: } }.merge(others)
  end
end

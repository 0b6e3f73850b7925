# frozen_string_literal: true

require "test_helper"
require "json"

class MaskListTest < Minitest::Test
  def test_as_json_each_mask_has_its_options_by_name
    masks = [{ name: "email", doc: "A pseudonym.", options: [%w[domain Another.]], from: "a@b.fr", to: "x@demo.example.com" }]
    printed = JSON.parse(ScalingoStagingSync::Terminal::MaskList.new(masks).json)
    assert_equal 1, printed["schema_version"]
    assert_equal [{ "name" => "email", "doc" => "A pseudonym.", "options" => { "domain" => "Another." }, "from" => "a@b.fr",
                    "to" => "x@demo.example.com" }], printed["masks"]
  end

  def test_options_and_masks_that_the_engine_names_are_shown_as_they_are_configured
    masks = [{ name: "password", doc: "By default <staging_password>; <unknown_password> elsewhere.", options: [["at", "<email_domain>"]],
               from: "x", to: "y" }]
    printed = JSON.parse(ScalingoStagingSync::Terminal::MaskList.new(masks).json)["masks"].first
    assert_equal "By default `config.staging_password`; `:unknown_password` elsewhere.", printed["doc"]
    assert_equal({ "at" => "`config.anonymized_email_domain`" }, printed["options"])
  end

  def test_every_name_in_the_catalogue_is_an_option_or_a_mask
    catalogue = ScalingoStagingSync::Terminal::MaskList.new.json
    refute_match(/<\w+>/, catalogue)
    named = catalogue.scan(/`:(\w+)`/).flatten - ScalingoStagingSync::Native.masks.map { |mask| mask[:name] }
    assert_empty named
    options = catalogue.scan(/`config\.(\w+)`/).flatten.map(&:to_sym)
    assert_empty options - ScalingoStagingSync::Configuration.options.keys
  end
end

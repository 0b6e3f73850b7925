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
end

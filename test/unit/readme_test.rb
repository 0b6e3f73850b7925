# frozen_string_literal: true

require "test_helper"
require "support/pages"

# What the README is: short, in a reader's order, with pictures.
class ReadmeTest < Minitest::Test
  README = Pages.page("README.md")

  HEADINGS = [
    "Try it", "Install on Scalingo", "Configure it", "What a run looks like", "What it promises, and what it does not",
    "Where it is not the right tool", "Performance", "Links"
  ].freeze

  def test_it_can_be_read_in_one_go
    assert_operator README.text.lines.size, :<=, 250
  end

  def test_it_says_what_it_is_before_all_else_in_three_sentences
    first = README.text.split("\n\n")[1]
    assert_equal 3, first.scan(/\.(?=\s|\z)/).size, first
  end

  def test_its_parts_stand_in_the_order_of_a_readers_questions
    assert_equal HEADINGS, README.prose.scan(/^## (.+)$/).flatten
  end

  def test_scalingo_takes_five_steps
    steps = README.prose[/^## Install on Scalingo$.*?(?=^## )/m].scan(/^(\d)\. /).flatten
    assert_equal %w[1 2 3 4 5], steps
  end

  def test_each_picture_is_there_for_a_light_and_for_a_dark_page_and_says_the_same
    %w[overview run].each do |name|
      light, dark = %w[light dark].map { |shade| File.read("#{Pages::ROOT}/docs/images/#{name}-#{shade}.svg") }
      refute_equal light, dark
      assert_equal without_colours(light), without_colours(dark)
      assert_includes README.text, "docs/images/#{name}-light.svg"
      assert_includes README.text, "docs/images/#{name}-dark.svg"
    end
  end

  def test_a_picture_asks_nothing_of_any_server
    Dir["#{Pages::ROOT}/docs/images/*.svg"].each do |path|
      text = File.read(path).gsub('xmlns="http://www.w3.org/2000/svg"', "")
      refute_match(/https?:|url\(|<script|<image|@import/, text, path)
    end
  end

  def test_each_picture_is_described_for_those_who_do_not_see_it
    README.text.scan(/<img [^>]*>/).each { |image| assert_match(/alt="[^"]{20,}"/, image) }
  end

  private

  def without_colours(picture) = picture.gsub(/#\h{6}\b/, "colour")
end

# frozen_string_literal: true

require "test_helper"
require "support/site"

# What `bin/docs` finds wrong with a site.
class SiteTest < Minitest::Test
  GOOD = '<link href="style.css"><h1 id="top">A</h1><a href="#top">up</a> <a href="other.html#part">on</a> <a href="https://example.com/">away</a>'

  def test_links_to_pages_and_headings_that_are_there_and_away_are_good
    assert_empty problems(GOOD)
  end

  def test_a_page_or_a_heading_that_is_not_there_is_named
    assert_equal ["index.html links to gone.html, which is not there"], problems("#{GOOD}<a href=\"gone.html\">x</a>")
    assert_equal ["index.html links to other.html#gone, and there is no such heading"], problems("#{GOOD}<a href=\"other.html#gone\">x</a>")
  end

  def test_whatever_a_browser_would_fetch_from_another_host_is_named
    ['<script src="https://cdn.example/x.js">', '<img src="//cdn.example/x.png">', '<link rel="stylesheet" href="http://cdn.example/x.css">',
     '<source srcset="https://cdn.example/x.svg">'].each do |tag|
      assert_equal 1, problems(GOOD + tag).size, tag
      assert_includes problems(GOOD + tag).first, "fetches"
    end
  end

  private

  def problems(text)
    Dir.mktmpdir do |directory|
      { "index.html" => text, "other.html" => '<h2 id="part">B</h2>', "style.css" => "" }.each { |name, content| File.write("#{directory}/#{name}", content) }
      Site.new(directory).problems
    end
  end
end

# frozen_string_literal: true

require "test_helper"
require "support/audit_samples"
require "rexml/document"

# What makes the page readable for everybody, as far as it can be known without a browser; bin/check-pages asks one.
class AuditStructureTest < Minitest::Test
  STYLE = File.read(File.expand_path("../../../lib/scalingo_staging_sync/audit/page/style.css", __dir__))

  # Ink and what it stands on, by their names in the style sheet.
  PAIRS = { "--ink" => %w[--paper --card --good-card --warn-card --bad-card], "--soft" => %w[--paper --card --good-card --warn-card --bad-card],
            "--link" => %w[--paper], "--good" => %w[--good-card], "--warn" => %w[--paper --card --warn-card], "--bad" => %w[--paper --card --bad-card] }.freeze

  def test_it_is_in_the_language_that_is_asked_for
    { en: "Pseudonymisation audit", fr: "Audit de pseudonymisation" }.each do |locale, title|
      page = AuditSamples.page(5, locale:)
      assert_includes page, "<html lang=\"#{locale}\">"
      assert_includes page, "<h1>#{title}</h1>"
    end
  end

  def test_what_is_quoted_in_english_is_marked_as_english_in_french
    assert_includes AuditSamples.page(5, locale: :fr), '<span lang="en">3 objects are marked NOT VALID'
    refute_includes AuditSamples.page(5, locale: :en), '<span lang="en">'
  end

  def test_headings_go_down_one_level_at_a_time
    samples.each do |page|
      levels = page.scan(/<h([1-6])/).flatten.map(&:to_i)
      assert_equal [1, 1], [levels.first, levels.count(1)]
      assert(levels.each_cons(2).all? { |above, below| below <= above + 1 })
    end
  end

  def test_all_text_is_in_a_landmark_and_each_section_has_a_name
    samples.each do |page|
      assert_equal %w[header main footer], page[/<body>.*/m].scan(/^<(header|main|footer)>/).flatten
      names = page.scan(/<section[^>]*aria-labelledby="([^"]+)"/).flatten
      assert_equal page.scan("<section").size, names.size
      names.each { |name| assert_equal 1, page.scan("id=\"#{name}\"").size }
    end
  end

  def test_every_tag_is_closed_and_no_id_is_there_twice
    samples.each do |page|
      body = page[%r{<body>.*</body>}m].gsub("<wbr>", "").gsub(/<details open>/, "<details>")
      assert_equal "body", REXML::Document.new(body).root.name
      ids = page.scan(/ id="([^"]+)"/).flatten
      assert_equal ids.uniq, ids
    end
  end

  def test_every_header_of_a_table_says_what_it_heads
    samples.each { |page| refute_match(/<th(?! scope="(?:col|row)")(?=[ >])/, page) }
  end

  def test_a_link_leads_into_the_page
    samples.each { |page| page.scan(/href="([^"]*)"/).flatten.each { |to| assert_includes page, "id=\"#{to.delete_prefix("#")}\"" } }
  end

  def test_text_stands_out_from_what_is_behind_it_in_light_dark_and_on_paper
    schemes = STYLE.scan(/:root\{(.*?)\}/m).flatten.map { |block| block.scan(/(--[\w-]+):(#\h+)/).to_h }
    assert_equal 3, schemes.size
    schemes.each do |colours|
      PAIRS.each { |ink, grounds| grounds.each { |ground| assert_operator contrast(colours[ink], colours[ground]), :>=, 4.5, "#{ink} on #{ground}" } }
    end
  end

  private

  def samples
    [AuditSamples.page(20, locale: :fr), AuditSamples.page(50, locale: :en, bad: true), AuditSamples.page(5, locale: :en, sound: true)]
  end

  # As WCAG 2 computes it.
  def contrast(one, other)
    light, dark = [one, other].map { |colour| luminance(colour) }.sort.reverse
    (light + 0.05) / (dark + 0.05)
  end

  def luminance(colour)
    hex = colour.delete("#")
    hex = hex.chars.map { |digit| digit * 2 }.join if hex.size == 3
    parts = hex.scan(/../).map { |pair| pair.hex / 255.0 }.map { |part| (part <= 0.03928) ? part / 12.92 : ((part + 0.055) / 1.055)**2.4 }
    parts.zip([0.2126, 0.7152, 0.0722]).sum { |part, weight| part * weight }
  end
end

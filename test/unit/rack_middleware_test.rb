# frozen_string_literal: true

require "test_helper"
require "rexml/document"

# The page that visitors read while staging's data is not whole.
class RackMiddlewareTest < Minitest::Test
  Times = ScalingoStagingSync::Database::History::Times
  Page = ScalingoStagingSync::Support::MaintenancePage
  NOW = Time.utc(2026, 11, 21, 3, 0, 0)

  def test_an_app_whose_data_is_whole_answers_itself
    assert_equal 200, ask(:complete).first
    assert_equal 200, ask(:syncing, "PATH_INFO" => "/up").first
  end

  def test_the_database_is_asked_once_in_a_while_and_what_fails_changes_nothing
    asked = 0
    states = -> { ((asked += 1) > 1) ? raise("away") : :syncing }
    middleware = ScalingoStagingSync::RackMiddleware.new(->(_) { [200, {}, []] }, state: states, times: -> { raise "away" })
    assert_equal [503, 503], Array.new(2) { middleware.call({}).first }
    assert_equal 1, asked
    middleware.instance_variable_set(:@asked_at, -10)
    assert_equal [503, 2], [middleware.call({}).first, asked]
  end

  def test_it_says_which_app_since_when_and_until_when
    status, headers, body = ask(:syncing, since: NOW - 120, expected: Time.now + 300)
    assert_equal [503, "no-store", "en"], [status, *headers.values_at("cache-control", "content-language")]
    assert_includes 295..300, Integer(headers["retry-after"])
    assert_includes body.join, "<h1>my-app-staging is being updated</h1>"
    assert_includes body.join, "<dt>Since</dt><dd><time datetime=\"2026-11-21T02:58:00Z\">2026-11-21 02:58 UTC</time></dd>"
    assert_includes body.join, "<dt>Expected back</dt>"
  end

  def test_retry_after_is_what_is_expected_within_bounds
    { nil => 60, NOW + 2 => 15, NOW + 300 => 300, NOW + 86_400 => 3600, NOW - 5 => 60 }.each do |expected, seconds|
      assert_equal seconds, Page.new(:syncing, expected:, now: NOW).retry_after
    end
    assert_equal [600, 600], %i[expired incomplete].map { |state| Page.new(state, expected: NOW + 5, now: NOW).retry_after }
  end

  def test_a_run_that_takes_longer_than_any_before_is_said_to
    page = Page.new(:syncing, expected: NOW - 5, now: NOW).to_s
    assert_includes page, "This is taking longer than usual."
    refute_includes page, "Expected back"
  end

  def test_the_browser_chooses_the_language_and_the_configuration_where_it_does_not
    { "fr-FR,fr;q=0.9,en;q=0.8" => :fr, "en-GB, fr;q=0.5" => :en, "de, en;q=0.3, fr;q=0.7" => :fr, "fr;q=0, en" => :en, "de" => :fr, "*" => :fr,
      "" => :fr, nil => :fr, ";;;q=x" => :fr }.each { |accepted, locale| assert_equal locale, Page.locale(accepted, :fr), accepted.inspect }
    assert_includes ask(:syncing, "HTTP_ACCEPT_LANGUAGE" => "fr").last.join, "my-app-staging est en cours de mise à jour"
  end

  def test_visitors_are_asked_to_do_nothing_in_either_language
    pages.each { |page| refute_match(/\b(run|rake|relance|lance|exécute|config)/i, page[/<body>.*/m]) }
  end

  def test_it_is_readable_and_asks_nothing_of_any_server
    pages.each do |page|
      refute_match(/src=|href="[^"]|refresh|url\(|@import|https?:/, page)
      main = REXML::Document.new(page[%r{<main>.*</main>}m]).root
      assert_equal ["h1", page[%r{<title>(.*)</title>}, 1]], [main.elements[1].name, main.elements[1].text.to_s.gsub("'", "&#39;")]
      assert_match(/<html lang="(en|fr)">/, page)
    end
  end

  def test_a_name_with_a_tag_in_it_is_escaped
    refute_includes Page.new(:syncing, app: "<b>").to_s, "<b>"
  end

  private

  def pages = %i[en fr].product(%i[syncing expired incomplete]).map { |locale, state| Page.new(state, locale:, since: NOW, expected: NOW + 5, now: NOW).to_s }

  def ask(state, since: nil, expected: nil, **env)
    staging_config.locale = :en
    app = ->(_) { [200, {}, []] }
    ScalingoStagingSync::RackMiddleware.new(app, except: ["/up"], state: -> { state }, times: -> { Times.new(since:, expected:) }).call(env.transform_keys(&:to_s))
  end
end

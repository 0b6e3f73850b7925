# frozen_string_literal: true

require "test_helper"
require "json"
require "rake"

# The README's examples run, and it names what there is.
class ReadmeTest < Minitest::Test
  ROOT = File.expand_path("../..", __dir__)
  README = File.read("#{ROOT}/README.md")

  # Blocks that need a whole app are run in test/integration.
  ELSEWHERE = /^gem "|config\.middleware|Services::/

  def blocks(language)
    README.scan(/^( *)```#{language}\n(.*?)^\1```$/m).map { |indent, text| text.gsub(/^#{indent}/, "") }
  end

  def teardown = ScalingoStagingSync.hooks.clear

  def test_each_example_in_ruby_is_a_configuration_that_is_taken
    examples = blocks("ruby").grep_v(ELSEWHERE)
    assert_operator examples.size, :>, 4
    examples.each do |example|
      ScalingoStagingSync.reset_configuration!
      config = ScalingoStagingSync.configuration
      eval(example, binding, "README.md")
      assert_same config, ScalingoStagingSync.configuration
    end
  ensure
    ScalingoStagingSync.reset_configuration!
  end

  def test_each_example_in_json_is_json
    refute_empty blocks("json")
    blocks("json").each { |example| assert JSON.parse(example) }
  end

  def test_every_task_is_named_and_each_named_one_exists
    rake = Rake::Application.new
    Rake.with_application(rake) { load "#{ROOT}/lib/tasks/scalingo_staging_sync.rake" }
    tasks = rake.tasks.map(&:name).grep(/\Ascalingo_staging_sync:/)
    named = README.scan(/scalingo_staging_sync:[a-z]+(?::[a-z]+)*/).uniq - ["scalingo_staging_sync:install"]
    assert_empty named - tasks, "named, and not there"
    assert_empty tasks - named - ["scalingo_staging_sync:install"], "there, and not named"
  end

  def test_everything_that_a_block_can_ask_its_report_is_named
    line = README[/^The blocks get a `ScalingoStagingSync::Report`.*$/]
    ScalingoStagingSync::Report.public_instance_methods(false).grep_v(/__RBS_TEST_/).each { |name| assert_includes line, "`#{name}`" }
  end

  def test_every_link_within_it_leads_somewhere
    anchors = README.scan(/^#+ (.+)$/).flatten.map { |title| title.downcase.gsub(/[^\w\- ]/, "").tr(" ", "-") }
    README.scan(/\]\(#([^)]+)\)/).flatten.each { |anchor| assert_includes anchors, anchor }
  end
end

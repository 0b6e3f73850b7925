# frozen_string_literal: true

require "test_helper"
require "json"
require "open3"
require "rake"
require "yaml"
require "active_support/core_ext/integer/time"
require "support/pages"
require_relative "../../rakelib/generated_docs"

# The documentation says nothing that is not so: its examples run, what it names is there, and its links lead somewhere.
class DocsTest < Minitest::Test
  ROOT = Pages::ROOT

  # Rails' own, Devise's and one that is read-only.
  OTHERS_OPTIONS = %i[action_mailer active_storage cache_store eager_load filter_parameters force_ssl middleware pepper target_app].freeze

  # Blocks whose first line names the app's file that they are for; those for its environments need a whole app, and are run in
  # test/integration, as are calls of the services.
  OF_A_FILE = %r{\A# (Gemfile|config/routes\.rb|config/environments/\S+)$}
  SERVICES = /Services::/

  def teardown
    ScalingoStagingSync.hooks.clear
    ScalingoStagingSync.reset_configuration!
  end

  def each_block(language, &)
    found = Pages.all.flat_map { |page| page.blocks(language).map { |block| [page, block] } }
    refute_empty found, language
    found.each(&)
  end

  def test_each_example_in_ruby_is_a_configuration_that_is_taken
    each_block("ruby") do |page, block|
      next if block.match?(OF_A_FILE) || block.match?(SERVICES)

      ScalingoStagingSync.reset_configuration!
      config = ScalingoStagingSync.configuration
      eval(block, binding, page.path)
      assert_same config, ScalingoStagingSync.configuration
      assert_equal [], config.problems, "#{page.path}:\n#{block}"
    end
  end

  def test_each_example_in_ruby_for_a_file_of_the_app_names_what_there_is
    checked = 0
    each_block("ruby") do |page, block|
      next unless block.match?(OF_A_FILE) || block.match?(SERVICES)

      assert RubyVM::InstructionSequence.compile(block), page.path
      block.scan(/ScalingoStagingSync(?:::[A-Z]\w*)+/).each { |name| assert Object.const_get(name), page.path }
      block.scan(/(ScalingoStagingSync(?:::[A-Z]\w*)+)\.new\.(\w+[!?]?)/).each do |name, method|
        assert_includes Object.const_get(name).public_instance_methods, method.to_sym, page.path
      end
      checked += 1
    end
    assert_operator checked, :>, 5
  end

  def test_each_example_in_json_and_yaml_can_be_read
    each_block("json") { |_, block| assert JSON.parse(block) }
    each_block("yaml") { |page, block| assert YAML.safe_load(block.gsub(/<%=.*?%>/, "erb"), aliases: true), page.path }
  end

  def test_each_example_in_shell_is_understood_by_a_shell
    each_block("bash") do |page, block|
      commands = block.match?(/^\$ /) ? block.lines.grep(/^\$ /).map { |line| line.delete_prefix("$ ") }.join : block
      errors, status = Open3.capture2e("bash", "-n", stdin_data: commands)
      assert_predicate status, :success?, "#{page.path}: #{errors}"
    end
  end

  def test_every_option_that_is_named_exists
    known = ScalingoStagingSync::Configuration.options.keys + OTHERS_OPTIONS
    Pages.all.each do |page|
      named = page.text.scan(/\bconfig\.([a-z][a-z_]+)/).flatten.map(&:to_sym).uniq
      assert_empty named - known, page.path
    end
  end

  def test_what_is_asked_of_a_report_can_be_asked
    Pages.all.each do |page|
      asked = page.text.scan(/\breport\.([a-z_]+\??)(?![\w(\[])/).flatten.uniq
      assert_empty asked.map(&:to_sym) - ScalingoStagingSync::Report.public_instance_methods, page.path
    end
  end

  def test_everything_that_a_block_can_ask_its_report_is_named
    line = Pages.page("docs/formats.md").text[/^The blocks get a `ScalingoStagingSync::Report`.*$/]
    ScalingoStagingSync::Report.public_instance_methods(false).grep_v(/__RBS_TEST_/).each { |name| assert_includes line, "`#{name}`" }
  end

  def test_every_link_leads_somewhere
    broken = Pages.linked.flat_map do |page|
      page.links.filter_map { |link| (problem = Pages.problem(page, link)) && "#{page.path}: #{link} #{problem}" }
    end
    assert_empty broken
  end

  def test_every_page_is_in_the_sites_table_of_contents_once
    listed = Pages.page("docs/SUMMARY.md").links
    assert_equal (Dir["*.md", base: "#{ROOT}/docs"] - ["SUMMARY.md"]).sort, listed.sort
  end

  def test_what_is_made_from_the_code_is_as_the_code_says
    %w[options errors ratios].each { |name| assert GeneratedDocs.current?(name), "#{name} differ: run `rake docs`" }
  end

  def test_every_error_class_and_every_variable_is_explained
    errors = Pages.page("docs/errors.md").text
    ObjectSpace.each_object(ScalingoStagingSync::Error.singleton_class) do |error|
      assert_includes errors, "| `#{error.name.split("::").last}` |"
    end
    variables = Pages.page("docs/options.md").text
    (VARIABLES + ScalingoStagingSync::Support::Variables::READERS.keys).each { |name| assert_includes variables, "`#{name}`" }
  end

  def test_no_page_speaks_of_what_others_have_heard_enough
    Pages.all.each { |page| refute_match(/\b(tells?|told|mends?|whoever|nobody)\b/i, page.prose, page.path) }
  end
end

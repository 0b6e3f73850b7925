# frozen_string_literal: true

require "test_helper"
require "rake"
require "support/pages"

# Each command of the documentation can be typed as it stands there: the tasks, programs, arguments, variables and options that
# it names exist.
class DocsCommandsTest < Minitest::Test
  ROOT = Pages::ROOT
  TASK = /\A(scalingo_staging_sync:[a-z]+(?::[a-z]+)*)(?:\[(.*)\])?\z/
  ASSIGNMENT = /\A([A-Z][A-Z_]+)=(.*)\z/m

  # What every generator of Rails' takes.
  RAILS_OPTIONS = %w[force pretend quiet skip].freeze

  def setup
    @rake = Rake::Application.new
    Rake.with_application(@rake) do
      Rake::Task.define_task(:environment)
      load "#{ROOT}/lib/tasks/scalingo_staging_sync.rake"
    end
  end

  def each_command
    found = Pages.all.flat_map { |page| page.commands.map { |command| [page, command] } }
    assert_operator found.size, :>, 60
    found.each { |page, command| yield page, command, Pages.words(command) }
  end

  def test_each_task_exists_and_takes_its_arguments_and_variables
    tasks = 0
    each_command do |page, command, words|
      before, after = words.slice_when { |_, word| word == "rake" }.to_a.then { |parts| [parts.first, parts.last] }
      next unless words.include?("rake") && (word = after.find { |candidate| candidate.match?(TASK) })

      variables = (before + after).filter_map { |assignment| assignment.match(ASSIGNMENT)&.captures }.to_h
      check(word, variables, "#{page.path}: #{command}")
      tasks += 1
    end
    assert_operator tasks, :>, 25
  end

  def test_each_program_of_this_repository_exists_and_has_the_flags
    each_command do |page, command, words|
      words.each_with_index do |word, index|
        next unless word.match?(%r{\A(bin|bench)/\w+\z}) && !command.include?("bin/rails")

        assert File.executable?("#{ROOT}/#{word}"), "#{page.path}: #{command}"
        usage = File.readlines("#{ROOT}/#{word}").take_while { |line| line.match?(/\A(#|\s*\z)/) }.join
        words.drop(index + 1).grep(/\A--/).each { |flag| assert_includes usage, flag, "#{page.path}: #{command}" }
      end
    end
  end

  def test_each_option_of_the_generator_exists
    # Read, not loaded: these tests share their process with others that want no Rails in it.
    generator = File.read("#{ROOT}/lib/generators/scalingo_staging_sync/install_generator.rb")
    known = generator.scan(/class_option :(\w+)/).flatten.map { |name| name.tr("_", "-") } + RAILS_OPTIONS
    each_command do |page, command, words|
      next unless (index = words.index("generate"))

      assert_equal "scalingo_staging_sync:install", words[index + 1], "#{page.path}: #{command}"
      assert_empty words.drop(index + 2).grep(/\A--/).map { |flag| flag.delete_prefix("--") } - known, "#{page.path}: #{command}"
    end
  end

  def test_every_task_is_on_the_page_of_operations_and_each_that_is_named_anywhere_exists
    tasks = @rake.tasks.map(&:name).grep(/\Ascalingo_staging_sync:/)
    Pages.all.each do |page|
      named = page.text.scan(/scalingo_staging_sync:[a-z]+(?::[a-z]+)*/).uniq
      assert_empty named - tasks, page.path
    end
    operations = Pages.page("docs/operations.md").text
    tasks.each { |name| assert_match(/^\| `#{name}[\[`]/, operations) }
  end

  private

  # As the task itself looks at what was typed for it.
  def check(word, variables, where)
    name, given = word.match(TASK).captures
    task = @rake.lookup(name)
    assert task, where
    assert_empty variables.keys - ScalingoStagingSync::Support::Variables::READERS.keys - ["DRY_RUN"], where
    arguments = Rake::TaskArguments.new(task.arg_names, given.to_s.split(","))
    line = variables.map { |variable, value| "#{variable}=#{value}" }
    rake = Struct.new(:top_level_tasks, :tasks) { def [](name) = tasks[name] }.new([word], @rake)
    ScalingoStagingSync::Terminal::CommandLine.new(task, arguments, rake:, line:,
                                                                    variables: ScalingoStagingSync::Support::Variables.new(variables)).check!
  rescue ScalingoStagingSync::Error => error
    flunk "#{where}\n#{error.message}"
  end
end

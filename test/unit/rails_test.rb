# frozen_string_literal: true

require "test_helper"
require_relative "../support/app_process"

# What needs a Rails app, each in a process of its own, so that the other tests stay without one.
class RailsTest < Minitest::Test
  include AppProcess

  def test_the_generator_writes_every_option_explained_and_the_file_loads
    in_app(format(TASK, "install")) do |output, status, directory|
      assert_predicate status, :success?, output
      assert_includes output, "scalingo_staging_sync:check"
      initializer = File.read("#{directory}/config/initializers/scalingo_staging_sync.rb")
      ScalingoStagingSync::Configuration.options.each_value do |option|
        assert_match(/^  (# )?config\.#{option.name} = #{Regexp.escape(option.example)}$/, initializer)
        assert_includes initializer, "Default: #{option.shown}"
      end
      assert_operator initializer.lines.map(&:length).max, :<, 125
      load "#{directory}/config/initializers/scalingo_staging_sync.rb"
      assert_equal "my-app-production", ScalingoStagingSync.configuration.clone_source_scalingo_app_name
    end
  end

  def test_a_dry_run_of_the_generators_task_writes_nothing
    in_app(format(TASK, "install"), "DRY_RUN" => "yes") do |output, status, directory|
      assert_predicate status, :success?, output
      refute_path_exists "#{directory}/config/initializers/scalingo_staging_sync.rb"
    end
  end

  def test_every_example_of_the_initializer_is_taken_by_its_option
    in_app(format(TASK, "install")) do |_, _, directory|
      require "active_support/core_ext/integer/time"
      initializer = File.read("#{directory}/config/initializers/scalingo_staging_sync.rb")
      with_env("SLACK_WEBHOOK_URL" => "https://hooks.example.com/x", "ANONYMIZATION_SECRET" => SECRET) do
        assignments = initializer.scan(/^  (?:# )?(config\.\w+ = .*)$/).flatten
        assignments.grep_v(/Rails\./).each do |line|
          config = ScalingoStagingSync.configuration
          eval(line, binding, __FILE__, __LINE__)
          refute_nil config
        end
      end
    end
  end

  def test_check_prints_its_lines_and_fails_where_something_does_not_hold
    in_app(format(TASK, "check"), "APP" => "shop-production") do |output, status, _|
      refute_predicate status, :success?
      assert_includes output, "FAILED  Production guard"
      assert_includes output, "passed  Key for pseudonyms: derived from secret_key_base."
    end
  end

  def test_run_ends_with_class_and_sentences_instead_of_a_backtrace
    in_app(format(TASK, "run"), "RAILS_ENV" => "production") do |output, status, _|
      assert_equal 1, status.exitstatus
      assert_includes output, "ScalingoStagingSync::Support::EnvironmentValidator::ProductionEnvironmentError: " \
                              "This looks like production, so nothing was touched: Rails.env is production."
      refute_includes output, "coordinator.rb"
    end
  end

  # What rake makes of a line, in the app.
  def line(*words, environment: {}, &)
    code = <<~RUBY
      Rails.application.initialize!
      require "rake"
      Rake.application.init("rake", #{words.inspect})
      Rails.application.load_tasks
      Rake.application.top_level
    RUBY
    in_app(code, environment, &)
  end

  def test_what_would_have_no_effect_on_rakes_line_ends_the_task_before_it_begins
    { ["scalingo_staging_sync:cleanup[60]"] => "takes no argument; \"60\" would have no effect.",
      ["scalingo_staging_sync:run[foo]"] => "takes no argument; \"foo\"",
      ["scalingo_staging_sync:run", "dry_run=1"] => "there is one named DRY_RUN.",
      ["scalingo_staging_sync:run", "DRY-RUN=1"] => "write DRY_RUN=true.",
      ["scalingo_staging_sync:status", "FORMAT=yaml"] => "Set FORMAT to text or json" }.each do |words, sentence|
      line(*words) do |output, status, _|
        assert_equal 1, status.exitstatus, output
        assert_equal ["ScalingoStagingSync::ConfigurationError"], output.scan(/ScalingoStagingSync::\w+Error/), words
        assert_includes output, sentence
        assert_includes output, "Nothing was touched."
      end
    end
  end

  MISTAKES = <<~RUBY
    require "fileutils"
    FileUtils.mkdir_p("config/initializers")
    File.write("config/initializers/sync.rb", <<~INITIALIZER)
      ScalingoStagingSync.configure do |config|
        config.slack_channel = 7
        config.anonymisation_tables = []
        config.pii_policy = "stop"
        config.exclude_table << "sessions"
      end
    INITIALIZER
  RUBY

  def test_an_initializer_with_mistakes_keeps_no_app_from_booting
    in_app("#{MISTAKES}Rails.application.initialize!\nputs :booted", "RAILS_ENV" => "production") do |output, status, _|
      assert_predicate status, :success?, output
      assert_includes output.lines(chomp: true), "booted"
    end
  end

  def test_every_task_says_the_mistakes_of_the_initializer_with_their_lines_and_no_backtrace
    { "run" => "ScalingoStagingSync::ConfigurationError", "scan" => "ScalingoStagingSync::ConfigurationError",
      "cleanup" => "ScalingoStagingSync::ConfigurationError", "check" => "FAILED  Configuration" }.each do |task, beginning|
      in_app(MISTAKES + format(TASK, task)) do |output, status, _|
        assert_equal 1, status.exitstatus
        said = output.lines.drop_while { |one| !one.start_with?(beginning) }.join
        ["config/initializers/sync.rb:3: There is no option config.anonymisation_tables; did you mean config.anonymization_tables?",
         "config/initializers/sync.rb:4: config.pii_policy was given \"stop\"",
         "config/initializers/sync.rb:5: There is no option config.exclude_table; did you mean config.exclude_tables?"].each do |expected|
          assert_includes said, expected, output
        end
        refute_match(/:in [`']/, output)
      end
    end
  end

  def test_rakes_own_dry_run_runs_no_task
    line("scalingo_staging_sync:run", "--dry-run") do |output, status, _|
      assert_predicate status, :success?, output
      assert_includes output, "(dry run) scalingo_staging_sync:run"
    end
  end

  def test_the_key_for_pseudonyms_follows_from_secret_key_base_alone
    code = "Rails.application.initialize!\nputs ScalingoStagingSync.configuration.anonymization_secret"
    secrets = %w[staging development].map { |name| in_app(code, "RAILS_ENV" => name) { |output, *| output[/^\h{64}$/] } }
    refute_nil secrets.first
    assert_equal secrets.first, secrets.last
  end

  def test_without_a_secret_key_base_the_missing_key_is_named
    in_app(format(TASK, "check"), "WITHOUT_SECRET" => "1", "SECRET_KEY_BASE" => nil) do |output, *|
      assert_includes output, "FAILED  Key for pseudonyms: There is no key to make pseudonyms with."
      assert_includes output, "config.anonymization_secret"
    end
  end

  def test_defaults_come_from_rails
    code = <<~RUBY
      Rails.application.initialize!
      config = ScalingoStagingSync.configuration
      puts config.temp_dir == Rails.root.join("tmp").to_s
      puts config.logger.equal?(Rails.logger)
    RUBY
    in_app(code) { |output, *| assert_equal %w[true true], output.lines(chomp: true).grep(/\A(true|false)\z/) }
  end
end

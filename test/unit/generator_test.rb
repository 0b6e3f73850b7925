# frozen_string_literal: true

require "test_helper"
require "json"
require "support/app_process"
require "support/terminal"

# The generator in a Rails app that has files of its own: what is there stays, with a terminal and without.
class GeneratorTest < Minitest::Test
  ROOT = File.expand_path("../..", __dir__)
  INITIALIZER = "config/initializers/scalingo_staging_sync.rb"
  OWN = "# my rules\n"
  SUNDAYS = ["--cron", "0 3 * * 0"].freeze
  OTHER_JOB = %({\n  "jobs": [\n    { "command": "0 7 * * * bin/newsletter" }\n  ]\n}\n)

  SCRIPT = <<~RUBY
    require "rails"
    require "scalingo-staging-sync"
    class ShopApp < Rails::Application
      config.root = Dir.pwd
      config.eager_load = false
      config.logger = Logger.new(File::NULL)
      config.secret_key_base = "a" * 64
    end
    Rails.application.initialize!
    if ARGV.first == "rake"
      require "rake"
      Rails.application.load_tasks
      Rake::Task["scalingo_staging_sync:install"].invoke(*ARGV.slice!(1..))
    else
      require "rails/generators"
      Rails::Generators.invoke("scalingo_staging_sync:install", ARGV.drop(1), destination_root: Rails.root, behavior: ARGV.first.to_sym)
    end
  RUBY

  # A folder with these files and the generator in it.
  def app(files = {})
    Dir.mktmpdir do |directory|
      Dir.chdir(directory) do
        files.each { |path, text| put(path, text) }
        File.write("generate.rb", SCRIPT)
        yield
      end
    end
  end

  def put(path, text)
    FileUtils.mkdir_p(File.dirname(path))
    File.write(path, text)
  end

  CLIENT = { "STAGING_SYNC_URL" => "https://staging.example.com/staging_sync", "STAGING_SYNC_TOKEN" => "t" * 64 }.freeze

  def test_rake_sets_up_either_side_as_the_generator_does
    app do
      generate("client", ".env", behavior: "rake", variables: CLIENT) do |output, status|
        assert status.success?, output
        assert_includes output, "rake scalingo_staging_sync:pull"
        assert_includes File.read(".env"), CLIENT["STAGING_SYNC_URL"]
      end
      generate("server", behavior: "rake") { |output, status| assert status.success? && output.include?("mount ScalingoStagingSync::Server.new"), output }
      refute_path_exists INITIALIZER
      generate("clients", behavior: "rake") do |output, status|
        assert_equal 1, status.exitstatus, output
        assert_includes output, "The task install takes client or server"
      end
    end
  end

  def test_for_a_client_the_variables_are_added_to_an_env_file_and_what_is_there_stays
    before = "# my own \xFF\nexport STAGING_SYNC_URL=mine\nOTHER=1".b
    app(".env" => before) do
      File.chmod(0o640, ".env")
      generate("--client", "--env-file", ".env", variables: CLIENT) do |output, status|
        assert status.success?, output
        assert_includes output, "rake scalingo_staging_sync:pull"
        assert_includes output, "Fill in STAGING_SYNC_SEAL_KEY there."
        assert_includes output, "Left as it stands there: STAGING_SYNC_URL."
        refute_includes output, "t" * 64
      end
      after = File.binread(".env")
      assert_equal before + "\nSTAGING_SYNC_TOKEN=#{"t" * 64}\n# STAGING_SYNC_SEAL_KEY=\n".b, after
      assert_equal 0o640, File.stat(".env").mode & 0o777
      generate("--client", "--env-file", ".env", variables: CLIENT) { |output, _| assert_match(/identical +\.env/, output) }
      assert_equal after, File.binread(".env")
      refute_path_exists INITIALIZER
    end
  end

  def test_a_new_env_file_is_readable_by_its_owner_alone
    app do
      generate("--client", "--env-file", ".env", variables: CLIENT) { |output, status| assert status.success?, output }
      assert_equal 0o600, File.stat(".env").mode & 0o777
      assert_equal %w[.env generate.rb], Dir.children(".").reject { |name| File.directory?(name) }.sort
    end
  end

  def test_for_a_server_it_says_what_to_set_for_the_environment_that_it_runs_in
    app do
      generate("--server") do |output, status|
        assert status.success?, output
        ["mount ScalingoStagingSync::Server.new", "config.server_enabled = true", 'config.publish_service = "amazon"', "(not on Scalingo)", "config.archive_file",
         "scalingo_staging_sync:token[ada]"].each { |words| assert_includes output, words }
        refute_includes output, "server_in_production"
      end
      generate("--server", variables: { "APP" => "shop-production" }) { |output, _| assert_includes output, "config.server_in_production = true" }
      refute_path_exists INITIALIZER
    end
  end

  def test_options_that_do_not_go_together_end_it_before_anything_is_written
    app do
      [["--env-file", ".env"], ["--server", "--env-file", ".env"], ["--client", *SUNDAYS], ["--server", "--detect"]].each do |options|
        generate(*options) { |output, status| assert_includes output, "Nothing was written.", "#{options} #{status}" }
      end
      refute_path_exists ".env"
      refute_path_exists INITIALIZER
      refute_path_exists "cron.json"
    end
  end

  VARIABLES_OF_APP = VARIABLES.to_h { |name| [name, nil] }.merge("RAILS_ENV" => "staging").freeze

  # Without a terminal, as in a container's build.
  def generate(*options, behavior: "invoke", input: "", variables: {})
    output, status = AppProcess.run(Dir.pwd, VARIABLES_OF_APP.merge(variables), script: "generate.rb", arguments: [behavior, *options], input:)
    assert_empty(output.lines.select { |line| line.include?("warning:") && line.include?(ROOT) }, "Ruby warns")
    yield output, status
  end

  def succeed(*options, **)
    generate(*options, **) do |output, status|
      assert_predicate status, :success?, output
      return output
    end
  end

  def fail_with(message, *options, **)
    before = files
    generate(*options, **) do |output, status|
      assert_equal 1, status.exitstatus, output
      assert_includes output, message
      refute_match(/\.rb:\d+:in/, output)
    end
    assert_equal before, files
  end

  def files
    Dir["**/*"].reject { |path| path.start_with?("tmp", "log") }.to_h { |path| [path, File.file?(path) ? File.read(path) : nil] }
  end

  # --- the initializer -----------------------------------------------------------------------------

  def test_an_initializer_that_is_there_stays_without_a_terminal
    app(INITIALIZER => OWN) do
      output = succeed(input: "y\n")
      assert_match(/skip\s+#{INITIALIZER}/, output)
      assert_includes output, "rails generate scalingo_staging_sync:install --force"
      assert_equal OWN, File.read(INITIALIZER)
    end
  end

  def test_an_initializer_that_is_there_stays_with_a_terminal_without_a_question
    app(INITIALIZER => OWN) do
      result = Terminal.run(*AppProcess::RUBY, "generate.rb", "invoke", environment: VARIABLES_OF_APP, directory: Dir.pwd)
      assert_predicate result.status, :success?, result.raw
      assert_includes result.raw, "skip"
      refute_includes result.raw, "Overwrite"
      assert_equal OWN, File.read(INITIALIZER)
    end
  end

  def test_with_dry_run_nothing_is_written
    app do
      variables = { "DRY_RUN" => "1" }
      fail_with("The variable DRY_RUN asks for a dry run, and the generator would write files. Give it --pretend, or remove DRY_RUN.", variables:)
      succeed("--pretend", variables:)
      succeed(behavior: "rake", variables:)
      refute_path_exists INITIALIZER
    end
  end

  def test_the_rake_task_leaves_an_initializer_as_it_is
    app(INITIALIZER => OWN) do
      assert_includes succeed(behavior: "rake"), "It is there already. To replace it"
      assert_equal OWN, File.read(INITIALIZER)
    end
  end

  def test_only_force_replaces_it
    app(INITIALIZER => OWN) do
      assert_match(/force\s+#{INITIALIZER}/, succeed("--force"))
      assert_includes File.read(INITIALIZER), "clone_source_scalingo_app_name"
    end
  end

  def test_pretend_writes_nothing_and_skip_says_no_more_than_that
    app("cron.json" => OTHER_JOB) do
      before = files
      output = succeed("--pretend", *SUNDAYS)
      assert_match(/create\s+#{INITIALIZER}/, output)
      assert_match(/update\s+cron\.json/, output)
      assert_equal before, files
    end
    app(INITIALIZER => OWN, "cron.json" => OTHER_JOB) do
      before = files
      succeed("--force", "--pretend", *SUNDAYS)
      assert_equal before, files
      output = succeed("--skip", *SUNDAYS)
      assert_match(/skip\s+#{INITIALIZER}.*skip\s+cron\.json/m, output)
      refute_includes output, "--force"
      assert_equal before, files
    end
  end

  def test_a_link_to_nowhere_is_not_written_through
    app do
      File.symlink("elsewhere.json", "cron.json")
      fail_with("cron.json cannot be read", *SUNDAYS)
      refute_path_exists "elsewhere.json"
    end
  end

  def test_rules_that_would_be_written_nowhere_are_not_looked_for
    app(INITIALIZER => OWN) { fail_with("scalingo_staging_sync:suggest` prints them; --force replaces the file.", "--detect", *SUNDAYS) }
  end

  def test_when_the_detection_fails_nothing_is_written
    app { fail_with("Nothing was written.", "--detect", *SUNDAYS) }
  end

  def test_a_directory_in_a_files_place_and_a_file_in_a_directorys_end_it
    app("cron.json/x" => "") { fail_with("cron.json is a directory") }
    app("config/initializers" => "") { fail_with("config/initializers is no directory", *SUNDAYS) }
  end

  # --- cron.json -----------------------------------------------------------------------------------

  def test_cron_writes_a_new_cron_json_and_says_when_it_counts
    app do
      output = succeed(*SUNDAYS)
      assert_match(/create\s+cron\.json/, output)
      assert_includes output, "Commit cron.json and deploy"
      assert_includes output, "give it config/environments/staging.rb"
      assert_includes output, "scalingo --app my-app-staging run bundle exec rake scalingo_staging_sync:check"
      assert_equal [{ "command" => "0 3 * * 0 bundle exec rake scalingo_staging_sync:run", "size" => "M" }],
                   JSON.parse(File.read("cron.json"))["jobs"]
      assert_path_exists INITIALIZER
    end
  end

  def test_cron_adds_the_run_to_other_jobs_once_and_leaves_the_initializer
    app(INITIALIZER => OWN, "cron.json" => OTHER_JOB) do
      assert_match(/update\s+cron\.json/, succeed(*SUNDAYS))
      once = File.read("cron.json")
      assert once.start_with?(OTHER_JOB.delete_suffix("\n  ]\n}\n")), once
      assert_match(/identical\s+cron\.json/, succeed(*SUNDAYS))
      assert_equal once, File.read("cron.json")
      assert_match(/identical\s+cron\.json/, succeed("--force", *SUNDAYS))
      assert_equal once, File.read("cron.json")
    end
  end

  def test_the_rake_task_takes_the_schedule_from_its_variable
    app("cron.json" => OTHER_JOB) do
      fail_with("cannot be used", behavior: "rake", variables: { "CRON" => "@weekly" })
      assert_match(/update\s+cron\.json/, succeed(behavior: "rake", variables: { "CRON" => "0 3 * * 0" }))
      jobs = JSON.parse(File.read("cron.json"))["jobs"].map { |job| job["command"] }
      assert_equal ["0 7 * * * bin/newsletter", "0 3 * * 0 bundle exec rake scalingo_staging_sync:run"], jobs
    end
  end

  def test_without_cron_no_cron_json_is_written
    app do
      assert_includes succeed, '--cron "0 3 * * 0"'
      refute_path_exists "cron.json"
    end
  end

  def test_a_misspelt_option_writes_nothing
    ["--crno", "--corn=0 3 * * 0", "--force-all", "-x"].each { |option| app { fail_with("Unknown switches", option, "0 3 * * 0") } }
  end

  def test_what_is_scheduled_already_is_not_recommended_again
    app do
      succeed(*SUNDAYS)
      refute_includes succeed, '--cron "0 3 * * 0"'
    end
    app("cron.json" => "{") { assert_includes succeed, '--cron "0 3 * * 0"' }
  end

  def test_where_cron_json_cannot_be_amended_nothing_is_written
    app("cron.json" => "{") { fail_with("cron.json is not JSON", *SUNDAYS) }
    app("cron.json" => OTHER_JOB) { fail_with('The schedule "@weekly" cannot be used', "--cron", "@weekly") }
    app { fail_with("cannot be used", "--cron") }
  end

  def test_undoing_it_leaves_cron_json_alone
    app("cron.json" => OTHER_JOB) do
      succeed(*SUNDAYS)
      scheduled = File.read("cron.json")
      succeed(*SUNDAYS, behavior: "revoke")
      refute_path_exists INITIALIZER
      assert_equal scheduled, File.read("cron.json")
    end
  end
end

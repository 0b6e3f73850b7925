# frozen_string_literal: true

require "json"
require "yaml"
require "erb"
require_relative "integration_helper"

# docs/scalingo.md: an app made by `rails new`, with exactly the files that the page shows, runs the main job.
class ScalingoPageTest < IntegrationTest
  ROOT = File.expand_path("../..", __dir__)
  PAGE = File.read("#{ROOT}/docs/scalingo.md")
  NEW_APP = %w[new shop --api --database=postgresql --skip-bundle --skip-git --skip-test --skip-keeps --skip-bootsnap --skip-dev-gems].freeze

  def blocks(language) = PAGE.scan(/^```#{language}\n(.*?)^```$/m).flatten

  # The one block that this stands in.
  def block(language, text)
    found = blocks(language).select { |block| block.include?(text) }
    assert_equal 1, found.size, text
    found.first
  end

  def test_an_app_with_exactly_the_files_of_the_page_runs_the_main_job
    staging = new_staging
    fake = fake_scalingo(app: "my-app-production")
    app = new_rails_app(staging, fake)
    checked = run_in(app, "bundle", "exec", "rake", "scalingo_staging_sync:check")
    assert_match(/^passed  cron\.json: 1 job, in UTC: 0 3 \* \* 0\.$/, checked)
    run_in(app, "bundle", "exec", "rake", "scalingo_staging_sync:run")
    assert_equal SHOP_USERS.to_s, staging.database.value("SELECT count(*) FROM users")
    assert_equal "[true, \"staging\", :test, :local]",
                 run_in(app, "bundle", "exec", "ruby", "-e", <<~RUBY).lines(chomp: true).last
                   require "./config/environment"
                   config = Rails.application.config
                   p [Rails.application.middleware.first.klass == ScalingoStagingSync::RackMiddleware, Rails.env.to_s,
                      config.action_mailer.delivery_method, config.active_storage.service]
                 RUBY
  end

  def test_each_block_is_what_it_says_it_is
    blocks("json").each { |block| assert JSON.parse(block) }
    blocks("ruby").each { |block| assert RubyVM::InstructionSequence.compile(block) }
    blocks("bash").each { |block| assert system("bash", "-n", "-c", block) }
    blocks("yaml").each { |block| assert_equal %w[staging], YAML.safe_load(ERB.new(block).result, aliases: true).keys }
  end

  def test_its_second_database_is_the_target_until_it_has_a_url_of_its_own
    text = block("yaml", "queue:")
    with_env("DATABASE_URL" => "postgres://db/app", "QUEUE_DATABASE_URL" => nil) { assert_equal "postgres://db/app", queue_url(text) }
    with_env("QUEUE_DATABASE_URL" => "postgres://db/queue") { assert_equal "postgres://db/queue", queue_url(text) }
  end

  def test_a_review_app_can_be_kept_from_filling_its_database
    line = block("ruby", "IS_REVIEW_APP")
    { "true" => [], nil => %w[staging] }.each do |value, environments|
      with_env("IS_REVIEW_APP" => value) do
        config = ScalingoStagingSync.configuration
        eval(line, binding, "docs/scalingo.md")
        assert_equal environments, config.allowed_environments
      end
    end
    assert_equal %w[env scripts], JSON.parse(block("json", "first-deploy")).keys
  end

  private

  def queue_url(text) = YAML.safe_load(ERB.new(text).result, aliases: true).dig("staging", "queue", "url")

  # The app as `rails new` makes it, with the page's files; the gem comes from this checkout.
  def new_rails_app(staging, fake)
    @environment = WatchedProcess::CLEAN.merge(RailsApp.variables_for(fake)).merge(
      "BUNDLE_SILENCE_ROOT_WARNING" => "1", "RAILS_ENV" => "staging", "RACK_ENV" => "staging", "APP" => "my-app-staging",
      "REGION_NAME" => "osc-fr1", "SECRET_KEY_BASE" => "0123456789abcdef" * 8, "DATABASE_URL" => staging.url,
      "SCALINGO_POSTGRESQL_URL" => staging.url, "CI" => nil, "RAILS_LOG_TO_STDOUT" => "enabled"
    )
    run_in(@directory, RbConfig.ruby, Gem.bin_path("railties", "rails"), *NEW_APP)
    app = path("shop")
    @environment["BUNDLE_GEMFILE"] = "#{app}/Gemfile"
    line = block("ruby", "# Gemfile\ngem \"scalingo-staging-sync\"\n").sub(/$(?=\n\z)/, ", path: #{ROOT.dump}")
    file("shop/Gemfile", "source \"https://rubygems.org\"\ngem \"rails\"\ngem \"pg\"\n#{line}")
    file("shop/config/environments/staging.rb", block("ruby", "require_relative \"production\""))
    file("shop/config/database.yml", blocks("yaml").first)
    file("shop/cron.json", block("json", "\"jobs\""))
    file("shop/config/initializers/scalingo_staging_sync.rb", block("ruby", "clone_source_scalingo_app_name"))
    run_in(app, "bundle", "install", "--local", "--quiet")
    app
  end

  def run_in(directory, *command)
    result = WatchedProcess.run(*command, environment: @environment, directory:)
    assert result.success?, "#{command.join(" ")} failed:\n#{result.output}"
    result.output
  end
end

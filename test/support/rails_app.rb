# frozen_string_literal: true

require "fileutils"
require "rbconfig"
require_relative "processes"

# A small but real Rails app on disk, with this gem in its Gemfile and nothing of Rails but ActiveRecord: what a
# team's staging app is to the gem. Its gems come from the machine, nothing is downloaded. Commands run in a
# process of their own, with the environment of a Scalingo container.
class RailsApp
  GEM_ROOT = File.expand_path("../..", __dir__)

  FILES = {
    "Gemfile" => <<~RUBY,
      source "https://rubygems.org"

      gem "railties"
      gem "activerecord"
      gem "pg"
    RUBY
    "Rakefile" => <<~RUBY,
      require_relative "config/application"
      Rails.application.load_tasks
    RUBY
    "bin/rails" => <<~RUBY,
      #!/usr/bin/env ruby
      APP_PATH = File.expand_path("../config/application", __dir__)
      require_relative "../config/boot"
      require "rails/commands"
    RUBY
    "config/boot.rb" => <<~RUBY,
      ENV["BUNDLE_GEMFILE"] ||= File.expand_path("../Gemfile", __dir__)
      require "bundler/setup"
    RUBY
    "config/application.rb" => <<~RUBY,
      require_relative "boot"
      require "rails"
      require "active_record/railtie"
      Bundler.require(*Rails.groups)

      module Shop
        class Application < Rails::Application
          config.load_defaults Rails::VERSION::STRING.to_f
          config.eager_load = false
          config.secret_key_base = ENV.fetch("SECRET_KEY_BASE")
          config.logger = ActiveSupport::Logger.new($stdout)
          config.log_level = :info
        end
      end
    RUBY
    "config/environment.rb" => <<~RUBY,
      require_relative "application"
      Rails.application.initialize!
    RUBY
    "config/environments/staging.rb" => <<~RUBY,
      Rails.application.configure do
        config.enable_reloading = false
      end
    RUBY
    "config/database.yml" => <<~YAML
      staging:
        adapter: postgresql
        url: <%= ENV["DATABASE_URL"] %>
    YAML
  }.freeze

  # The gem as it lies in this checkout, and the same in one group of the Gemfile.
  IN_DEFAULT_GROUP = "gem \"scalingo-staging-sync\", path: #{GEM_ROOT.dump}\n".freeze
  IN_GROUP = "group :staging do\n  #{IN_DEFAULT_GROUP}end\n".freeze

  attr_reader :directory, :environment

  # directory::    where to write it; must not exist yet
  # database_url:: the staging database
  # environment::  further variables, such as SCALINGO_API_TOKEN
  # gem::          the Gemfile's line for this gem
  def initialize(directory, database_url:, environment: {}, gem: IN_GROUP)
    @directory = directory
    @environment = WatchedProcess::CLEAN.merge(
      "BUNDLE_GEMFILE" => File.join(directory, "Gemfile"), "BUNDLE_SILENCE_ROOT_WARNING" => "1",
      "RAILS_ENV" => "staging", "RACK_ENV" => "staging", "APP" => "shop-staging", "REGION_NAME" => "osc-fr1",
      "SECRET_KEY_BASE" => "0123456789abcdef" * 8, "DATABASE_URL" => database_url,
      "SCALINGO_POSTGRESQL_URL" => database_url, "CI" => nil, "SCALINGO_API_TOKEN" => nil
    ).merge(environment)
    FILES.each { |path, text| write(path, text) }
    write("Gemfile", "#{FILES["Gemfile"]}#{gem}")
    FileUtils.mkdir_p(File.join(directory, "config/initializers"))
    must("bundle", "install", "--local", "--quiet")
  end

  # The variables by which the app finds a FakeScalingo.
  def self.variables_for(fake)
    { "SCALINGO_API_TOKEN" => fake.token, "SCALINGO_AUTH_URL" => fake.urls["auth"],
      "SCALINGO_API_URL" => fake.urls["api"], "SCALINGO_DB_URL" => fake.urls["database"] }
  end

  # Runs the gem's generator and returns what it printed.
  def generate(*options, environment: {})
    result = try_to_generate(*options, environment:)
    raise "the generator failed:\n#{result.output}" unless result.success?

    result.output
  end

  # The same, which may fail.
  def try_to_generate(*options, environment: {})
    WatchedProcess.run("bundle", "exec", "ruby", "bin/rails", "generate", "scalingo_staging_sync:install", *options,
                       environment: @environment.merge(environment), directory:)
  end

  # Configures the gem, after what the generator's initializer says. `body` is Ruby in which `config` is the
  # configuration.
  def configure(body)
    write("config/initializers/scalingo_staging_sync_shop.rb",
          "ScalingoStagingSync.configure do |config|\n#{body.gsub(/^(?=.)/, "  ")}end\n")
  end

  # Runs a rake task to its end.
  def rake(task, environment: {}) = start_rake(task, environment:).wait

  # Starts a rake task.
  def start_rake(task, environment: {})
    WatchedProcess.new("bundle", "exec", "rake", task, environment: @environment.merge(environment), directory:)
  end

  # Runs Ruby in the loaded app.
  def runner(ruby, environment: {})
    WatchedProcess.run("bundle", "exec", "ruby", "-e", "require './config/environment'; #{ruby}",
                       environment: @environment.merge(environment), directory:)
  end

  # Writes a file of the app.
  def write(path, text)
    full = File.join(directory, path)
    FileUtils.mkdir_p(File.dirname(full))
    File.write(full, text)
    File.chmod(0o755, full) if path.start_with?("bin/")
  end

  def read(path) = File.read(File.join(directory, path))

  private

  def must(*command)
    result = WatchedProcess.run(*command, environment: @environment, directory:)
    raise "#{command.join(" ")} failed:\n#{result.output}" unless result.success?

    result
  end
end

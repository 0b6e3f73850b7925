# frozen_string_literal: true

require "digest"
require "fileutils"
require "rbconfig"
require "tmpdir"
require_relative "preloaded"
require_relative "processes"

# A small but real Rails app on disk, with this gem in its Gemfile and nothing of Rails but ActiveRecord: what a
# team's staging app is to the gem. Its gems come from the machine, nothing is downloaded. Commands run in a
# process of their own, with the environment of a Scalingo container.
#
# What `bundle install` and the generator write is the same in every app with the same Gemfile, and is made once: in a run of
# the whole suite, where TEST_MADE names a folder for it, otherwise in the process.
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

  INITIALIZER = "config/initializers/scalingo_staging_sync.rb"
  private_constant :INITIALIZER

  # The folder of what was made once. A process that was forked here leaves it alone.
  def self.made
    @made ||= ENV.fetch("TEST_MADE") do
      Dir.mktmpdir("staging-sync-made").tap { |folder| Process.pid.then { |mine| at_exit { FileUtils.rm_rf(folder) if Process.pid == mine } } }
    end
  end

  attr_reader :directory, :environment

  # directory::    where to write it; must not exist yet
  # database_url:: the staging database
  # environment::  further variables, such as SCALINGO_API_TOKEN
  # gem::          the Gemfile's line for this gem
  # preloaded::    whether what runs to its end may come from a process that has Rails in memory, see Preloaded
  def initialize(directory, database_url:, environment: {}, gem: IN_GROUP, preloaded: false)
    @directory = directory
    @preloaded = preloaded
    @environment = WatchedProcess::CLEAN.merge(
      "BUNDLE_GEMFILE" => File.join(directory, "Gemfile"), "BUNDLE_SILENCE_ROOT_WARNING" => "1",
      "RAILS_ENV" => "staging", "RACK_ENV" => "staging", "APP" => "shop-staging", "REGION_NAME" => "osc-fr1",
      "SECRET_KEY_BASE" => "0123456789abcdef" * 8, "DATABASE_URL" => database_url,
      "SCALINGO_POSTGRESQL_URL" => database_url, "CI" => nil, "SCALINGO_API_TOKEN" => nil
    ).merge(environment)
    FILES.each { |path, text| write(path, text) }
    write("Gemfile", "#{FILES["Gemfile"]}#{gem}")
    FileUtils.mkdir_p(File.join(directory, "config/initializers"))
    install
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

  # Puts the initializer there that the generator writes without options.
  def generated
    once("initializer", INITIALIZER) { generate }
  end

  # Runs a rake task to its end.
  def rake(task, environment: {})
    preloaded(environment, script: "rake", arguments: [task]) || start_rake(task, environment:).wait
  end

  # Starts a rake task.
  def start_rake(task, environment: {})
    WatchedProcess.new("bundle", "exec", "rake", task, environment: @environment.merge(environment), directory:)
  end

  # Runs Ruby in the loaded app.
  def runner(ruby, environment: {})
    code = "require './config/environment'; #{ruby}"
    preloaded(environment, code:) ||
      WatchedProcess.run("bundle", "exec", "ruby", "-e", code, environment: @environment.merge(environment), directory:)
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

  def install
    once(Digest::SHA256.hexdigest(read("Gemfile")), "Gemfile.lock") { must("bundle", "install", "--local", "--quiet") }
  end

  # A file of the app that the block makes, unless it was made before under this name. Two processes may make it at once.
  def once(name, file)
    made = File.join(RailsApp.made, name)
    return write(file, File.read(made)) if File.exist?(made)

    yield
    File.write("#{made}.#{Process.pid}", read(file))
    File.rename("#{made}.#{Process.pid}", made)
  end

  def preloaded(environment, **what)
    Preloaded.run(directory, @environment.merge(environment), **what) if @preloaded
  end

  def must(*command)
    result = WatchedProcess.run(*command, environment: @environment, directory:)
    raise "#{command.join(" ")} failed:\n#{result.output}" unless result.success?

    result
  end
end

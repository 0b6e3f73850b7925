# frozen_string_literal: true

require_relative "integration_helper"
require_relative "../support/pages"
require "rubygems/package"
require "open3"

# Production boots however the Gemfile names the gem, and a loaded gem costs next to nothing there.
class BootTest < IntegrationTest
  ROOT = File.expand_path("../..", __dir__)
  PRODUCTION = { "RAILS_ENV" => "production", "RACK_ENV" => "production" }.freeze

  # What earlier versions of the generator and of the README have left in apps.
  OLD_INITIALIZER = <<~RUBY
    return unless defined?(ScalingoStagingSync)

    ScalingoStagingSync.configure do |config|
      config.clone_source_scalingo_app_name = "shop-production"
    end
  RUBY

  # A production app that loads everything at once, as production does.
  def production_app(gem, environment: {})
    RailsApp.new(path("app"), database_url: "postgres://127.0.0.1:1/none", environment: PRODUCTION.merge(environment), gem:).tap do |app|
      app.write("config/environments/production.rb", "Rails.application.configure { config.eager_load = true }\n")
      app.write("config/database.yml", app.read("config/database.yml").sub("staging:", "production:"))
      app.write("config/initializers/scalingo_staging_sync.rb", generated)
    end
  end

  # The initializer as the generator writes it.
  def generated
    self.class.instance_eval do
      @generated ||= begin
        require "rails/generators"
        require "generators/scalingo_staging_sync/install_generator"
        Dir.mktmpdir do |directory|
          ScalingoStagingSync::Generators::InstallGenerator.start(["--quiet"], destination_root: directory)
          File.read("#{directory}/config/initializers/scalingo_staging_sync.rb")
        end
      end
    end
  end

  def assert_boots(app, prints:, code: "puts \"the gem: \#{defined?(ScalingoStagingSync).inspect}\"")
    result = app.runner(code)
    assert result.success?, result.output
    assert_equal prints, result.output.lines(chomp: true).last, result.output
  end

  # The gem in an empty GEM_HOME, without its native part: production needs none.
  def installed_gem
    specification = Gem::Specification.load("#{ROOT}/scalingo-staging-sync.gemspec")
    specification.extensions = []
    specification.dependencies.reject! { |dependency| dependency.name == "rb_sys" }
    Gem::DefaultUserInteraction.use_ui(Gem::SilentUI.new) do
      Dir.chdir(ROOT) { Gem::Package.build(specification, true, false, path("packed.gem")) }
    end
    output, status = Open3.capture2e("gem", "install", "--local", "--no-document", "--ignore-dependencies",
                                     "--install-dir", path("gems"), path("packed.gem"))
    assert_predicate status, :success?, output
    { "GEM_PATH" => [path("gems"), *Gem.path].join(":") }
  end

  # --- the Gemfile's group is not loaded -----------------------------------------------------------

  def test_production_boots_where_the_group_of_a_gem_by_path_is_not_loaded
    app = production_app(RailsApp::IN_GROUP)
    app.write("config/initializers/old_one.rb", OLD_INITIALIZER)
    assert_boots(app, prints: "the gem: nil")
  end

  def test_production_boots_where_the_group_of_an_installed_gem_is_not_loaded
    app = production_app("gem \"scalingo-staging-sync\", group: :staging\n", environment: installed_gem)
    app.write("config/initializers/old_one.rb", OLD_INITIALIZER)
    assert_boots(app, prints: "the gem: nil")
  end

  def test_production_boots_where_the_group_was_not_even_installed
    app = production_app(RailsApp::IN_GROUP, environment: { "BUNDLE_WITHOUT" => "staging" })
    assert_boots(app, prints: "the gem: nil")
  end

  def test_production_boots_where_something_has_defined_no_more_than_the_gems_module
    app = production_app(RailsApp::IN_GROUP)
    app.write("config/boot.rb", "#{app.read("config/boot.rb")}module ScalingoStagingSync\n  VERSION = \"0.1.0\"\nend\n")
    assert_boots(app, prints: "the gem: \"constant\"")
  end

  # Those for config/environments stand outside of an environment here, which is just as hard.
  def test_production_boots_with_the_snippets_of_the_documentation
    app = production_app(RailsApp::IN_GROUP)
    snippets = Pages.all.flat_map { |page| page.blocks("ruby") }
    snippets = snippets.grep(/ScalingoStagingSync\.(configure|on)\b|register_strategy|RackMiddleware/).grep_v(/\Aconfig\.|^# within/)
    assert_operator snippets.size, :>=, 7
    snippets.each_with_index do |snippet, index|
      part = snippet[/^ *if defined.*?^ *end$/m]
      snippet = "Rails.application.configure do\n#{part}\nend\n" if part
      app.write("config/initializers/snippet_#{index}.rb", snippet)
    end
    assert_boots(app, prints: "the gem: nil")
  end

  # --- the gem is in the default group -------------------------------------------------------------

  def test_in_production_neither_the_native_library_nor_what_runs_is_loaded_and_nothing_is_inserted
    app = production_app(RailsApp::IN_DEFAULT_GROUP)
    assert_boots(app, prints: "[0, 0, 0, true]", code: <<~RUBY)
      mine = $LOADED_FEATURES.grep(%r{scalingo_staging_sync/})
      p [mine.grep(%r{/(services|database|testing|integrations|native)}).size,
         File.read("/proc/self/maps").scan(/scalingo_staging_sync\\.so/).size,
         Rails.application.middleware.count { |middleware| middleware.name.to_s.include?("ScalingoStagingSync") },
         mine.size <= 20]
    RUBY
  end

  def test_with_scalingos_own_rails_env_the_task_is_there_and_says_what_to_set
    app = production_app(RailsApp::IN_DEFAULT_GROUP)
    result = app.rake("scalingo_staging_sync:run")
    refute result.success?
    assert_includes result.output, "ProductionEnvironmentError"
    assert_includes result.output, "env-set RAILS_ENV=staging"
  end
end

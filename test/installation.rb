# frozen_string_literal: true

require "rubygems/package"
require_relative "integration/integration_helper"

# The built gems as a stranger has them: installed into an empty GEM_HOME, in the Gemfile of an app that `rails new`
# made, and run against Scalingo's API. `rake package:test` builds them and runs this; it compiles for minutes.
class InstallationTest < IntegrationTest
  ROOT = File.expand_path("..", __dir__)
  MEGABYTE = 1_000_000.0

  # What keeps a compiler from being found by the way.
  TOOLS = %w[cargo rustc rustup cc gcc clang make].freeze

  NEW_APP = %w[new shop --minimal --api --database=postgresql --skip-bundle --skip-git --skip-test --skip-keeps].freeze

  GEMFILE = <<~RUBY
    source "https://rubygems.org"

    gem "rails"
    gem "pg"
    gem "scalingo-staging-sync"
  RUBY

  STAGING = <<~RUBY
    require "active_support/core_ext/integer/time"

    Rails.application.configure do
      config.enable_reloading = false
      config.eager_load = true
      config.logger = ActiveSupport::Logger.new($stdout)
    end
  RUBY

  CONFIGURATION = <<~RUBY
    config.clone_source_scalingo_app_name = "shop-production"
    config.anonymization_tables = [
      { table: "users", strategy: :user_anonymization },
      { table: "phone_numbers", strategy: :phone_anonymization },
      { table: "payment_methods", strategy: :payment_anonymization },
      { table: "addresses", strategy: :address_anonymization },
      { table: "emails", strategy: :email_anonymization }
    ]
  RUBY

  def test_the_precompiled_gem_needs_no_compiler_and_runs_in_a_new_app
    gem = built_gem(precompiled: true)
    use_programs_without(TOOLS)
    specification = Gem::Package.new(gem).spec
    assert_empty specification.extensions
    refute_includes specification.runtime_dependencies.map(&:name), "rb_sys"
    assert_empty specification.files.grep(/\.rs\z|Cargo|extconf/)
    seconds = install(gem)
    libraries = installed("lib/**/*.{so,bundle}")
    refute_empty libraries
    libraries.each { |library| assert_library library }
    assert_operator File.size(gem), :<=, 8 * MEGABYTE * libraries.size
    assert_main_job_runs(loads: %r{\Ascalingo_staging_sync/\d\.\d/})
    report gem, seconds, libraries
  end

  def test_the_source_gem_compiles_leaves_no_build_products_and_runs_in_a_new_app
    gem = built_gem(precompiled: false)
    seconds = install(gem)
    libraries = Dir["#{home}/**/*.{so,bundle}"]
    refute_empty libraries
    libraries.each { |library| assert_library library }
    assert_empty libraries.grep(%r{/ext/})
    assert_empty installed("**/target")
    assert_operator size_on_disk, :<=, 40 * MEGABYTE
    assert_main_job_runs(loads: %r{\Ascalingo_staging_sync/scalingo_staging_sync\z})
    report gem, seconds, libraries
  end

  private

  def built_gem(precompiled:)
    version = ScalingoStagingSync::VERSION
    name = "scalingo-staging-sync-#{version}"
    found = Dir["#{ROOT}/pkg/#{name}*.gem"].select { |file| (File.basename(file) != "#{name}.gem") == precompiled }
    found.find { |file| Gem::Platform.match_spec?(Gem::Package.new(file).spec) } || flunk("there is no such gem in pkg/")
  end

  def home = path("gems")

  # Gems come from this machine; nothing is downloaded but what cargo compiles.
  def environment
    @environment ||= WatchedProcess::CLEAN.merge(
      "GEM_HOME" => home, "GEM_PATH" => Gem.path.join(":"), "BUNDLE_PATH" => nil, "BUNDLE_SILENCE_ROOT_WARNING" => "1",
      "RB_SYS_CARGO_PROFILE" => nil, "RB_SYS_GLOBAL_RUSTFLAGS" => nil, "CARGO_TARGET_DIR" => nil, "CI" => nil
    )
  end

  # A PATH with every program but these.
  def use_programs_without(names)
    FileUtils.mkdir_p(path("bin"))
    ENV.fetch("PATH").split(":").reverse_each do |folder|
      Dir["#{folder}/*"].each { |program| FileUtils.ln_sf(program, path("bin")) }
    end
    Dir["#{path("bin")}/*"].each do |program|
      File.delete(program) if names.any? { |name| File.basename(program).match?(/(\A|-)#{name}(-[\d.]+)?\z/) }
    end
    environment["PATH"] = path("bin")
  end

  def run_command(*command, directory: @directory)
    WatchedProcess.new(*command, environment:, directory:).wait(3600).tap do |result|
      assert result.success?, "#{command.join(" ")} failed:\n#{result.output}"
    end
  end

  def install(gem)
    FileUtils.mkdir_p(home)
    started = now
    run_command("gem", "install", "--local", "--no-document", gem)
    now - started
  end

  def now = Process.clock_gettime(Process::CLOCK_MONOTONIC)
  def installed(pattern) = Dir["#{home}/gems/scalingo-staging-sync-*/#{pattern}"]
  def size_on_disk = Dir["#{home}/**/*"].select { |file| File.file?(file) }.sum { |file| File.size(file) }

  # A library within its bounds, without debug information.
  def assert_library(library)
    assert_operator File.size(library), :<=, 14 * MEGABYTE, library
    refute File.binread(library).include?("\0.debug_line\0".b), "#{library} has line tables"
  end

  # A new app with the gem from its Gemfile and the gem's generator fills its staging database.
  def assert_main_job_runs(loads:)
    staging = new_staging
    make_app(staging, fake_scalingo)
    loaded = run_in_app("bundle", "exec", "ruby", "-e", <<~RUBY)
      require "./config/environment"
      puts ScalingoStagingSync::NativeLoader.load, Gem.loaded_specs.fetch("scalingo-staging-sync").full_gem_path
    RUBY
    assert_match loads, loaded.lines[-2].chomp
    assert_equal File.realpath(home), File.realpath(File.expand_path("../..", loaded.lines[-1].chomp))
    run_in_app("bundle", "exec", "rake", "scalingo_staging_sync:run")
    assert_equal SHOP_USERS.to_s, staging.database.value("SELECT count(*) FROM users")
    assert_nothing_raw staging.database
  end

  def make_app(staging, fake)
    run_command(RbConfig.ruby, Gem.bin_path("railties", "rails"), *NEW_APP)
    environment.merge!(RailsApp.variables_for(fake), "BUNDLE_GEMFILE" => path("shop/Gemfile"), "RAILS_ENV" => "staging",
                                                     "APP" => "shop-staging", "REGION_NAME" => "osc-fr1", "SECRET_KEY_BASE" => "0123456789abcdef" * 8,
                                                     "DATABASE_URL" => staging.url, "SCALINGO_POSTGRESQL_URL" => staging.url)
    file("shop/Gemfile", GEMFILE)
    file("shop/config/environments/staging.rb", STAGING)
    run_in_app("bundle", "install", "--local")
    run_in_app("bundle", "exec", "ruby", "bin/rails", "generate", "scalingo_staging_sync:install")
    file("shop/config/initializers/scalingo_staging_sync_shop.rb",
         "ScalingoStagingSync.configure do |config|\n#{CONFIGURATION.gsub(/^(?=.)/, "  ")}end\n")
  end

  def run_in_app(*command) = run_command(*command, directory: path("shop")).output

  def report(gem, seconds, libraries)
    puts format("\n%s: %.1f MB; installed in %.1f s, %.1f MB on disk, the library %.1f MB", File.basename(gem),
                File.size(gem) / MEGABYTE, seconds, size_on_disk / MEGABYTE, File.size(libraries.first) / MEGABYTE)
  end
end

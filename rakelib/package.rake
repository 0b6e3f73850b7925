# frozen_string_literal: true

require_relative "../ext/scalingo_staging_sync/requirements"
require_relative "native_gem"
require_relative "rubies"

# The gem's platform where `rake` runs, as releases name it: glibc is what "linux" stands for.
PLATFORM = Gem::Platform.local.then { |local| [local.cpu, local.os, local.version&.delete_prefix("gnu")] }
                        .reject { |part| part.to_s.empty? || part.to_s.match?(/\A\d/) }.join("-").freeze

# Compiles the library with another Ruby. Only rb_sys, which is Ruby alone, comes from this one's gems.
def compile_with(ruby, folder)
  mkdir_p folder, verbose: false
  rb_sys = Gem.loaded_specs.fetch("rb_sys").full_require_paths.flat_map { |path| ["-I", path] }
  variables = { "RB_SYS_CARGO_TARGET_DIR" => File.expand_path("target"), "RB_SYS_CARGO_PROFILE" => "release",
                "RB_SYS_GLOBAL_RUSTFLAGS" => ENV.fetch("RB_SYS_GLOBAL_RUSTFLAGS") }
  Bundler.with_unbundled_env do
    sh variables, ruby, *rb_sys, File.expand_path("ext/scalingo_staging_sync/extconf.rb"), chdir: folder
    sh variables, "make", chdir: folder
  end
  File.join(folder, File.basename(LIBRARY))
end

desc "Build the precompiled gem for this platform and each Ruby found here, into pkg/"
task :native do
  rubies = Rubies.found
  puts "Ruby #{rubies.keys.sort.join(", ")} on #{PLATFORM}"
  libraries = rubies.to_h { |minor, ruby| [minor, compile_with(ruby, "tmp/native/#{PLATFORM}/#{minor}")] }
  puts NativeGem.new(GEMSPEC, PLATFORM, libraries).build
end

# In a cross-compiling container, which calls `rake native:PLATFORM gem`.
if (target = ENV.fetch("RUBY_TARGET", nil))
  task "native:#{target}" => "compile:scalingo_staging_sync:#{target}" do
    libraries = ENV.fetch("RUBY_CC_VERSION").split(":").to_h do |version|
      [version[/\A\d+\.\d+/], Dir["tmp/#{target}/scalingo_staging_sync/#{version}/scalingo_staging_sync.{so,bundle}"].first]
    end
    puts NativeGem.new(GEMSPEC, target, libraries).build
  end
end

# What a cross-compiling container calls besides.
task gem: :build

namespace :package do
  desc "Install the source gem and the precompiled one into an empty GEM_HOME and run the main job from a new Rails app"
  task test: %i[build native] do
    with_postgres(RbConfig.ruby, "-w", "-Ilib", "-Itest", "test/installation.rb")
  end
end

# frozen_string_literal: true

# Writes the Makefile that has cargo compile the native part: for RubyGems and Bundler, which run it in this folder,
# and for `rake compile`, which runs it elsewhere.

require_relative "requirements"

# The cross-compiling container has all of it, for other platforms than its own.
complaint = Requirements.new.complaint unless ENV.key?("RUBY_TARGET")
abort complaint if complaint

require "mkmf"
require "rb_sys/mkmf"

installing = File.realpath(Dir.pwd) == File.realpath(__dir__)

create_rust_makefile("scalingo_staging_sync/scalingo_staging_sync") do |config|
  # Otherwise rb_sys runs a script from the internet where there is no cargo.
  config.auto_install_rust_toolchain = false
  config.clean_after_install = installing
  next unless installing

  # The versions that were tested, and a library without what only its developers read.
  config.extra_cargo_args = ["--locked"]
  config.env = { "CARGO_PROFILE_RELEASE_DEBUG" => "none", "CARGO_PROFILE_RELEASE_STRIP" => "symbols" }
  config.rubygems_clean_dirs += ["target", "$(DLLIB)"]
end

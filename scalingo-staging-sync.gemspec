# frozen_string_literal: true

# Read, not loaded: Bundler evaluates this file in every app that has the gem by `path:` or `git:`, also where the gem
# itself is not loaded, and there nothing may define its module.
version = File.read(File.join(__dir__, "lib/scalingo_staging_sync/version.rb"), encoding: "UTF-8")[/VERSION = "(.+)"/, 1]

Gem::Specification.new do |spec|
  spec.name = "scalingo-staging-sync"
  spec.version = version
  spec.summary = "Copies a Scalingo production database into staging, masked while it streams past"
  spec.description = <<~TEXT
    One rake task fills a Rails app's staging database on Scalingo with last night's production data, with
    everything personal in it replaced before it arrives. It reads the backup that Scalingo already keeps, needs
    no PostgreSQL client and no disk, and refuses to run against production.
  TEXT
  spec.authors = ["The scalingo-staging-sync authors"]
  spec.homepage = "https://github.com/navidemad/scalingo-staging-sync"
  spec.license = "MIT"
  spec.required_ruby_version = ">= 3.3"
  spec.metadata = {
    "source_code_uri" => spec.homepage,
    "documentation_uri" => "#{spec.homepage}/blob/main/docs/README.md",
    "changelog_uri" => "#{spec.homepage}/blob/main/CHANGELOG.md",
    "cargo_crate_name" => "scalingo_staging_sync",
    "rubygems_mfa_required" => "true"
  }

  # Of a crate, what it is compiled from; its tests, what they share, examples and fuzz targets stay behind.
  spec.files = Dir.chdir(__dir__) do
    crates = Dir["ext/**/Cargo.toml"].grep_v(%r{/(fuzz|target)/}).map { |manifest| File.dirname(manifest) }
    files = Dir[
      "lib/**/*.{rb,rake,tt,erb,css,yml}", "sig/**/*.rbs",
      "Cargo.{toml,lock}", "ext/scalingo_staging_sync/*.rb",
      *crates.map { |crate| "#{crate}/{Cargo.toml,build.rs,src/**/*}" },
      "docs/**/*.{md,svg}", "README.md", "CHANGELOG.md", "LICENSE.txt"
    ]
    files.select { |path| File.file?(path) }.grep_v(%r{/(tests/.*|tests\.rs|testing\.rs)\z})
  end
  spec.require_paths = ["lib"]
  spec.extensions = ["ext/scalingo_staging_sync/extconf.rb"]

  spec.add_dependency "activerecord", ">= 7.2"
  spec.add_dependency "activesupport", ">= 7.2"
  spec.add_dependency "railties", ">= 7.2"
  spec.add_dependency "rb_sys", "~> 0.9.87"
  spec.add_dependency "zeitwerk", ">= 2.6.8"
end

# frozen_string_literal: true

# The documentation: the parts generated from the code, and the static site.

desc "Write what the documentation says of options, masks, errors and ratios anew"
task :docs do
  $LOAD_PATH.unshift(File.expand_path("../lib", __dir__))
  require "scalingo_staging_sync"
  require_relative "generated_docs"
  GeneratedDocs.write
end

namespace :docs do
  desc "Build the documentation's site into tmp/site, with mdBook"
  task(:site) { sh "bin/docs" }

  desc "Record a run for the README's picture anew"
  task(:recording) { sh "bin/with-postgres", RbConfig.ruby, "demo/recording.rb" }
end

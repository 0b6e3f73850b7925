# frozen_string_literal: true

# Runs the engine with the settings in the JSON file that is the first argument, and prints what happens as lines
# of JSON. A program of its own, so that a test can send it signals. See Engine.start.

require "json"
require "scalingo_staging_sync"

$stdout.sync = true
begin
  ScalingoStagingSync::Native.run(JSON.parse(File.read(ARGV.fetch(0)))) { |event| puts JSON.generate(event) }
  puts JSON.generate(done: true)
rescue ScalingoStagingSync::Error => error
  puts JSON.generate(error: error.class.name, message: error.message)
  exit 1
end

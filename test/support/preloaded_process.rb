# frozen_string_literal: true

# The other side of Preloaded. It loads Rails, then reads requests, a line of JSON each, and forks for each of them. It answers
# with the child's process id, and, once that has ended, with its exit status and the signal that ended it.

require "json"
require "rake"
require "rails"

# What an app without a database loads of its gems when it starts, or its generator.
module BareAhead
  FILES = %w[action_controller active_support/all active_support/reloader rails/application/configuration rails/generators zeitwerk].freeze

  module_function

  def load = FILES.each { |file| require file }
end

# What else every app loads of its gems when it starts, until ActiveRecord::Base. That one and what else runs the hooks of an
# app's initializers, or adds initializers, is the app's to load.
module AppAhead
  FILES = %w[
    active_record/railtie
    action_view action_view/helpers active_support/all active_support/reloader active_support/file_update_checker
    rails/application/configuration rails/source_annotation_extractor pg ripper zeitwerk
  ].freeze
  ADAPTER = "active_record/connection_adapters/postgresql_adapter"
  LATER = %i[Base Encryption FixtureSet TestFixtures TestDatabases DestroyAssociationAsyncJob].freeze

  module_function

  # ActiveRecord::Relation first: its parts cannot be loaded before it.
  def load
    FILES.each { |file| try { require file } }
    [:Relation, *(ActiveRecord.constants - LATER).sort].each { |name| try { ActiveRecord.const_get(name) } }
    require ADAPTER
    raise "An app's initializers would come too late." unless LATER.first(2).all? { |name| ActiveRecord.autoload?(name) }
  end

  # Another version of Rails may do without.
  def try
    yield
  rescue LoadError
    nil
  end
end

# What a child becomes.
class Child
  RAKE = Bundler.which("rake")
  # What `bundle exec` has set, from the same beginning. Each app has a Gemfile of its own.
  OF_APP, OF_ALL = ENV.select { |name, _| name.start_with?("BUNDLE", "GEM_", "RUBY", "PATH") }
                      .partition { |_, value| value == ENV.fetch("BUNDLE_GEMFILE") }.map(&:to_h)

  def initialize(request)
    @request = request
    @program = request["script"].then { |script| (script == "rake") ? RAKE : script }
  end

  # Runs what was asked for, in this process, as Ruby itself would.
  def run
    variables = @request["variables"]
    ENV.replace(variables.merge(OF_ALL, OF_APP.transform_values { variables["BUNDLE_GEMFILE"] }))
    $stdin.reopen(input)
    $stdout.reopen(@request["output"], "a")
    $stderr.reopen($stdout)
    $stdout.sync = false
    srand
    Dir.chdir(@request["directory"])
    ARGV.replace(@request["arguments"])
    $PROGRAM_NAME = @program || "-e"
    @program ? load(@program) : eval(@request["code"], TOPLEVEL_BINDING, "-e", 1)
  end

  private

  def input
    return File::NULL unless @request["input"]

    reader, writer = IO.pipe
    writer.write(@request["input"])
    writer.close
    reader
  end
end

# Ruby says under -w what it thinks of Rails' code, too.
verbose = $VERBOSE
$VERBOSE = nil
{ "app" => AppAhead, "bare" => BareAhead }.fetch(ARGV.shift).load
$VERBOSE = verbose
Process.warmup
$stdout.sync = true
while (line = $stdin.gets)
  request = JSON.parse(line)
  child = fork { Child.new(request).run }
  puts child
  _, status = Process.wait2(child)
  puts JSON.generate([status.exitstatus, status.termsig])
end

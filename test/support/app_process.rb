# frozen_string_literal: true

require "open3"
require "tmpdir"
require_relative "preloaded"

# Tests of a Rails app without a database, each in a process of its own, so that the other tests stay without Rails.
module AppProcess
  ROOT = File.expand_path("../..", __dir__)
  RUBY = [RbConfig.ruby, "-w", "-I#{ROOT}/lib"].freeze

  # Under -w Ruby prints the room that the suite gives it (see Runner), and tests read all that is printed.
  WITHOUT_ROOM = ENV.keys.grep(/\ARUBY_GC_/).to_h { |name| [name, nil] }.freeze

  # Runs Ruby that loads Rails, with this gem beside it, to its end. Returns what it printed and how it ended.
  #
  # environment:: variables to set; nil removes one
  # script::      a program in the folder, or
  # code::        Ruby
  # input::       what it can read
  def self.run(directory, environment, script: nil, code: nil, arguments: [], input: "")
    environment = WITHOUT_ROOM.merge(environment)
    ended = Preloaded.run(directory, environment, command: RUBY, ahead: "bare", script:, code:, arguments:, input:)
    return [ended.output, ended.status] if ended

    Open3.capture2e(environment, *RUBY, *(code ? ["-e", code] : script), *arguments, stdin_data: input, chdir: directory)
  end

  # Runs code in a Rails app without a database, in the environment staging.
  def in_app(code, environment = {})
    Dir.mktmpdir do |directory|
      script = <<~RUBY
        require "rails"
        require "action_controller/railtie"
        require "scalingo-staging-sync"
        class ShopApp < Rails::Application
          config.root = #{directory.inspect}
          config.eager_load = false
          config.logger = Logger.new(File::NULL)
          config.secret_key_base = "a" * 64 unless ENV["WITHOUT_SECRET"]
        end
        #{code}
      RUBY
      variables = TestHelpers::VARIABLES.to_h { |name| [name, nil] }.merge("RAILS_ENV" => "staging", "VERBOSE" => nil).merge(environment)
      output, status = AppProcess.run(directory, variables, code: script)
      mine = output.lines.select { |line| line.include?("warning:") && line.include?(ROOT) }
      assert_empty mine, "Ruby warns"
      yield output, status, directory
    end
  end

  TASK = <<~RUBY
    Rails.application.initialize!
    require "rake"
    Rails.application.load_tasks
    Rake::Task["scalingo_staging_sync:%s"].invoke
  RUBY
end

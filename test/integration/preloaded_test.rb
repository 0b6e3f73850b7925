# frozen_string_literal: true

require_relative "integration_helper"

# What the suite's tasks find in a process that has Rails in memory is what they find in one that starts from scratch.
class PreloadedTest < IntegrationTest
  CONFIGURATION = "config.clone_source_scalingo_app_name = \"shop-production\"\n"

  # Before the app is loaded, and after.
  LOOK = <<~RUBY
    ENV.except("TEST_PRELOADED").sort.each { |variable| p variable }
    p Dir.pwd, $PROGRAM_NAME, ARGV, $stdin.read, $stdout.tty?, $VERBOSE, Encoding.default_external
    p defined?(ScalingoStagingSync), defined?(ScalingoStagingSync::Native), defined?(Rails) && Rails.application, Thread.list.size
    require_relative "config/environment"
    p Rails.env, Rails.root.to_s, Rails.application.class, Rails.application.config.active_record.to_h.keys.sort
    p ActiveRecord::Base.connection_db_config.database, ScalingoStagingSync.configuration.clone_source_scalingo_app_name
    p Process.getpgrp == Process.getpgid(Process.ppid), Bundler.default_gemfile.basename.to_s
    warn "to the other stream"
    at_exit { puts "at its end" }
  RUBY

  # Twice, since the first of an app's Gemfile starts from scratch by itself.
  def both_ways(app)
    scratch = with_env("TEST_PRELOADED" => "no") { yield app }
    yield app
    [scratch, yield(app)].map { |result| [result.status.exitstatus, result.status.termsig, result.success?, result.output.lines.sort] }
  end

  def test_a_task_finds_the_process_that_it_would_find_if_it_started_from_scratch
    app, = new_app
    app.write("Rakefile", "#{LOOK}#{app.read("Rakefile")}")
    scratch, preloaded = both_ways(app) { app.rake("scalingo_staging_sync:status", environment: { "MARK" => "é" }) }
    assert_includes scratch.last, "at its end\n"
    assert_equal [[], []], [scratch.last - preloaded.last, preloaded.last - scratch.last]
    assert_equal scratch, preloaded
  end

  def test_its_end_is_the_same_whether_it_succeeds_fails_raises_or_is_killed
    app, = new_app
    { "puts 1" => [0, nil], "exit 3" => [3, nil], "abort 'no'" => [1, nil], "exit!(4)" => [4, nil], "raise 'oops'" => [1, nil],
      "Process.kill(:TERM, Process.pid); sleep" => [nil, 15], "Process.kill(:KILL, Process.pid); sleep" => [nil, 9],
      "raise Interrupt" => [nil, 2] }.each do |code, ending|
      scratch, preloaded = both_ways(app) { app.runner("$stdout.sync = true; #{code}") }
      assert_equal [ending] * 2, [scratch.first(2), preloaded.first(2)], code
      assert_equal [scratch[2].inspect] * 2, [scratch, preloaded].map { |ended| ended[2].inspect }, code
    end
  end

  def test_what_ruby_reads_at_its_start_holds
    app, = new_app
    code = "p $VERBOSE, Encoding.find('locale')"
    2.times do
      assert_includes app.runner(code, environment: { "RUBYOPT" => "-w" }).output, "true\n"
      assert_includes app.runner(code, environment: { "LC_ALL" => "C", "LANG" => "C" }).output, "US-ASCII"
    end
  end
end

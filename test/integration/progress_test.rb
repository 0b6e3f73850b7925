# frozen_string_literal: true

require_relative "integration_helper"
require_relative "../support/terminal"

# How far a run is: bars on a terminal, lines elsewhere, through the rake task of a Rails app.
class ProgressInAnAppTest < IntegrationTest
  CONFIGURATION = <<~RUBY
    config.clone_source_scalingo_app_name = "shop-production"
    config.anonymization_tables = [
      { table: "users", strategy: :user_anonymization }, { table: "emails", strategy: :email_anonymization }
    ]
    config.logger = Logger.new("log.txt")
  RUBY

  # The lines of a run that has come to its end, which nothing may garble.
  LINES = [/^Finding the backup\.$/, /^Loading rows, masked\.$/, /^public\.users: 3,000 rows, .* masked in .*$/, /^Analyzing and verifying\.$/,
           /^Done in .*; verified\.$/].freeze

  def test_a_terminal_shows_bars_and_its_lines_stay_whole
    shown = in_terminal(slow_app, TERM: "xterm-256color")
    assert_equal 0, shown.status.exitstatus, shown.raw
    [%r{^\S download +━.* of 9\d\d kB, .*/s, .* left$}, /^\S rows +\S* .*\d+ of \d+ tables, [\d,]+ rows/,
     /^\S indexes +\S* .*\d+ of \d+ indexes and keys/].each do |bar|
      assert(shown.seen.any?(bar), "#{bar.inspect} was not seen in:\n#{shown.seen.last(80).join("\n")}")
    end
    LINES.each { |line| assert_equal 1, shown.screen.grep(line).size, "#{line.inspect} in\n#{shown.screen.join("\n")}" }
    assert_empty shown.screen.grep(/━|─/), "a bar is left over"
    assert_match(/\e\[\d+m/, shown.raw)
  end

  def test_lines_of_a_logger_on_the_same_terminal_stay_whole_too
    app = slow_app("config.logger = ActiveSupport::TaggedLogging.new(Logger.new($stdout, formatter: ->(*, text) { \"\#{text}\\n\" }))\n")
    shown = in_terminal(app, TERM: "xterm-256color")
    assert_equal 0, shown.status.exitstatus, shown.raw
    LINES.each do |line|
      tagged = Regexp.new(line.source.sub("^", '^\[SCALINGO_STAGING_SYNC\] '))
      assert_equal 1, shown.screen.grep(tagged).size, "#{tagged.inspect} in\n#{shown.screen.join("\n")}"
    end
    assert(shown.seen.any?(/^\S rows .*━/))
  end

  def test_a_terminal_without_colours_a_narrow_one_and_a_dumb_one_are_honoured
    app = slow_app
    plain = in_terminal(app, TERM: "xterm", NO_COLOR: "1")
    refute_match(/\e\[[\d;]*m/, plain.raw)
    assert(plain.seen.any?(/^\S rows .*━/))
    narrow = in_terminal(app, TERM: "xterm", columns: 36)
    assert(narrow.seen.any?(/^\S rows +\d+ of \d+ tables/), narrow.seen.join("\n"))
    assert_empty narrow.seen.grep(/^\S (download|rows|table|indexes) /).reject { |line| line.length <= 36 }
    dumb = in_terminal(app, TERM: "dumb")
    refute_includes dumb.raw, "\e"
    [plain, narrow, dumb].each { |shown| assert_equal 0, shown.status.exitstatus, shown.raw }
  end

  def test_ctrl_c_removes_the_bars_and_says_what_is_left
    stopped = false
    shown = in_terminal(slow_app(hold_at: File.size(Shared.large_archive) * 7 / 10), TERM: "xterm") do |raw, pid|
      next if stopped || !raw.include?("Loading rows")

      stopped = true
      Process.kill(:INT, pid)
    end
    assert_equal 130, shown.status.exitstatus, shown.raw
    assert_equal 1, shown.screen.grep(/^The run was stopped \(SIGINT\)\. The target is incomplete/).size, shown.screen.join("\n")
    assert_empty shown.screen.grep(/━|─/)
  end

  # The terminal itself writes ^C where the cursor is.
  def test_ctrl_c_typed_at_the_terminal_leaves_no_stale_bar_however_narrow_it_is
    [60, 120].each do |columns|
      stopped = false
      shown = in_terminal(slow_app(hold_at: File.size(Shared.large_archive) * 7 / 10), TERM: "xterm", columns:) do |raw, _, keys|
        next if stopped || !raw.match?(/rows .*tables/)

        stopped = true
        keys.write("\u0003")
      end
      assert_equal 130, shown.status.exitstatus, shown.raw
      assert_includes shown.raw, "^C", "the terminal has echoed nothing"
      assert_empty shown.screen.grep(/━|─|^\S (download|rows|table|indexes) /), shown.screen.join("\n")
      assert_empty shown.seen.grep(/^\S (download|rows|table|indexes) /).reject { |line| line.length <= columns }
    end
  end

  def test_without_a_terminal_a_slow_run_says_where_it_is_and_draws_nothing
    app = slow_app(hold_at: File.size(Shared.large_archive) * 7 / 10)
    app.write("config/initializers/zz_beat.rb", <<~RUBY)
      ScalingoStagingSync::Terminal::ProgressReporter.send(:remove_const, :HEARTBEAT_EVERY)
      ScalingoStagingSync::Terminal::ProgressReporter::HEARTBEAT_EVERY = 0.3
    RUBY
    process = app.start_rake("scalingo_staging_sync:run")
    assert process.wait_for(/Still working, for .*: \d+ of \d+ tables, [\d,]+ rows/), process.output
    @fake.release
    result = process.wait
    assert result.success?, result.output
    refute_includes result.output, "\e"
    assert_match(/Building the remaining indexes and keys/, result.output)
  end

  def test_verbose_adds_the_small_steps
    app = slow_app
    refute_match(/INDEX|rows begin to arrive/, app.rake("scalingo_staging_sync:run").output)
    output = app.rake("scalingo_staging_sync:run", environment: { "VERBOSE" => "true" }).output
    [/^public\.users: rows begin to arrive\.$/, /^(INDEX|CONSTRAINT) \S+ .*in [\d.]+ m?s\.$/, /^\d+ tables with rows, then \d+ steps/].each do |line|
      assert_match line, output
    end
  end

  private

  def in_terminal(app, columns: 120, **variables, &)
    Terminal.run("bundle", "exec", "rake", "scalingo_staging_sync:run", directory: app.directory, columns:,
                                                                        environment: app.environment.merge("LANG" => "C.UTF-8", "NO_COLOR" => nil, **variables.transform_keys(&:to_s)), &)
  end

  # An app whose download takes some seconds.
  def slow_app(settings = "", **delivery)
    @fake = fake_scalingo(archive: Shared.large_archive, piece: 8192, pause: 0.05, **delivery)
    app = RailsApp.new(path("app-#{@fake.object_id}"), database_url: new_staging.url, environment: RailsApp.variables_for(@fake), preloaded: true)
    app.generated
    app.configure("#{CONFIGURATION}#{settings}")
    app
  end
end

# frozen_string_literal: true

require "test_helper"
require "active_record"
require "pty"

# What `check`, `status`, the plan and `scan` print on terminals of 60 and of 120 columns, and where there is none.
class TerminalLinesTest < Minitest::Test
  Lines = ScalingoStagingSync::Terminal::Lines
  WIDTHS = [60, 120].freeze

  # A terminal so many columns wide.
  class Screen < StringIO
    def initialize(columns)
      super(+"")
      @columns = columns
    end

    def tty? = true
    def winsize = [24, @columns]
  end

  LONG = "warehouse.subscription_invoices_with_a_name_that_goes_on_for_long"
  NOTE = "12 values of the kind email stand in the text of a function, which no rule reaches: change it in production, and run it again."
  PLAN = FakeNative::PREVIEW.merge(
    tables: [*FakeNative::PREVIEW[:tables],
             { table: LONG, action: "mask", columns: [{ name: "notes_of_the_accountant", mask: "one of the column's own values, drawn anew for each row" }],
               last_rows: 1_234_567, compressed_bytes: nil, rules: [{ rule: "Rule", sql: "UPDATE invoices SET a = '#{"x " * 60}'" }] }],
    warnings: [NOTE], not_valid: ["invoices_user_id_fkey of #{LONG}"], would_succeed: false,
    problems: [{ error: "ScalingoStagingSync::PlanError", what: "{ table: \"invoices\" } names the column \"total\", which is not in the backup.",
                 remedy: "Correct its name, or list the masks with `bundle exec rake scalingo_staging_sync:masks` before you go on." }]
  ).freeze

  def test_a_line_breaks_between_words_and_what_follows_is_indented
    assert_equal ["warning Name: #{(["word"] * 9).join(" ")}", "        #{(["word"] * 10).join(" ")}", "        word"],
                 Lines.new(60).wrap("warning Name: #{(["word"] * 20).join(" ")}", hang: 8)
  end

  def test_a_word_that_is_too_long_and_a_command_stay_whole
    assert_equal ["Run", "  `bundle exec rake scalingo_staging_sync:check`", "  now."], Lines.new(40).wrap("Run `bundle exec rake scalingo_staging_sync:check` now.")
    assert_equal ["https://example.com/#{"a" * 50}"], Lines.new(40).wrap("https://example.com/#{"a" * 50}")
  end

  def test_where_there_is_no_terminal_nothing_is_broken
    assert_nil Lines.width_of(StringIO.new)
    assert_nil Lines.width_of(Screen.new(0))
    assert_equal 30, Lines.width_of(Screen.new(3))
    assert_equal ["a " * 500], Lines.new(nil).wrap("a " * 500)
  end

  def test_the_width_is_that_of_the_terminal
    PTY.open { |_, terminal| assert_equal 77, Lines.width_of(terminal.tap { terminal.winsize = [24, 77] }) }
  end

  def test_the_plan_fits
    WIDTHS.each { |width| assert_fits plan(width), width, LONG, "UPDATE", "'" }
    assert_includes plan(120), "#{LONG}  1,234,567  masked\n"
    assert_includes plan(60), "#{LONG}\n#{" " * 25}1,234,567  masked\n"
    assert_equal(*[plan(60), plan(nil)].map { |text| text.split.grep_v(/\A-+\z/) })
  end

  def test_what_is_said_of_a_table_is_not_cut
    [*WIDTHS, nil].each { |width| [LONG, "1,234,567", "drawn anew for each row", "`bundle exec rake scalingo_staging_sync:masks`"].each { |said| assert_includes plan(width).gsub(/\s+/, " "), said } }
  end

  def test_check_fits
    WIDTHS.each do |width|
      ScalingoStagingSync.reset_configuration!
      screen = Screen.new(width)
      config = staging_config.tap { |one| one.seeds_file_path = "db/seeds/for_the_demonstrations_on_staging.rb" }
      ScalingoStagingSync::Testing::Tester.new(config:, output: screen, native: FakeNative.new).run
      assert_fits screen.string, width
      assert_includes screen.string, "\nFAILED  Configuration: The seeds file"
    end
  end

  def test_status_uses_the_width_that_there_is
    wide, narrow, none = [Screen.new(120), Screen.new(60), StringIO.new].map { |screen| status(screen) }
    assert_fits wide, 120
    assert_fits narrow, 60
    assert_equal narrow, none
    assert_operator wide.lines.size, :<, narrow.lines.size
    assert_equal wide.split, narrow.split
  end

  def test_the_table_of_a_scan_becomes_a_list_where_it_would_not_fit
    found = ScalingoStagingSync::PersonalData::Found.of(FakeNative::FOUND)
    wide, narrow = [120, 60].map { |width| ScalingoStagingSync::Terminal::FindingsText.new(found, width:).to_s }
    assert_match(/^public\.users\.email  email  contact  0\.97  both/, wide)
    assert_includes narrow, "public.users.email\n    kind email, heading contact, sure 0.97, found by both,\n    seen in 1,100 of 1,200, status uncovered\n"
    assert_fits narrow, 60
    assert_fits wide, 120
  end

  private

  def plan(width) = ScalingoStagingSync::Terminal::PreviewText.new(ScalingoStagingSync::Preview::Plan.of(PLAN), width:).to_s

  def status(output)
    history = StatusHistory.new(ScalingoStagingSync::Database::History::Run.of(
                                  { "run_id" => "r1", "mode" => "run", "status" => "complete", "started_at" => Time.utc(2026, 11, 28, 4), "source" => "Scalingo app shop, addon ad-1",
                                    "backup_id" => "5f8d0d55b54764421b7156c9", "backup_created_at" => "2020-11-28T02:00:00Z", "rows" => 12, "seconds" => 5.0 }
                                ))
    ScalingoStagingSync::Services::Status.new(output:, format: "text", history:, accesses: Quiet.new, journal: Quiet.new).print
    output.string
  end

  StatusHistory = Struct.new(:current) do
    def state = :complete
    def runs(...) = [current]
    def refused = { count: 2, started_at: Time.utc(2026, 11, 27), error_class: "PlanError" }
  end

  # A log in which nothing stands.
  class Quiet
    def lines(...) = []
    def wrong_tokens = { count: 0 }
  end

  # Every line fits, but for one with a word among `whole`, which is left whole.
  def assert_fits(text, width, *whole)
    long = text.lines(chomp: true).select { |line| line.length > width && whole.none? { |word| line.include?(word) } }
    assert_empty long, "on #{width} columns"
  end
end

# frozen_string_literal: true

require "test_helper"

# A clock that stands until it is moved.
class StandingClock
  attr_accessor :now

  def initialize = @now = 100.0
  def call = now
end

class ProgressTest < Minitest::Test
  def clock = @clock ||= StandingClock.new
  def progress = @progress ||= ScalingoStagingSync::Terminal::Progress.new(clock:)

  def take(seconds, event)
    clock.now += seconds
    progress.take(event)
  end

  def test_rows_are_counted_over_tables_that_overlap_and_none_is_counted_twice
    take(0, { event: "table_progress", table: "a", rows: 100, bytes: 1_000 })
    take(0, { event: "table_progress", table: "b", rows: 50, bytes: 500 })
    assert_equal [150, 1_500], [progress.rows.value, progress.bytes.value]
    take(0, { event: "table_loaded", table: "a", rows: 120, bytes: 1_200 })
    assert_equal [170, 1_700, 1, "b"], [progress.rows.value, progress.bytes.value, progress.tables, progress.table]
  end

  def test_a_rate_is_that_of_the_last_seconds
    21.times { |count| take(0.5, { event: "table_progress", table: "a", rows: count * 1_000, bytes: 0 }) }
    assert_in_delta 2_000, progress.rows.rate, 250
    40.times { |count| take(0.5, { event: "table_progress", table: "a", rows: 20_000 + (count * 100), bytes: 0 }) }
    assert_in_delta 200, progress.rows.rate, 30
  end

  def test_the_time_left_comes_from_the_download_and_else_from_the_last_run
    assert_nil progress.seconds_left
    take(0, { event: "planned", tables: 2, steps: 3, last_rows: { a: 10_000, b: 10_000 } })
    take(0, { event: "phase", phase: "rows" })
    10.times { |count| take(0.5, { event: "table_progress", table: "a", rows: count * 500, bytes: 0 }) }
    assert_in_delta 15.5, progress.seconds_left, 3
    assert_in_delta 5.5, progress.table_seconds_left, 2
    10.times { |count| take(0.5, { event: "downloaded", bytes: count * 10, total: 290 }) }
    assert_in_delta 10, progress.seconds_left, 2
  end

  def test_a_first_run_knows_no_rows_ahead
    take(0, { event: "planned", tables: 2, steps: 3, last_rows: { a: 10_000 } })
    take(0, { event: "phase", phase: "rows" })
    take(2, { event: "table_progress", table: "b", rows: 500, bytes: 0 })
    assert_operator progress.rows.rate, :>, 0
    assert_nil progress.seconds_left
    assert_nil progress.table_expected
  end

  def test_where_a_run_is_can_be_said_in_a_few_words
    assert_nil progress.summary
    take(0, { event: "planned", tables: 25, steps: 40, last_rows: {} })
    take(0, { event: "phase", phase: "rows" })
    take(2, { event: "table_loaded", table: "a", rows: 2_000, bytes: 4_000_000 })
    take(0, { event: "step_done", kind: "INDEX", name: "i", seconds: 1.0 })
    assert_equal "1 of 25 tables, 2,000 rows, 1,000 rows/s, 2.0 MB/s, 1 of 40 indexes and keys", progress.summary
  end
end

class ProgressBarsTest < Minitest::Test
  Bars = ScalingoStagingSync::Terminal::ProgressBars

  # What the native part would draw, written down.
  class Sheet
    attr_reader :bars, :calls

    def initialize
      @bars = {}
      @calls = []
    end

    def set(key, columns, position, length, title, words) = @bars[key] = [columns, position, length, title.strip, words]
    def remove(key) = @bars.delete(key)
    def hide = @calls << :hide
    def tick = @calls << :tick
  end

  def sheet = @sheet ||= Sheet.new
  def progress = @progress ||= ScalingoStagingSync::Terminal::Progress.new(clock: StandingClock.new)

  def draw(*events, columns: 100)
    bars = Bars.new(native: sheet, columns: -> { columns })
    events.each { |event| progress.take(event) }
    bars.draw(progress)
    bars
  end

  LOADING = [
    { event: "downloaded", bytes: 50_000_000, total: 200_000_000 },
    { event: "planned", tables: 25, steps: 40, last_rows: { "public.users": 1_000 } },
    { event: "phase", phase: "rows" },
    { event: "table_loaded", table: "public.accounts", rows: 10, bytes: 10 },
    { event: "table_progress", table: "public.users", rows: 400, bytes: 80_000 }
  ].freeze

  def test_download_rows_the_arriving_table_and_indexes_have_a_bar_each
    draw(*LOADING)
    assert_equal %w[download rows table steps], sheet.bars.keys
    assert_equal [24, 50_000_000, 200_000_000, "download", "50.0 MB of 200 MB"], sheet.bars["download"]
    assert_equal [24, 1, 25, "rows", "1 of 25 tables, 410 rows"], sheet.bars["rows"]
    assert_equal [24, 400, 1_000, "table", "public.users, 400 rows"], sheet.bars["table"]
    assert_equal [24, 0, 40, "indexes", "0 of 40 indexes and keys"], sheet.bars["steps"]
  end

  def test_what_is_over_disappears
    bars = draw(*LOADING)
    progress.take({ event: "downloaded", bytes: 200_000_000, total: 200_000_000 })
    progress.take({ event: "phase", phase: "keys" })
    progress.take({ event: "table_loaded", table: "public.users", rows: 1_000, bytes: 90_000 })
    bars.draw(progress)
    assert_equal %w[steps], sheet.bars.keys
    bars.finish
    assert_empty sheet.bars
  end

  def test_a_narrow_terminal_keeps_its_columns_for_the_words
    assert_equal [24, 24, 10, 10, 0], [0, 80, 79, 40, 39].map { |columns|
      draw(*LOADING, columns:)
      sheet.bars["rows"].first
    }
  end

  def test_a_table_that_no_last_run_knows_has_no_bar_but_words
    draw(*LOADING, { event: "table_progress", table: "public.new", rows: 400, bytes: 80_000 })
    assert_equal [0, 400, 0, "table", "public.new, 400 rows"], sheet.bars["table"]
  end

  def test_lines_are_written_while_the_bars_are_hidden
    bars = Bars.new(native: sheet)
    Bars.showing(bars) { Bars.aside { sheet.calls << :written } }
    assert_equal %i[hide written tick hide], sheet.calls
    refute Bars.tick
    assert_equal :alone, Bars.aside { :alone }
  end

  def test_bars_need_a_terminal_that_can_move_its_cursor
    screen = $stdout.dup
    def screen.tty? = true
    saved = $stdout
    $stdout = screen
    assert Bars.possible?(screen, environment: { "TERM" => "xterm" })
    refute Bars.possible?(screen, environment: { "TERM" => "dumb" })
    refute Bars.possible?(screen, environment: {})
    refute Bars.possible?(StringIO.new, environment: { "TERM" => "xterm" })
  ensure
    $stdout = saved if saved
  end
end

# frozen_string_literal: true

# What the demo prints: plain text, a chapter per part of the story, a line per step with how long it took.
class Screen
  WIDTH = 110

  def self.number(value) = value.to_s.gsub(/(\d)(?=(\d{3})+\z)/, '\1,')

  def self.megabytes(bytes) = format("%.1f MB", bytes / 1e6)

  def self.mebibytes(bytes) = format("%.1f MiB", bytes / (1024.0 * 1024))

  # Cuts a value to a width, and shows what a terminal would not.
  def self.clip(value, width)
    return "NULL" if value.nil?

    shown = value.gsub(/[[:cntrl:]]/, " ")
    (shown.length > width) ? "#{shown[0, width - 1]}…" : shown
  end

  # Broken between words.
  def self.wrapped(line) = line.gsub(/(.{1,#{WIDTH}})(?:\s+|\z)/, "\\1\n")

  # Seconds that the steps of the current chapter took.
  attr_reader :seconds_of_chapter

  def initialize(out = $stdout)
    @out = out
    @out.sync = true
  end

  def chapter(title)
    @seconds_of_chapter = 0.0
    @out.puts("", title, "-" * title.length)
  end

  def say(text) = @out.puts("  #{text}")

  # Does the block's work and says how long it took.
  def step(name)
    started = Process.clock_gettime(Process::CLOCK_MONOTONIC)
    yield
    took = Process.clock_gettime(Process::CLOCK_MONOTONIC) - started
    @seconds_of_chapter += took
    say(format("%-90s %6.1f s", name, took))
  end

  # A line of another program's output.
  def echo(line) = @out.puts("  | #{line.chomp}")

  # Lines of a file.
  def quote(text) = text.each_line { |line| @out.puts("    #{line.chomp}") }

  # Two rows with the same columns: what differs is marked.
  def side_by_side(title, before, after)
    name = before.keys.map(&:length).max
    width = (WIDTH - name - 10) / 2
    @out.puts("  #{title}")
    before.each do |column, value|
      mark = (value == after[column]) ? " " : ">"
      @out.puts("    #{column.ljust(name)}  #{Screen.clip(value, width).ljust(width)} #{mark} #{Screen.clip(after[column], width)}")
    end
    @out.puts
  end

  # A statement and whether it holds.
  def check(statement, holds) = say("#{holds ? "ok   " : "FAIL "} #{statement}")

  def verdict(holds)
    @out.puts("", holds ? "Everything holds." : "NOT everything holds: see the lines marked FAIL.")
  end
end

# frozen_string_literal: true

require "io/console"
require "pty"

# A terminal that a test looks at: it runs a command in a pty, and keeps what the command writes, both as it came and
# as a person would see it on the screen, lines that were drawn over gone.
class Terminal
  # What a command leaves.
  Result = Struct.new(:raw, :screen, :seen, :status, keyword_init: true)

  # columns:: how wide it is
  # typed::   what is typed at `prompt`
  # The block sees what came so far, the process and where to type.
  def self.run(*command, environment:, directory:, columns: 120, typed: nil, prompt: "to continue: ", &)
    raw = +""
    status = nil
    PTY.spawn(environment, *command, chdir: directory) do |output, keys, pid|
      output.winsize = [50, columns]
      begin
        loop do
          raw << output.readpartial(4096).force_encoding("UTF-8")
          yield raw, pid, keys if block_given?
          keys.write(typed) && (typed = nil) if typed && raw.include?(prompt)
        end
      rescue EOFError, Errno::EIO
        nil # the terminal's other end is closed
      end
      Process.wait(pid)
      status = $?
    end
    screen = Screen.new(columns)
    screen.write(raw.scrub("?"))
    Result.new(raw:, screen: screen.lines, seen: screen.seen, status:)
  end

  # As much of a terminal as progress bars need: text, carriage return, line feed, moving the cursor up and down,
  # clearing lines; colours are passed over.
  class Screen
    # Everything that stood in a line at some time, in the order in which it was finished.
    attr_reader :seen

    def initialize(columns)
      @columns = columns
      @rows = [+""]
      @row = @column = 0
      @seen = []
    end

    def lines = @rows.map(&:rstrip)

    def write(text)
      text.scan(/\e\[([0-9;?]*)([A-Za-z])|([\r\n])|([^\e\r\n]+)|\e/m) do |number, letter, control, plain|
        if letter then order(letter, number)
        elsif control then (control == "\r") ? @column = 0 : down(1)
        elsif plain then plain.each_char { |character| put(character) }
        end
      end
      note
    end

    private

    def order(letter, number)
      case letter
      when "A" then @row = [@row - [number.to_i, 1].max, 0].max
      when "B" then down([number.to_i, 1].max)
      when "G" then @column = [number.to_i - 1, 0].max
      when "K" then clear(number)
      when "J" then clear_below
      end
    end

    def clear(number)
      note
      (number == "2") ? @rows[@row] = +"" : @rows[@row].slice!(@column..)
    end

    def clear_below
      clear("")
      @rows[(@row + 1)..].each(&:clear)
    end

    def down(count)
      note
      count.times { @rows << +"" if (@row += 1) >= @rows.size }
    end

    def put(character)
      down(1) && @column = 0 if @column >= @columns
      line = @rows[@row]
      line << (" " * (@column - line.length)) if line.length < @column
      line[@column] = character
      @column += 1
    end

    def note
      line = @rows[@row].rstrip
      @seen << line unless line.empty? || @seen.last == line
    end
  end
end

# frozen_string_literal: true

require "io/console"

module ScalingoStagingSync
  module Terminal
    # Breaks lines between words, so that they fit a terminal: a word that is longer than a line, and a command between
    # backticks, stay whole, to be copied. Where there is no terminal, as in a log, nothing is broken.
    class Lines
      # What must stay on one line, a command or a word, with the spaces before it.
      PIECES = / *(?:\S*`[^`]*`\S*|\S+)/
      private_constant :PIECES

      # A narrower terminal is treated as this wide.
      LEAST = 30

      # @param output [IO] where lines go
      # @return [Integer, nil] how many columns it has; nil if it is no terminal, or does not say
      def self.width_of(output)
        columns = output.winsize.last if output.respond_to?(:winsize) && output.tty?
        [columns, LEAST].max if columns&.positive?
      rescue SystemCallError
        nil
      end

      # @return [Integer, nil] columns
      attr_reader :width

      # @param width [Integer, nil] columns; nil: no line is broken
      def initialize(width)
        @width = width
      end

      # @param line [String] a line, which may begin with spaces
      # @param hang [Integer] how much further what follows is indented
      # @return [Array<String>] it in lines
      def wrap(line, hang: 2)
        return [line] if fits?(line)

        further = " " * (line[/\A */].length + hang).clamp(0, [width - LEAST, 0].max)
        line.scan(PIECES).each_with_object([]) do |piece, lines|
          next lines << piece if lines.empty?

          (lines.last.length + piece.length <= width) ? lines.last << piece : lines << "#{further}#{piece.lstrip}"
        end
      end

      # @param lines [Array<String>] lines
      # @param hang [Integer] see {#wrap}
      # @return [Array<String>] all of them
      def wrap_all(lines, hang: 2) = lines.flat_map { |line| wrap(line, hang:) }

      # @param text [String] a line
      # @return [Boolean] whether it fits
      def fits?(text) = width.nil? || text.length <= width
    end
  end
end

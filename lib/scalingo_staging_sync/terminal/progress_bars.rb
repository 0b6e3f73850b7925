# frozen_string_literal: true

require "io/console"

module ScalingoStagingSync
  module Terminal
    # Bars on a terminal while the engine works: the download, the rows, the table that arrives, the indexes. They are
    # drawn by a library in the native part; what they say is decided here.
    #
    # One set of bars is on the screen at a time. Write lines to the terminal within {aside}.
    class ProgressBars
      include Support::Discreet

      # A terminal narrower than this, in columns, gets a short bar, and one of half that width none.
      NARROW = 80

      @lock = Monitor.new

      class << self
        # @param screen [IO, nil] where the bars would be drawn
        # @param environment [#[]] the environment variables
        # @return [Boolean] whether it is a terminal that can show bars
        def possible?(screen, environment: ENV)
          return false unless screen.equal?($stdout) && screen.respond_to?(:tty?) && screen.tty?

          !["", "dumb"].include?(environment["TERM"].to_s)
        end

        # Shows bars while the block runs.
        #
        # @param bars [ProgressBars, nil] which; nil: none
        # @return [Object] what the block returns
        def showing(bars)
          @lock.synchronize { @current = bars }
          yield
        ensure
          @lock.synchronize do
            bars&.finish
            @current = nil
          end
        end

        # @return [Boolean] whether there are bars
        def showing?
          !@current.nil?
        end

        # Clears the bars while the block writes to the terminal.
        #
        # @return [Object] what the block returns
        def aside
          @lock.synchronize do
            @current&.hide
            yield
          ensure
            @current&.tick
          end
        end

        # Shows that the run is alive.
        #
        # @return [Boolean] whether there are bars
        def tick
          @lock.synchronize do
            @current&.tick
            !@current.nil?
          end
        end

        # Draws what an event has changed.
        #
        # @param progress [Progress] how far the run is
        # @return [void]
        def draw(progress)
          @lock.synchronize { @current&.draw(progress) }
        end
      end

      # @param native [#set, nil] what draws; nil: the native library's bars
      # @param columns [#call] the terminal's width in columns
      # @param environment [#[]] the environment variables
      def initialize(native: nil, columns: -> { $stdout.winsize.last }, environment: ENV)
        @columns = columns
        colour = environment["NO_COLOR"].to_s.empty?
        @native = native || Native::Bars.new(colour, Encoding.default_external == Encoding::UTF_8)
        @shown = []
      end

      # @param progress [Progress] how far the run is
      # @return [void]
      def draw(progress)
        wanted = bars(progress)
        (@shown - wanted.keys).each { |key| @native.remove(key) }
        @shown = wanted.keys
        wanted.each { |key, (position, length, title, words)| set(key, position, length, title, words) }
      end

      # Hides the bars until the next call, so that others can write.
      #
      # @return [void]
      def hide
        @native.hide
      end

      # @return [void]
      def tick
        @native.tick
      end

      # Removes every bar.
      #
      # @return [void]
      def finish
        @shown.each { |key| @native.remove(key) }
        @shown = []
        @native.hide
      end

      private

      # The bars to draw: key => position, length (nil: unknown), title and words.
      def bars(progress)
        {
          "download" => (download(progress) if progress.download.value.positive?),
          "rows" => (rows(progress) if progress.tables_ahead.to_i.positive?),
          "table" => (table(progress) if progress.table),
          "steps" => (steps(progress) if progress.steps_ahead.to_i.positive? && loading?(progress)),
          "phase" => ([0, nil, "verify", "counting and checking"] if progress.phase == :verify)
        }.compact
      end

      def loading?(progress)
        %i[rows keys].include?(progress.phase)
      end

      def download(progress)
        done = progress.download.value
        total = progress.total
        return if total && done >= total

        amount = "#{Support::Figures.bytes(done)}#{" of #{Support::Figures.bytes(total)}" if total}"
        rate = progress.download.rate
        pace = "#{Support::Figures.bytes(rate)}/s" if rate >= 1
        left = (total - done) / rate if total && rate.positive?
        [done, total, "download", [amount, pace, progress.left_words(left)].compact.join(", ")]
      end

      def rows(progress)
        return unless progress.phase == :rows

        words = [progress.tables_words, *progress.rows_words, progress.left_words(progress.seconds_left)]
        [progress.tables, progress.tables_ahead, "rows", words.compact.join(", ")]
      end

      def table(progress)
        rows = progress.table_rows.value
        expected = progress.table_expected
        words = [progress.table, Support::Figures.counted(rows, "row"), *progress.pace(progress.table_rows),
                 progress.left_words(progress.table_seconds_left)]
        [rows, expected && [expected, rows].max, "table", words.compact.join(", ")]
      end

      def steps(progress)
        [progress.steps, [progress.steps_ahead, progress.steps].max, "indexes", progress.steps_words]
      end

      def set(key, position, length, title, words)
        @native.set(key, length ? width : 0, position, length || 0, title.ljust(8), words)
      end

      # Columns of a bar: what is left of a narrow terminal is for the words.
      def width
        columns = @columns.call
        return 24 if columns.zero? || columns >= NARROW # the terminal does not report its width

        (columns >= NARROW / 2) ? 10 : 0
      rescue SystemCallError
        0
      end
    end
  end
end

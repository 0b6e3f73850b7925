# frozen_string_literal: true

module ScalingoStagingSync
  module Terminal
    # How far a run is, counted from the engine's events: bytes downloaded, tables, rows, indexes, how fast, and how
    # much longer it may take. It prints nothing.
    class Progress
      # Seconds over which a rate is measured.
      WINDOW = 5.0

      # One growing amount: how much there is now, and how fast it grew lately.
      class Meter
        # @return [Numeric] how much there is
        attr_reader :value

        # @param clock [#call] the time in seconds
        def initialize(clock)
          @clock = clock
          @value = 0
          @marks = []
        end

        # The first value says where it begins.
        #
        # @param value [Numeric] how much there is now
        # @return [void]
        def value=(value)
          @value = value
          now = @clock.call
          @marks << [now, value] if @marks.empty? || now - @marks.last[0] >= WINDOW / 20
          @marks.shift while @marks.size > 2 && now - @marks[1][0] > WINDOW
        end

        # @return [Float] how much comes in a second; 0.0 while that is not known
        def rate
          began, first = @marks.first
          return 0.0 unless began

          seconds = @clock.call - began
          (seconds > 0.5) ? (value - first) / seconds.to_f : 0.0
        end
      end

      # @return [Symbol, nil] the phase, as the engine names it
      attr_reader :phase

      # @return [Integer] tables whose rows are in
      attr_reader :tables

      # @return [Integer] steps after the rows that are done: indexes, keys, triggers
      attr_reader :steps

      # @return [Integer, nil] tables that will come; nil until the plan is made
      attr_reader :tables_ahead

      # @return [Integer, nil] steps there will be; nil until the plan is made
      attr_reader :steps_ahead

      # @return [Integer, nil] bytes of the whole download, where the server said so
      attr_reader :total

      # @return [String, nil] the table that arrives
      attr_reader :table

      # @return [Meter] bytes downloaded
      attr_reader :download

      # @return [Meter] rows of all tables
      attr_reader :rows

      # @return [Meter] bytes of them
      attr_reader :bytes

      # @return [Meter] rows of {#table}
      attr_reader :table_rows

      # @param clock [#call] the time in seconds
      def initialize(clock: -> { Process.clock_gettime(Process::CLOCK_MONOTONIC) })
        @clock = clock
        @tables = @steps = 0
        @last_rows = {}
        @under_way = {}
        @done = { rows: 0, bytes: 0 }
        @download, @rows, @bytes, @table_rows = Array.new(4) { Meter.new(clock) }
      end

      # Takes one of the engine's events.
      #
      # @param event [Hash{Symbol => Object}] its name under :event
      # @return [void]
      def take(event)
        case event[:event].to_s
        when "phase"
          @phase = event[:phase].to_sym
          count if @phase == :rows
        when "downloaded" then took_download(event)
        when "planned"
          @tables_ahead, @steps_ahead = event.values_at(:tables, :steps)
          @last_rows = event[:last_rows].transform_keys(&:to_s)
        when "table_started" then took_rows({ rows: 0, bytes: 0, **event })
        when "table_progress" then took_rows(event)
        when "table_loaded" then table_done(event)
        when "step_done" then @steps += 1
        end
      end

      # @return [Integer, nil] rows that the arriving table had as of the last run
      def table_expected
        @last_rows[table]
      end

      # @return [Float, nil] estimated seconds until all rows are loaded, from the download or the last run; nil without either
      def seconds_left
        return if tables == tables_ahead

        remaining(download.value, total, download.rate) || remaining(rows.value, rows_expected, rows.rate)
      end

      # @return [Float, nil] the same for the table that arrives
      def table_seconds_left
        remaining(table_rows.value, table_expected, table_rows.rate)
      end

      # @return [String, nil] where the run is, in a few words; nil before the first row
      def summary
        return if rows.value.zero? && steps.zero?

        [tables_words, *rows_words, (steps_words if steps.positive?), left_words(seconds_left)].compact.join(", ")
      end

      # @return [String] such as "3 of 25 tables"
      def tables_words
        "#{tables}#{" of #{tables_ahead}" if tables_ahead} tables"
      end

      # @return [String] such as "12 of 40 indexes and keys"
      def steps_words
        "#{steps}#{" of #{steps_ahead}" if steps_ahead} indexes and keys"
      end

      # @return [Array<String>] how many rows, and how fast they come
      def rows_words
        [Support::Figures.counted(rows.value, "row"), *pace(rows, bytes)]
      end

      # @param rows [Meter] rows
      # @param bytes [Meter, nil] bytes
      # @return [Array<String>] what is known of their rates
      def pace(rows, bytes = nil)
        words = []
        words << "#{Support::Figures.count(rows.rate.round)} rows/s" if rows.rate >= 1
        words << "#{Support::Figures.bytes(bytes.rate)}/s" if bytes && bytes.rate >= 1
        words
      end

      # @param seconds [Numeric, nil] how long
      # @return [String, nil] it as words
      def left_words(seconds)
        "#{Support::Figures.seconds(seconds)} left" if seconds
      end

      private

      def took_download(event)
        @total = event[:total]
        download.value = event[:bytes]
      end

      def took_rows(event)
        unless table == event[:table]
          @table = event[:table]
          @table_rows = Meter.new(@clock)
        end
        table_rows.value = event[:rows]
        @under_way[event[:table]] = event.slice(:rows, :bytes)
        count
      end

      def table_done(event)
        @tables += 1
        @under_way.delete(event[:table])
        @table = nil if table == event[:table]
        %i[rows bytes].each { |unit| @done[unit] += event[unit].to_i }
        count
      end

      def count
        rows.value = @done[:rows] + @under_way.sum { |_, so_far| so_far[:rows] }
        bytes.value = @done[:bytes] + @under_way.sum { |_, so_far| so_far[:bytes] }
      end

      # Without a last run of every table nothing is known of all rows.
      def rows_expected
        @last_rows.values.sum if tables_ahead && @last_rows.size >= tables_ahead
      end

      def remaining(done, all, rate)
        (all - done) / rate if all && all > done && rate.positive?
      end
    end
  end
end

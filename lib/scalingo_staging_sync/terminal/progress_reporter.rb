# frozen_string_literal: true

require "active_support/core_ext/object/try" # which the next one needs and does not load
require "active_support/logger"
require "active_support/notifications"

module ScalingoStagingSync
  module Terminal
    # Says what a run does: through ActiveSupport::Notifications, which {LogSubscriber} makes the log of, and to the
    # terminal, with bars where that can show them. It takes the engine's events one by one, as {Native} yields them.
    #
    # Each event goes out as `NAME.scalingo_staging_sync`, with the engine's fields as its payload, :event being the
    # engine's own name for it, and :message and :level where it is worth a line in the log.
    #
    # With the variable VERBOSE the terminal shows the small steps too. Some platforms end a container that says nothing
    # for half an hour, so a quiet run says now and then that it is still there.
    class ProgressReporter
      include Support::Discreet

      # The tag of every line in the log.
      TAG = "SCALINGO_STAGING_SYNC"

      # Seconds between two lines on one download, or on one backup that is being made.
      REPEAT_EVERY = 15

      # Seconds of silence before a heartbeat line.
      HEARTBEAT_EVERY = 20

      # Where more tables than this come, those that take less than a second are small steps.
      MANY = 50

      # Seconds between two heartbeats of the bars.
      BEAT = 0.2

      # The engine's events by the name under which they go out; others keep their own.
      NAMES = {
        "backup_chosen" => "backup", "backup_pending" => "backup", "downloaded" => "download", "download_resumed" => "download",
        "planned" => "plan", "table_started" => "table", "table_progress" => "table", "table_loaded" => "table",
        "step_done" => "step"
      }.freeze

      PHASES = {
        backup: "Finding the backup",
        plan: "Reading the backup's table of contents",
        choice: "Choosing the rows of the subset",
        schema: "Emptying the target and creating the schema",
        rows: "Loading rows, masked",
        keys: "Building the remaining indexes and keys",
        verify: "Analyzing and verifying"
      }.freeze
      private_constant :PHASES

      # @param logger [Logger] where lines are logged
      # @param terminal [IO, nil] where they are shown; nil: nowhere
      # @param phases [Hash{Symbol => String}] what is done in phases, where it is not what a run does
      # @param verbose [Boolean] whether the terminal shows the small steps too
      # @param heartbeat_every [Numeric] seconds of silence after which a sign of life is given
      # @param bars [Boolean] whether progress is drawn as bars while the engine works
      def initialize(logger: ScalingoStagingSync.configuration.logger, terminal: $stdout,
                     phases: {}, verbose: Support::Variables.new.yes?("VERBOSE"), heartbeat_every: HEARTBEAT_EVERY,
                     bars: ProgressBars.possible?(terminal))
        @bars = bars
        @progress = Progress.new
        @terminal = terminal unless terminal && ActiveSupport::Logger.logger_outputs_to?(logger, terminal)
        @phases = PHASES.merge(phases)
        @verbose = verbose
        @heartbeat_every = heartbeat_every
        @lock = Mutex.new
        @last_words = now
        @repeated = {}
        @downloaded = false
      end

      # Takes one of the engine's events.
      #
      # @param event [Hash{Symbol => Object}] its name under :event, as `ext/engine/src/event.rs` lists them
      # @return [void]
      def call(event)
        payload = event.dup
        whole do
          @progress.take(event)
          ProgressBars.draw(@progress)
          send_out(event, payload)
        end
      end

      # @return [Proc] {#call}, to be given as a block
      def to_proc
        method(:call).to_proc
      end

      # @param text [String] what happens, for the log and the terminal
      # @return [void]
      def say(text)
        emit(:info, text)
      end

      # @param text [String] what the person in charge should know
      # @return [void]
      def warn(text)
        text = Support::Echo.clean(text)
        emit(:warn, text, shown: "Warning: #{text}")
      end

      # @param text [String] a small step, for the log's debug level
      # @return [void]
      def detail(text)
        emit(@verbose ? :info : :debug, text, shown: (text if @verbose))
      end

      # Runs the engine in the block, with bars on a terminal that can show them. While nothing else is said, the log
      # and other terminals hear now and then that it still runs, and how far it is.
      #
      # @return [Object] what the block returns
      def with_progress(&)
        with_heartbeat(-> { @progress.summary }) { ProgressBars.showing(@bars ? ProgressBars.new : nil, &) }
      end

      # Runs the block. While nothing else is said, log and terminal hear now and then that it still runs.
      #
      # @param summary [#call] how far it is, in a few words, or nil
      # @return [Object] what the block returns
      def with_heartbeat(summary = -> {})
        started = now
        pulse = Thread.new do
          loop do
            sleep(ProgressBars.tick ? BEAT : [@heartbeat_every / 4.0, 1].min)
            still_working(started, summary.call) if now - @last_words >= @heartbeat_every
          end
        end
        pulse.report_on_exception = false
        yield
      ensure
        pulse&.kill&.join
      end

      private

      # Bars show it.
      def still_working(started, summary)
        text = ["Still working, for #{Support::Figures.seconds(now - started)}", summary].compact.join(": ")
        emit(:info, "#{text}.", shown: ("#{text}." unless ProgressBars.showing?))
        @last_words = now
      end

      # A signal waits for the end of a line: Ruby's Logger swallows every exception that meets it while it writes,
      # also the one that is to end the run. It holds for signals that come by Thread#raise, as Services::Command's do.
      def whole(&)
        Thread.handle_interrupt(SignalException => :never, &)
      end

      def send_out(event, payload)
        ActiveSupport::Notifications.instrument("#{outward(event[:event])}.scalingo_staging_sync", payload) do
          Thread.current[:scalingo_staging_sync_event] = payload
          handler = :"on_#{event[:event]}"
          respond_to?(handler, true) ? send(handler, event) : detail(event.inspect)
        ensure
          Thread.current[:scalingo_staging_sync_event] = nil
        end
      end

      def emit(level, text, shown: text)
        whole { write_line(level, text, shown) }
      end

      def write_line(level, text, shown)
        line = { message: text, level: }
        if (event = Thread.current[:scalingo_staging_sync_event])
          event.merge!(line)
        else
          ActiveSupport::Notifications.instrument("message.scalingo_staging_sync", line)
        end
        @lock.synchronize do
          @last_words = now if shown || level != :debug
          show(shown) if shown
        end
      end

      # The terminal was closed: stop writing to it, and let the run go on.
      def show(text)
        return unless @terminal

        ProgressBars.aside do
          @terminal.puts(text)
          @terminal.flush
        end
      rescue Errno::EIO, Errno::EPIPE, Errno::ENXIO
        @terminal = nil
      end

      # The name under which an event goes out. One that this version does not know is a message.
      def outward(event)
        NAMES.fetch(event.to_s) { LogSubscriber::EVENTS.include?(event.to_s.to_sym) ? event : "message" }
      end

      def on_phase(event)
        say("#{@phases.fetch(event[:phase].to_sym) { event[:phase].to_s.capitalize }}.")
      end

      def on_backup_chosen(event)
        facts = [("of #{Support::Figures.moment(event[:created_at])}" if event[:created_at]),
                 (Support::Figures.bytes(event[:size]) if event[:size])].compact
        say("Backup #{[event[:id], *facts].join(", ")}.")
      end

      def on_backup_pending(event)
        now_and_then([:pending, event[:status]]) { say("Scalingo is making a backup (#{event[:status]}).") }
      end

      def on_downloaded(event)
        done, total = event.values_at(:bytes, :total)
        whole = !total.nil? && done >= total
        @repeated.delete(:downloaded) if whole && !@downloaded # the end is said in any case, and once
        @downloaded = whole
        now_and_then(:downloaded) do
          share = " of #{Support::Figures.bytes(total)} (#{done * 100 / total}%)" if total&.positive?
          rate = @progress.download.rate
          pace = ", #{Support::Figures.bytes(rate)}/s" if rate >= 1
          left = ", #{Support::Figures.seconds((total - done) / rate)} left" if pace && total && total > done
          text = "Downloaded #{Support::Figures.bytes(done)}#{share}#{pace}#{left}."
          emit(:info, text, shown: (text unless @bars))
        end
      end

      def on_planned(event)
        detail("#{Support::Figures.counted(event[:tables], "table")} with rows, then #{Support::Figures.counted(event[:steps], "step")} after them.")
      end

      def on_download_resumed(event)
        say("The download broke after #{Support::Figures.bytes(event[:bytes])} and goes on (#{event[:attempt]}).")
      end

      def on_table_started(event)
        detail("#{event[:table]}: rows begin to arrive.")
      end

      # The bars show it; the heartbeat logs all tables together.
      def on_table_progress(_event) = nil

      def on_table_loaded(event)
        facts = [Support::Figures.counted(event[:rows], "row"), Support::Figures.bytes(event[:bytes])]
        facts << "#{Support::Figures.counted(event[:masked], "value")} masked" if event[:masked].to_i.positive?
        rate = ", #{Support::Figures.count((event[:rows] / event[:seconds]).round)} rows/s" if event[:seconds] >= 1
        text = "#{event[:table]}: #{facts.join(", ")} in #{Support::Figures.seconds(event[:seconds])}#{rate}."
        (event[:seconds] < 1 && @progress.tables_ahead.to_i > MANY) ? detail(text) : say(text)
      end

      def on_step_done(event)
        detail("#{event[:kind]} #{event[:name]} in #{Support::Figures.seconds(event[:seconds])}.")
      end

      def on_warning(event)
        warn(event[:message])
      end

      # The first time, and then again only after a while.
      def now_and_then(subject)
        return if @repeated[subject] && now - @repeated[subject] < REPEAT_EVERY

        @repeated[subject] = now
        yield
      end

      def now
        Process.clock_gettime(Process::CLOCK_MONOTONIC)
      end
    end
  end
end

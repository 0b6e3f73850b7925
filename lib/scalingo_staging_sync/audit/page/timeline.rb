# frozen_string_literal: true

module ScalingoStagingSync
  module Audit
    class Page
      # The chart: phases and the longest tables, drawn against the run's time.
      class Timeline < Template
        # Tables drawn; more would be too thin to read. The list holds them all.
        DRAWN = 40

        # A phase or a table in the drawing: where its bar begins and how long it is, in percent, and how long it took.
        Bar = Data.define(:kind, :name, :left, :width, :seconds)

        # @return [Boolean] whether any time is known
        def any? = run.phases.any? && whole.positive?

        private

        # The length of the whole line in seconds.
        def whole
          @whole ||= [*run.phases, *run.tables].map { |part| part.started + part.seconds }.max.to_f
        end

        def longest = run.tables.max_by(DRAWN, &:seconds).sort_by(&:started)

        def bars
          [["phase", run.phases], ["table", longest]].flat_map do |kind, parts|
            parts.map do |part|
              Bar.new(kind:, name: named(kind, part.name), left: percent(part.started), width: percent(part.seconds), seconds: part.seconds)
            end
          end
        end

        def named(kind, name) = (kind == "phase") ? words.phase(name) : name

        def percent(seconds) = (seconds / whole * 100).round(2)

        def rest
          (run.tables.size > longest.size) ? words.say("technical.timeline_rest", drawn: longest.size, all: run.tables.size) : ""
        end
      end
    end
  end
end

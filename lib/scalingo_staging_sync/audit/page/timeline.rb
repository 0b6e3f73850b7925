# frozen_string_literal: true

module ScalingoStagingSync
  module Audit
    class Page
      # The page's chart: phases and the longest tables, drawn against the run's time.
      class Timeline
        include Html

        # Tables drawn; more would be too thin to read. The list holds them all.
        DRAWN = 40

        # @param facts [Hash{Symbol => Object}] the audit, as {Document#to_h} makes it
        def initialize(facts)
          @phases = facts[:phases]
          @tables = facts[:tables]
        end

        # @return [String] the section; empty where no time is known
        def to_s
          all = [*@phases, *@tables].map { |bar| bar[:started].to_f + bar[:seconds].to_f }.max
          return "" if @phases.empty? || !all.positive?

          longest = @tables.max_by(DRAWN) { |table| table[:seconds].to_f }.sort_by { |table| table[:started].to_f }
          bars = @phases.map { |phase| bar(phase[:name], phase, all, "phase") } +
                 longest.map { |table| bar(table[:table], table, all, "table") }
          section("Timeline", note(longest.size), "<div class=\"chart\">#{bars.join}</div>")
        end

        private

        def note(drawn)
          rest = ", the #{drawn} that took longest of #{count(@tables.size)}" if @tables.size > drawn
          "<p class=\"soft\">Grey: phases. Blue: tables#{rest}.</p>"
        end

        # The figure stands behind its bar, before one that ends at the right, or in one that fills the line.
        def bar(name, bar, all, kind)
          left = (bar[:started].to_f / all * 100).round(2)
          width = (bar[:seconds].to_f / all * 100).round(2)
          place = (left + width > 75) ? "right:#{(100 - left).round(2)}%" : "left:#{(left + width).round(2)}%"
          place = "left:0;color:var(--paper)" if left < 20 && left + width > 75
          "<div class=\"name\" title=\"#{h(name)}\">#{h(name.to_s.delete_prefix("public."))}</div><div class=\"track #{kind}\">" \
            "<i style=\"left:#{left}%;width:#{width}%\"></i>" \
            "<small style=\"#{place}\">#{h(Support::Figures.seconds(bar[:seconds].to_f))}</small></div>"
        end
      end
    end
  end
end

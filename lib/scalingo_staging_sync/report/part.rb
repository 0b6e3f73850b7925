# frozen_string_literal: true

module ScalingoStagingSync
  class Report
    # Which rows of a table come: those that others refer to, that meet a condition, that come first in an order, and that
    # refer to no row which stays behind; and how many of how many, where that is known: of a run, from a look, or from the
    # last run.
    Part = Data.define(:table, :referenced, :condition, :rows, :order_by, :descending, :through, :needed_by, :counts, :of_last_run) do
      extend FromHash

      # @return [Array<String>] each in words
      def lines
        [
          ("rows that others refer to" if referenced),
          ("rows where #{condition.strip.gsub(/\s+/, " ")}" if condition),
          (cap if rows),
          *through.to_a.map { |way| way_words(way) },
          kept
        ].compact
      end

      # @return [String, nil] how many rows of how many, and how many of them only because others need them; nil if that is
      #   not known
      def kept
        return unless counts

        last = " in the last run" if of_last_run
        all = "#{Support::Figures.count(counts[:kept])} of #{Support::Figures.counted(counts[:total], "row")}#{last}"
        return all unless counts[:added].positive?

        need = needed_by.to_a.one? ? "needs" : "need"
        them = (counts[:added] == 1) ? "it" : "them"
        "#{all}, #{Support::Figures.count(counts[:added])} of them because #{needed_by.to_a.join(" and ")} #{need} #{them}"
      end

      # @return [String] the table and all of that
      def to_s = "#{table}: #{lines.join("; ")}"

      private

      def cap
        "the #{descending ? "last" : "first"} #{Support::Figures.count(rows)} by #{order_by.join(", ")}"
      end

      def way_words(way)
        return "#{way[:reference]} becomes NULL where its row of #{way[:table]} stays behind" if way[:nullified]

        "through #{[way[:reference], *way[:then]].join(" and ")}, with rows of #{way[:table]}"
      end
    end
  end
end

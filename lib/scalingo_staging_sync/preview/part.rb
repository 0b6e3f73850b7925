# frozen_string_literal: true

module ScalingoStagingSync
  module Preview
    # Which rows of a table would come, as far as that is known before they are looked at: those that others refer to, that meet
    # a condition, that are the first of an order, and that refer to no row which stays behind.
    Part = Data.define(:referenced, :condition, :rows, :order_by, :descending, :through) do
      extend Report::FromHash

      # @return [Array<String>] each in words
      def lines
        [
          ("rows that others refer to" if referenced),
          ("rows where #{condition.strip.gsub(/\s+/, " ")}" if condition),
          (cap if rows),
          *through.to_a.map { |way| way_words(way) }
        ].compact
      end

      private

      def cap
        "the #{descending ? "last" : "first"} #{Support::Figures.count(rows)} by #{order_by.join(", ")}"
      end

      def way_words(way)
        return "#{way[:reference]} becomes NULL where its row of #{way[:table]} stays behind" if way[:nullified]

        "through #{way[:reference]}, with rows of #{way[:table]}"
      end
    end
  end
end

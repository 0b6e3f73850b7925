# frozen_string_literal: true

module ScalingoStagingSync
  class Report
    # Which rows of a table come: those that others refer to, that meet a condition, that come first in an order, and that
    # refer to no row which stays behind; and how many of how many, where that is known: of a run, from a look, or from the
    # last run. Of a table that comes without its rows: by what they decide which rows of others come.
    Part = Data.define(:table, :referenced, :condition, :rows, :order_by, :descending, :through, :needed_by, :counts, :of_last_run, :decides) do
      extend FromHash

      # @return [Boolean] whether its rows stay out, and only decide about those of others
      def stays_out? = decides.to_a.any?

      # @return [Array<String>] each in words
      def lines = sentences.map(&:to_s)

      # @return [Array<Messages::Sentence>] each in the words of any language
      def sentences = [*rule, *ways, amount].compact.map { |phrase| Messages::Sentence.of_phrase(phrase) }

      # @return [String, nil] how many rows of how many, and how many of them only because others need them; nil if that is
      #   not known
      def kept = amount && Messages::Sentence.of_phrase(amount).to_s

      # @return [String] the table and all of that
      def to_s = "#{table}: #{lines.join("; ")}"

      private

      def rule
        [({ kind: "part_decides", tables: decides } if stays_out?), ({ kind: "part_referenced" } if referenced),
         ({ kind: "part_condition", condition: condition.strip.gsub(/\s+/, " ") } if condition),
         ({ kind: descending ? "part_last" : "part_first", rows:, order: order_by } if rows)]
      end

      def ways
        through.to_a.map do |way|
          next { kind: "part_nullified", reference: way[:reference], table: way[:table] } if way[:nullified]

          { kind: "part_through", references: [way[:reference], *way[:then]], table: way[:table] }
        end
      end

      def amount
        return unless counts

        all = { kind: of_last_run ? "part_of_last_run" : "part_kept", kept: counts[:kept], count: counts[:total] }
        return all unless counts[:added].positive?

        tables = needed_by.to_a
        need = { kind: tables.one? ? "part_needed" : "part_needed_by_several", count: counts[:added], tables: }
        { kind: "part_added", all:, added: counts[:added], need: }
      end
    end

    class Part
      # The kinds of phrases that it makes, with their fields.
      KINDS = {
        "part_decides" => %w[tables], "part_referenced" => [], "part_condition" => %w[condition], "part_last" => %w[rows order],
        "part_first" => %w[rows order], "part_nullified" => %w[reference table], "part_through" => %w[references table],
        "part_kept" => %w[kept count], "part_of_last_run" => %w[kept count], "part_added" => %w[all added need],
        "part_needed" => %w[tables], "part_needed_by_several" => %w[tables]
      }.freeze
    end
  end
end

# frozen_string_literal: true

module ScalingoStagingSync
  module Audit
    class Page
      # Each mask of the run in a sentence, with an example of invented values.
      class Masks < Template
        # A mask: its title, its sentence, its example, in how many columns, and whether some of them have it for some rows only.
        Line = Data.define(:title, :sentence, :example, :columns, :conditional)

        # Characters of an example.
        LONGEST = 46

        # @return [Boolean] whether any column was masked
        def any? = lines.any?

        private

        def lines
          @lines ||= run.tables.flat_map(&:columns).map { |column| MaskWords.of(column.mask) }.group_by { |mask| mask.said(words) }
                        .map { |(title, sentence), masks| line(title, sentence, masks) }.sort_by { |line| [-line.columns, line.title] }
        end

        def short(text) = (text.length > LONGEST) ? "#{text[0, LONGEST - 1]}…" : text

        def line(title, sentence, masks)
          Line.new(title:, sentence:, example: masks.first.example(words), columns: masks.size, conditional: masks.any?(&:conditional))
        end
      end
    end
  end
end

# frozen_string_literal: true

module ScalingoStagingSync
  module Audit
    class Page
      # Every table with personal columns: how many of them were masked, and by what; then the names of the others.
      class Tables < Template
        # Tables shown unfolded.
        SHOWN = 40

        # A table: its name, its rows, its masked columns with their masks and how many values were kept, those that stayed, whether one needs a rule,
        # and how many of how many were masked.
        Line = Data.define(:name, :rows, :masked, :left, :open, :share, :of) do
          # @return [Integer] percent of its personal columns
          def percent = of.zero? ? 100 : (share * 100 / of)
        end

        # @return [Boolean] whether any table came
        def any? = run.tables.any?

        private

        # Those that need attention first, then those with most values.
        def lines
          @lines ||= run.tables.filter_map { |table| line(table) }.sort_by { |line| [line.open ? 0 : 1, -line.of, line.name] }
        end

        # Those that are shown, and those that are folded.
        def slices = [lines.take(SHOWN), lines.drop(SHOWN)].reject(&:empty?)

        def line(table)
          personal = view.personal.by_table[table.name]
          return unless personal

          masks = table.columns.to_h { |column| [column.name, [column.mask, column.kept]] }
          covered = personal.select { |column| column.fate == :masked }
          Line.new(name: table.name, rows: rows_of(table), left: personal.select(&:left?).map(&:name), open: personal.any?(&:undecided?),
                   masked: covered.map { |column| [column.name, *masks[column.name]] }, share: covered.size, of: personal.size)
        end

        def clean = run.tables.reject { |table| view.personal.by_table.key?(table.name) }

        def title(mask) = words.title(mask)
      end
    end
  end
end

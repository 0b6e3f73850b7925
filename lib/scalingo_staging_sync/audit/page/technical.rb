# frozen_string_literal: true

module ScalingoStagingSync
  module Audit
    class Page
      # For the engineer, folded: what ran, the timeline, the counts by column, the settled columns, the lists, the warnings.
      class Technical < Template
        include Facts

        private

        def timeline = @timeline ||= Timeline.new(view)

        def listed(item)
          about, said = parts(item)
          said.empty? ? name(about) : "#{h(about)}#{colon} #{said.map { |part| quoted(part) }.join(joint)}"
        end

        # Columns of one table with the same outcome share a line.
        def settled
          view.personal.columns.select { |column| column.kind && %i[masked absent declared].include?(column.fate) }
              .group_by { |column| [column.table, column.fate, column.because] }
        end

        def columns(found) = found.map { |column| "#{name(column.name)} <em>#{h(words.kind(column.kind))}</em>" }.join(", ")
      end
    end
  end
end

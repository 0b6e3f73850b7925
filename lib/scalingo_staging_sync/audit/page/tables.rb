# frozen_string_literal: true

module ScalingoStagingSync
  module Audit
    class Page
      # The page's lists of tables: those with masked columns, each with what became of them, then the others.
      class Tables
        include Html

        # @param facts [Hash{Symbol => Object}] the audit, as {Document#to_h} makes it
        def initialize(facts)
          @masked, @copied = facts[:tables].partition { |table| table[:columns].to_a.any? }
        end

        # @return [Array<String>] the sections that there is something in
        def to_a
          [(section("Tables with masked columns", @masked.map { |table| masked(table) }) if @masked.any?),
           (section("Tables copied as they are", copied) if @copied.any?)].compact
        end

        private

        def amount(table)
          "#{Support::Figures.counted(table[:rows], "row")}, #{Support::Figures.bytes(table[:bytes].to_i)}"
        end

        def masked(table)
          kept = table[:columns].any? { |column| column[:kept].to_i.positive? }
          rows = table[:columns].map do |column|
            wrong = count(column[:violations])
            wrong = "<span class=\"bad\">#{wrong}</span>" if column[:violations].to_i.positive?
            [name(column[:name]), h(column[:mask]), count(column[:masked]), *(count(column[:kept]) if kept), count(column[:nulls]), wrong]
          end
          head = ["Column", "Became", "#Masked", *("#Kept" if kept), "#NULL", "#Wrong"]
          "<details open><summary><span>#{name(table[:table])}</span><span>#{amount(table)}</span></summary>" \
            "#{grid(head, rows)}</details>"
        end

        def copied
          "<div class=\"dense\">#{@copied.map { |table| "<p><span>#{name(table[:table])}</span><span>#{amount(table)}</span></p>" }.join}</div>"
        end
      end
    end
  end
end

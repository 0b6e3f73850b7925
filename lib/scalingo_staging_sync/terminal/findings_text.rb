# frozen_string_literal: true

module ScalingoStagingSync
  module Terminal
    # Columns that look personal, as a table for people, and what acts outside.
    class FindingsText
      # The text when there is nothing to do.
      ALL_COVERED = "Every column that looks personal has a rule or an entry in config.pii_ignore."

      HEAD = ["Column", "Kind", "Heading", "Sure", "Found by", "Seen in", "Status"].freeze
      private_constant :HEAD

      # @param found [PersonalData::Found] what was found
      # @param width [Integer, nil] the terminal's columns; nil: lines are as long as they are
      def initialize(found, width: nil)
        @found = found
        @lines = Lines.new(width)
      end

      # @return [String] every finding, the rules that are missing, and the warnings
      def to_s
        outside, findings = @found.findings.partition(&:outside?)
        count = Support::Figures.counted(@found.tables, "table")
        lines = @lines.wrap("#{look_personal(findings.size)}, among those of #{count} (#{@found.origin}).", hang: 0)
        lines.push("", *table(findings)) if findings.any?
        acting = outside.map { |finding| "  #{PersonalData::Outside.line(finding)}" }
        lines.push("", "Acts outside:", *@lines.wrap_all(acting)) if outside.any?
        lines.push("", *missing)
        [*lines, *warnings].join("\n")
      end

      # @return [String] what has neither a rule nor an entry in `config.pii_ignore`
      def coverage
        open = @found.findings.uncovered
        return [ALL_COVERED, *warnings].join("\n") if open.empty?

        lines = ["#{look_personal(open.size)} and #{open.one? ? "has" : "have"} neither a rule nor an entry in config.pii_ignore:"]
        lines.concat(open.map { |one| "  #{name(one)}: #{one.kind} (#{format("%.2f", one.confidence)}), #{one.reason}" })
        lines = @lines.wrap_all(lines)
        [*lines, "", *missing, *warnings].join("\n")
      end

      private

      def look_personal(count) = "#{Support::Figures.counted(count, "column")} #{(count == 1) ? "looks" : "look"} personal"

      def missing
        return @lines.wrap(ALL_COVERED, hang: 0) unless @found.rules

        [*@lines.wrap("Rules such as these would cover what nothing covers; what is not personal goes into config.pii_ignore, with its reason:",
                      hang: 0), "", @found.rules]
      end

      def warnings = @lines.wrap_all(@found.warnings.map { |warning| "Warning: #{warning}" })

      def table(findings)
        rows = [HEAD, *findings.map { |finding| cells(finding) }]
        widths = rows.transpose.map { |column| column.map(&:length).max }
        rows.insert(1, widths.map { |width| "-" * width })
        lines = rows.map { |row| row.zip(widths).map { |cell, width| cell.ljust(width) }.join("  ").rstrip }
        (lines.all? { |line| @lines.fits?(line) }) ? lines : findings.flat_map { |finding| stacked(cells(finding)) }
      end

      # A finding on a terminal too narrow for the table: the column, and below it what is known about it.
      def stacked(cells)
        name, *others = cells
        words = others.zip(HEAD.drop(1)).filter_map { |cell, head| "#{head.downcase} #{cell}" unless cell.empty? }
        [name, *@lines.wrap("    #{words.join(", ")}", hang: 0)]
      end

      def cells(finding)
        seen = finding.values.zero? ? "" : "#{Support::Figures.count(finding.count)} of #{Support::Figures.count(finding.values)}"
        [name(finding), finding.kind, finding.heading, format("%.2f", finding.confidence), finding.found_by, seen,
         [finding.status, finding.because].compact.join(": ")]
      end

      def name(finding) = "#{finding.table}.#{finding.column}"
    end
  end
end

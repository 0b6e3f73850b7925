# frozen_string_literal: true

module ScalingoStagingSync
  module Terminal
    # Columns that look personal, as a table for people, and what acts outside.
    class FindingsText
      # What is said when there is nothing to do.
      ALL_COVERED = "Every column that looks personal has a rule or an entry in config.pii_ignore."

      HEAD = ["Column", "Kind", "Heading", "Sure", "Found by", "Seen in", "Status"].freeze
      private_constant :HEAD

      # @param found [PersonalData::Found] what was found
      def initialize(found)
        @found = found
      end

      # @return [String] every finding, the rules that are missing, and the warnings
      def to_s
        outside, findings = @found.findings.partition(&:outside?)
        lines = ["#{look_personal(findings.size)}, among those of #{Support::Figures.counted(@found.tables, "table")} (#{@found.origin})."]
        lines.push("", *table(findings)) if findings.any?
        lines.push("", "Acts outside:", *outside.map { |finding| "  #{PersonalData::Outside.line(finding)}" }) if outside.any?
        lines.push("", *missing)
        [*lines, *warnings].join("\n")
      end

      # @return [String] what has neither a rule nor an entry in `config.pii_ignore`
      def coverage
        open = @found.findings.uncovered
        return [ALL_COVERED, *warnings].join("\n") if open.empty?

        lines = ["#{look_personal(open.size)} and #{open.one? ? "has" : "have"} neither a rule nor an entry in config.pii_ignore:"]
        lines.concat(open.map { |one| "  #{name(one)}: #{one.kind} (#{format("%.2f", one.confidence)}), #{one.reason}" })
        [*lines, "", *missing, *warnings].join("\n")
      end

      private

      def look_personal(count) = "#{Support::Figures.counted(count, "column")} #{(count == 1) ? "looks" : "look"} personal"

      def missing
        return [ALL_COVERED] unless @found.rules

        ["Rules such as these would cover what nothing covers; what is not personal goes into config.pii_ignore, with its reason:",
         "", @found.rules]
      end

      def warnings = @found.warnings.map { |warning| "Warning: #{warning}" }

      def table(findings)
        rows = [HEAD, *findings.map { |finding| cells(finding) }]
        widths = rows.transpose.map { |column| column.map(&:length).max }
        rows.insert(1, widths.map { |width| "-" * width })
        rows.map { |row| row.zip(widths).map { |cell, width| cell.ljust(width) }.join("  ").rstrip }
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

# frozen_string_literal: true

module ScalingoStagingSync
  module Audit
    class Page
      # What became of columns that look personal, in words; those that need attention first.
      module Fates
        WORDS = {
          "uncovered" => "copied as it is", "withheld" => "left empty, needs a rule", "masked" => "masked by its kind",
          "covered" => "covered by a rule", "ignored" => "known not to be personal"
        }.freeze
        private_constant :WORDS

        private

        def found
          @found ||= run.findings.about_persons.sort_by { |finding| [WORDS.keys.index(status(finding)), finding.table.to_s, finding.column.to_s] }
        end

        def status(finding) = WORDS.key?(finding.status) ? finding.status : "uncovered"

        def fate(finding) = WORDS.fetch(status(finding))

        # The rule that would cover it, or why it is as it is.
        def detail(finding) = finding.rule ? "<code>#{h(finding.rule)}</code>" : h(finding.because)
      end
    end
  end
end

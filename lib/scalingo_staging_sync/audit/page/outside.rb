# frozen_string_literal: true

module ScalingoStagingSync
  module Audit
    class Page
      # What staging could do in production's name, and who can log in.
      class Outside < Template
        private

        def acting = run.findings.outside.sort_by { |finding| [left?(finding) ? 0 : 1, finding.place] }

        def left?(finding) = !%w[masked covered].include?(finding.status)

        def became(finding) = left?(finding) ? "left" : finding.status

        def quiet? = document.config.quiesce

        def accounts = run.accounts_with_known_password.to_i
      end
    end
  end
end

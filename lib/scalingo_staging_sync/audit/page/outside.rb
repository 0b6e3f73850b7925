# frozen_string_literal: true

module ScalingoStagingSync
  module Audit
    class Page
      # What staging could do in production's name, and who can log in.
      class Outside < Template
        # @return [Boolean] whether there is anything of either
        def any? = acting.any? || run.known_passwords.any?

        private

        def acting = run.findings.outside

        def became(finding) = PersonalData::Outside.became(finding)
      end
    end
  end
end

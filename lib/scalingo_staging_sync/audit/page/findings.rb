# frozen_string_literal: true

module ScalingoStagingSync
  module Audit
    class Page
      # What would be in staging without rules, what is with them, and the columns that need attention.
      class Findings < Template
        include Fates

        # @return [Boolean] whether anything personal was found
        def any? = found.any?

        private

        def open = found.select(&:open?)

        # A column in pii_ignore is not personal, with or without rules.
        def shares
          ignored, personal = found.partition(&:ignored?)
          { "ok" => personal.size - open.size, "open" => open.size, "known" => ignored.size }.select { |_, number| number.positive? }
        end

        def personal = found.count { |finding| !finding.ignored? }
      end
    end
  end
end

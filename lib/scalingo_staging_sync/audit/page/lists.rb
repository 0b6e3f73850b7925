# frozen_string_literal: true

module ScalingoStagingSync
  module Audit
    class Page
      # What came without its rows, what was left out, and the warnings.
      class Lists < Template
        # @return [Boolean] whether there is anything in one of them
        def any? = lists.any?

        private

        def lists
          { "Tables of which a part came" => run.part, "Stayed as staging had them" => run.kept,
            "Created without their rows" => run.excluded, "Left out" => run.left_out, "Warnings" => run.warnings }.reject { |_, items| items.empty? }
        end
      end
    end
  end
end

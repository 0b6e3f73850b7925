# frozen_string_literal: true

module ScalingoStagingSync
  module Audit
    class Page
      # What the run did not look at.
      class NotSeen < Template
        private

        def items = view.unseen.items
      end
    end
  end
end

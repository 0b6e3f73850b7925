# frozen_string_literal: true

module ScalingoStagingSync
  module Audit
    class Page
      # The first screen: what happened in three sentences, what may be said of it, and four figures.
      class Head < Template
        include Summary

        private

        def verdict = view.verdict
      end
    end
  end
end

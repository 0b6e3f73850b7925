# frozen_string_literal: true

module ScalingoStagingSync
  module Audit
    class Page
      # The search for originals of masked columns in other columns, and personal data outside columns.
      class Leaks < Template
        # @return [Boolean] whether anything was looked for or found
        def any? = !run.leak_check.nil? || run.leaks.any? || run.channels.any?

        private

        def error_rate
          rate = run.leak_check.error_rate.to_f
          "; wrong at most once in #{count(1 / rate)}" if rate.positive?
        end
      end
    end
  end
end

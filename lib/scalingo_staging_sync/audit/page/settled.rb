# frozen_string_literal: true

module ScalingoStagingSync
  module Audit
    class Page
      # The personal data that needs no attention. The list may be long, so columns of one table with the same outcome share a line.
      class Settled < Template
        include Fates

        # @return [Boolean] whether there is any
        def any? = alike.any?

        private

        def alike
          @alike ||= found.reject(&:open?).group_by { |finding| [finding.table, finding.status, finding.because] }
        end

        def columns(findings) = findings.map { |finding| "#{name(finding.column)} <em>#{h(finding.kind)}</em>" }.join(", ")
      end
    end
  end
end

# frozen_string_literal: true

module ScalingoStagingSync
  module Audit
    class Page
      # What was found: originals in other columns, columns left as they are, and personal data beside columns.
      class Findings < Template
        include Summary

        # The wording for a column that was left unmasked or emptied.
        FATES = { open: "uncovered", withheld: "withheld" }.freeze

        private

        # Those that need a rule first.
        def left = view.personal.with(:open, :withheld) + view.personal.with(:declared)

        def fate(column)
          return t("findings.ignored", reason: words.quote(column.because) || column.because) if column.fate == :declared

          %(<span class="attention">#{t("findings.#{FATES.fetch(column.fate)}")}</span>)
        end

        # What was not looked at is listed elsewhere.
        def channels = run.channels.reject { |channel| channel.outcome.to_s == "unscanned" }

        def said(channel)
          t("findings.#{channel.channel}_#{channel.outcome}", name: channel.name, count: channel.count.to_i, kind: words.kind(channel.kind))
        rescue KeyError
          quoted(channel.note) # an engine of another version
        end

        def none? = run.leaks.empty? && left.empty? && channels.empty?
      end
    end
  end
end

# frozen_string_literal: true

module ScalingoStagingSync
  module PersonalData
    # What acts outside, in words: queued work, webhooks' URLs, other services' secrets, and what became of each
    # (`config.quiesce`).
    module Outside
      class << self
        # @param finding [Report::Finding] one that acts outside
        # @return [String] the table or the column, why it acts outside, and what happened to it
        def line(finding)
          "#{finding.place}: #{finding.reason}; #{became(finding)}"
        end

        # @param finding [Report::Finding] one that acts outside
        # @return [String] what was done about it
        def became(finding)
          case finding.status
          when "masked" then "masked#{" by :#{finding.mask}" if finding.mask}"
          when "covered" then finding.because.to_s
          else "left as it is#{": #{finding.because}" if finding.because}"
          end
        end

        # @param findings [Report::Findings] everything that was found
        # @return [String, nil] how many tables stay without rows, and how many columns were masked and were left as they
        #   are; nil if nothing acts outside
        def summary(findings)
          acting = findings.outside
          return if acting.empty?

          tables, columns = acting.partition(&:whole_table?).map { |found| found.map(&:status).tally }
          left = acting.size - acting.count { |finding| %w[masked covered].include?(finding.status) }
          [counted(tables["covered"], "queue", "kept out or covered"), counted(columns["masked"], "column", "masked"),
           counted(columns["covered"], "column", "covered by rules"),
           ("#{left} left as production has #{(left == 1) ? "it" : "them"}" if left.positive?)].compact.join(", ")
        end

        private

        def counted(number, noun, became)
          "#{Support::Figures.counted(number, noun)} #{became}" if number
        end
      end
    end
  end
end

# frozen_string_literal: true

module ScalingoStagingSync
  module PersonalData
    # What acts outside, among what was found: queued work, webhooks' URLs, other services' secrets; and what became of
    # each (`config.quiesce`).
    module Outside
      HEADING = "outside"
      private_constant :HEADING

      class << self
        # @param findings [Array<Hash{Symbol => Object}>, nil] as {Report#findings} returns them
        # @return [Array(Array, Array)] those that act outside, and those about persons
        def split(findings)
          findings.to_a.partition { |finding| finding[:heading].to_s == HEADING }
        end

        # @param finding [Hash{Symbol => Object}] one that acts outside
        # @return [String] the table, or the column, why it does, and what became of it
        def line(finding)
          "#{place(finding)}: #{finding[:reason]}; #{became(finding)}"
        end

        # @param finding [Hash{Symbol => Object}] one that acts outside
        # @return [String] the column; the table, where the finding is about all of it
        def place(finding)
          (finding[:column] == "*") ? finding[:table].to_s : finding.values_at(:table, :column).join(".")
        end

        # @param finding [Hash{Symbol => Object}] one that acts outside
        # @return [String] what was done about it
        def became(finding)
          case finding[:status].to_s
          when "masked" then "masked#{" by :#{finding[:mask][:mask]}" if finding[:mask]}"
          when "covered" then finding[:because].to_s
          else "left as it is#{": #{finding[:because]}" if finding[:because]}"
          end
        end

        # @param findings [Array<Hash{Symbol => Object}>, nil] as {Report#findings} returns them
        # @return [String, nil] how many tables stay without rows, and how many columns were masked and were left as they
        #   are; nil where nothing acts outside
        def summary(findings)
          acting, = split(findings)
          return if acting.empty?

          tables, columns = acting.partition { |finding| finding[:column] == "*" }.map { |found| found.map { |finding| finding[:status].to_s }.tally }
          left = acting.count { |finding| !%w[masked covered].include?(finding[:status].to_s) }
          [counted(tables["covered"], "queue", "kept out or covered"), counted(columns["masked"], "column", "masked"),
           counted(columns["covered"], "column", "covered by rules"),
           ("#{left} left as production has #{(left == 1) ? "it" : "them"}" if left.positive?)].compact.join(", ")
        end

        # @param report [Hash{Symbol => Object}] what the engine returned
        # @return [Integer] how many accounts have a password that is known
        def known_passwords(report)
          report[:known_passwords].to_a.sum { |one| one[:accounts] }
        end

        private

        def counted(number, noun, became)
          "#{Support::Figures.counted(number, noun)} #{became}" if number
        end
      end
    end
  end
end

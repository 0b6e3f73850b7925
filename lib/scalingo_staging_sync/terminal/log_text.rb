# frozen_string_literal: true

module ScalingoStagingSync
  module Terminal
    # Who has fetched what of the masked archives, and what else was done: two lines each, for {Services::Status}.
    module LogText
      module_function

      # @param lines [Array<Database::Accesses::Line>] the newest, newest first
      # @param wrong [Hash{Symbol => Object}] as {Database::Accesses#wrong_tokens} returns it
      # @return [Array<Array(String, Integer)>] lines, each with how far it is indented; none where nothing was fetched
      def accesses(lines, wrong)
        shown = lines.flat_map do |line|
          [["#{moment(line.started_at)}  #{line.token}  #{line.request}", 0], ["#{sent(line)}#{", from #{line.address}" if line.address}", 4]]
        end
        shown.unshift(["", 0], ["Fetched from this app (UTC):", 0]) if shown.any?
        wrong[:count].zero? ? shown : shown.push(["", 0], [wrong_words(wrong), 0])
      end

      # @param lines [Array<Database::Journal::Line>] the newest, newest first
      # @return [Array<Array(String, Integer)>] lines, each with how far it is indented; none where nothing was done
      def actions(lines)
        shown = lines.flat_map do |line|
          [["#{moment(line.at)}  #{[line.action, line.subject].compact.join(" ")}: #{line.outcome}", 0], [by(line), 4]]
        end
        shown.any? ? [["", 0], ["Other actions (UTC):", 0], *shown] : []
      end

      def sent(line)
        return line.status.to_s if line.bytes.to_i.zero? && line.finished_at

        bytes = Support::Figures.bytes(line.bytes.to_i)
        "#{line.status}, #{bytes}#{line.finished_at ? (" and broke off" unless line.whole) : " so far, or its end is not known"}"
      end
      private_class_method :sent

      def wrong_words(wrong)
        one = wrong[:count] == 1
        "#{Support::Figures.counted(wrong[:count], "request")} had no valid token, #{"the last " unless one}on #{moment(wrong[:last_at])}" \
          "#{" from #{wrong[:last_address]}" if wrong[:last_address]}."
      end
      private_class_method :wrong_words

      def by(line)
        ["by #{line.login || "an unknown user"} on #{line.container || line.host}", line.error_class&.split("::")&.last].compact.join(", ")
      end
      private_class_method :by

      def moment(time) = time.utc.strftime("%Y-%m-%d %H:%M")
      private_class_method :moment
    end
  end
end

# frozen_string_literal: true

require "json"
require "time"

module ScalingoStagingSync
  module Services
    # What `rake scalingo_staging_sync:status` prints: whether the data in staging is complete, how old it is, from
    # which backup, and the last ten runs.
    class Status
      include Support::Discreet

      SENTENCES = {
        complete: "The data is complete.",
        syncing: "A run is replacing the data now.",
        incomplete: "The data is INCOMPLETE: a run failed after it had begun to replace it. Run it again."
      }.freeze
      private_constant :SENTENCES

      # @param output [IO] where it is printed
      # @param format [String, nil] "json" for machines; default: the variable FORMAT
      # @param history [Database::History] where it is read
      def initialize(output: $stdout, format: Support::Variables.new.word("FORMAT"), history: Database::History.new)
        @output = output
        @json = format.to_s.casecmp?("json")
        @history = history
      end

      # @return [Symbol] the state, as {ScalingoStagingSync.state} tells it
      # @raise [TargetConnectionError] when the database cannot be asked
      def print
        facts = { state: @history.state, data: @history.current, runs: @history.runs }
        @output.puts(@json ? JSON.pretty_generate(plain(facts)) : text(facts))
        facts[:state]
      rescue ActiveRecord::ActiveRecordError => error
        raise TargetConnectionError.new("The target database could not be asked (#{error.class}).",
                                        "Check DATABASE_URL and that the database is up.")
      end

      private

      # Times as ISO 8601 has them.
      def plain(value)
        case value
        when Hash then value.transform_values { |inner| plain(inner) }
        when Array then value.map { |inner| plain(inner) }
        when Time then value.utc.iso8601
        else value
        end
      end

      def text(facts)
        lines = [SENTENCES.fetch(facts[:state])]
        lines << origin(facts[:data]) if facts[:data]
        return (lines << "No run is on record in this database.").join("\n") if facts[:runs].empty?

        [*lines, "", *table(facts[:runs])].join("\n")
      end

      # A backup in a file tells no more than the file's name.
      def origin(run)
        return "It comes from #{run[:source]}." if run[:source].to_s.start_with?("the file ")

        made = run[:backup_created_at]
        backup = [run[:backup_id], (Support::Figures.moment(made) if made)].compact.join(" of ")
        age = made && Support::Figures.age(made)
        "It comes from the backup #{backup}#{" (#{age})" if age}, of #{run[:source] || "an unknown source"}."
      end

      def table(runs)
        rows = runs.map do |run|
          [run[:started_at].utc.strftime("%Y-%m-%d %H:%M"), run[:mode], run[:status], run[:backup_id].to_s,
           run[:rows] ? Support::Figures.count(run[:rows]) : "", run[:findings].to_s, run[:seconds] ? Support::Figures.seconds(run[:seconds]) : "",
           run[:error_class].to_s.split("::").last.to_s]
        end
        head = ["Started (UTC)", "Mode", "Status", "Backup", "Rows", "Findings", "Took", "Error"]
        widths = [head, *rows].transpose.map { |cells| cells.map(&:length).max }
        [head, *rows].map { |cells| cells.zip(widths).map { |cell, width| cell.ljust(width) }.join("  ").rstrip }
      end
    end
  end
end

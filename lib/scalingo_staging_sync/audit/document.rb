# frozen_string_literal: true

require "fileutils"
require "json"
require "time"

module ScalingoStagingSync
  module Audit
    # The evidence of a finished run: `config.anonymization_audit_file` with .json, for machines and sealed by
    # {Seal}, with .txt, and with .html, for people. Names, counts and times; never a value of a row, never a
    # secret. The JSON's schema stands in the README.
    class Document
      include Support::Discreet

      # Raised when a reader of the JSON file would have to change.
      SCHEMA_VERSION = 1

      # @param report [Hash{Symbol => Object}] what the engine returned
      # @param started_at [Time] when the run began
      # @param finished_at [Time] when it ended
      # @param config [Configuration] the apps' names and the kind of checks
      def initialize(report, started_at:, finished_at:, config: ScalingoStagingSync.configuration)
        @report = report
        @started_at = started_at
        @finished_at = finished_at
        @config = config
      end

      # @param path [String] where to, with or without .json, .txt or .html
      # @return [Array<String>] the three files' paths
      # @raise [ConfigurationError] when they cannot be written
      def write(path)
        base = path.sub(/\.(json|txt|html)\z/, "")
        FileUtils.mkdir_p(File.dirname(base))
        # One after the other: with thousands of tables each is megabytes.
        contents = { "json" => -> { to_json }, "txt" => -> { to_text }, "html" => -> { Page.new(to_h).to_s } }
        contents.map { |ending, content| replace("#{base}.#{ending}", content.call) }
      rescue SystemCallError => error
        raise ConfigurationError.new(
          "The database is restored and masked, but the audit file #{Support::Echo.of(path)} could not be written (#{error.class}).",
          "Correct config.anonymization_audit_file and run it again."
        )
      end

      # @return [Hash{Symbol => Object}] the JSON file's content
      def to_h
        @to_h ||= {
          schema_version: SCHEMA_VERSION,
          run_id: @report[:run_id],
          gem_version: VERSION,
          started_at: @started_at.utc.iso8601,
          finished_at: @finished_at.utc.iso8601,
          duration_seconds: (@finished_at - @started_at).round(3),
          source_app:,
          target_app: @config.target_app,
          backup: @report[:backup],
          rules_fingerprint: fingerprint,
          size_bytes: { before: @report[:size_before], after: @report[:size_after] },
          verification: {
            enabled: @config.verify_anonymization, passed: @report[:verified],
            violations: columns.sum { |column| column[:violations].to_i }
          },
          totals: {
            tables: tables.size,
            rows: tables.sum { |table| table[:rows] },
            masked_values: columns.sum { |column| column[:masked] },
            large_objects: @report[:large_objects]
          },
          phases:,
          tables: tables.map { |table| table.slice(:table, :rows, :bytes, :started, :seconds, :columns) },
          findings: @report[:findings] || [],
          leaks: @report[:leaks] || [],
          leak_check: @report[:leak_check],
          channels: @report[:channels] || [],
          known_passwords: @report[:known_passwords] || [],
          excluded: @report[:excluded] || [],
          left_out: @report[:left_out] || [],
          warnings: @report[:warnings] || []
        }
      end

      # @return [String] the JSON file's content, sealed under the anonymization key
      # @raise [ConfigurationError] when there is no key
      def to_json(*)
        Seal.form(to_h.merge(seal: Seal.new(config: @config).seal(to_h)))
      end

      # @return [String] the text file's content
      def to_text
        facts = to_h
        lines = ["Anonymization audit", "", *head(facts)]
        lines.concat(list("Phases", facts[:phases].map { |phase| "#{phase[:name].ljust(7)} #{Support::Figures.seconds(phase[:seconds])}" }))
        lines.push("", "Tables")
        lines.concat(tables.flat_map { |table| table_lines(table) })
        lines.concat(list("Created without their rows", facts[:excluded]))
        lines.concat(list("Left out", facts[:left_out].map { |entry| "#{entry[:kind]} #{entry[:name]}: #{entry[:why]}" }))
        lines.concat(list("Personal data that no rule covers", open_findings(facts).map do |one|
                                                                 "#{one[:table]}.#{one[:column]}: #{one[:kind]}, #{one[:reason]}"
                                                               end))
        lines.concat(list("Acts outside", PersonalData::Outside.split(facts[:findings]).first.map { |one| PersonalData::Outside.line(one) }))
        lines.concat(list("Accounts with a known password", facts[:known_passwords].map do |one|
                                                              "#{one[:table]}.#{one[:column]}: #{Support::Figures.count(one[:accounts])}"
                                                            end))
        lines.concat(list("Original values of masked columns in other columns", facts[:leaks].map { |leak| leak_line(leak) }))
        lines.concat(list("Warnings", facts[:warnings]))
        "#{lines.join("\n")}\n"
      end

      private

      # What the engine has read decides, and not what is configured: a file may be of any app.
      def source_app
        EngineSettings.new(@config).source_app_name unless @report.dig(:backup, :file)
      end

      def tables
        @report[:tables] || []
      end

      def open_findings(facts)
        facts[:findings].select { |finding| finding[:status].to_s == "uncovered" }
      end

      # How many columns hold personal data, and how many of them neither a rule nor a mask covers.
      def findings_words(findings)
        open, settled = %w[uncovered withheld].then { |ones| findings.partition { |one| ones.include?(one[:status].to_s) } }
        covered = settled.count { |one| one[:status].to_s != "ignored" }
        return if findings.empty?

        "#{Support::Figures.counted(open.size + covered, "column")} found, #{open.empty? ? "all" : open.size} #{"not " if open.any?}covered"
      end

      def passwords_words(facts)
        known = PersonalData::Outside.known_passwords(facts)
        Support::Figures.counted(known, "account") if known.positive?
      end

      # Each phase with the time it began, in seconds from the run's beginning.
      def phases
        began = 0.0
        (@report[:phases] || []).map do |phase|
          { name: phase[:name].to_s, started: began.round(3), seconds: phase[:seconds].round(3) }.tap { began += phase[:seconds] }
        end
      end

      def fingerprint
        EngineSettings.new(@config).fingerprint
      rescue ConfigurationError
        nil # no key, no rules
      end

      def columns
        tables.flat_map { |table| table[:columns] || [] }
      end

      def head(facts)
        backup = facts[:backup] || {}
        {
          "Started" => facts[:started_at],
          "Finished" => "#{facts[:finished_at]} (#{Support::Figures.seconds(facts[:duration_seconds])})",
          "From" => facts[:source_app] || backup[:origin],
          "To" => facts[:target_app],
          "Backup" => backup.values_at(:id, :created_at).compact.join(", "),
          "SHA-256" => backup[:sha256],
          "Rules" => facts[:rules_fingerprint],
          "Size" => size_words(facts[:size_bytes]),
          "Rows" => Support::Figures.count(facts[:totals][:rows]),
          "Values masked" => Support::Figures.count(facts[:totals][:masked_values]),
          "Verification" => verification_words(facts[:verification]),
          "Personal data" => findings_words(PersonalData::Outside.split(facts[:findings]).last),
          "Acts outside" => PersonalData::Outside.summary(facts[:findings]),
          "Known password" => passwords_words(facts),
          "Leak check" => leak_words(facts)
        }.filter_map { |name, value| "  #{name.ljust(14)} #{value}" unless value.to_s.empty? }
      end

      def size_words(size)
        return unless size[:before] && size[:after]

        "#{Support::Figures.bytes(size[:before])} before, #{Support::Figures.bytes(size[:after])} after"
      end

      def verification_words(verification)
        return "not asked for" unless verification[:enabled]
        return "passed" if verification[:passed]

        "FAILED, #{Support::Figures.counted(verification[:violations], "violation")} while sending"
      end

      def leak_words(facts)
        check, leaks = facts.values_at(:leak_check, :leaks)
        return "not asked for" unless check

        certain = leaks.count { |leak| leak[:certain] }
        found = certain.zero? ? "nothing survived elsewhere" : "FAILED, #{Support::Figures.counted(certain, "column")} with originals of others"
        "#{found}: #{Support::Figures.count(check[:candidates])} candidates against #{Support::Figures.count(check[:originals])} originals" \
          "#{", exactly" if check[:exact]}"
      end

      def leak_line(leak)
        sure = leak[:certain] ? "certain" : "possible, #{leak[:expected_by_chance].to_f.round(1)} by chance"
        "#{leak[:table]}.#{leak[:column]}: #{Support::Figures.count(leak[:count])} of the kind #{leak[:kind]}, #{sure}: #{leak[:entry]}"
      end

      def table_lines(table)
        ["  #{table[:table]}: #{Support::Figures.counted(table[:rows], "row")}"] +
          (table[:columns] || []).map do |column|
            kept = ", #{Support::Figures.count(column[:kept])} kept" if column[:kept].to_i.positive?
            "    #{column[:name]}: #{column[:mask]}, #{Support::Figures.count(column[:masked])} masked#{kept}, " \
              "#{Support::Figures.count(column[:nulls])} NULL, #{Support::Figures.count(column[:violations])} wrong"
          end
      end

      def list(title, items)
        items.empty? ? [] : ["", title, *items.map { |item| "  #{item}" }]
      end

      # A reader sees the old file or the new one, never half of it.
      def replace(file, content)
        draft = "#{file}.#{Process.pid}.tmp"
        File.write(draft, content)
        File.rename(draft, file)
        file
      ensure
        FileUtils.rm_f(draft)
      end
    end
  end
end

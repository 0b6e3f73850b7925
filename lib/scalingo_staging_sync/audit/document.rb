# frozen_string_literal: true

require "time"

module ScalingoStagingSync
  module Audit
    # The evidence of a finished run as data: the engine's report, when it ran, for which app, by which rules. Names,
    # counts and times; never a value of a row, never a secret. {Json}, {Text} and {Page} write it, {Files} to disk.
    class Document
      include Support::Discreet

      # Increased when a reader of the JSON file would have to change.
      SCHEMA_VERSION = 1

      # @return [Report::Run] what the engine says of the run
      attr_reader :run

      # @return [Support::Operator] who began it, and with which task
      attr_reader :operator

      # @param report [Hash{Symbol => Object}] what the engine returned
      # @param started_at [Time] when the run began
      # @param finished_at [Time] when it ended
      # @param config [Configuration] the apps' names and the kind of checks
      # @param operator [Support::Operator] who began it
      def initialize(report, started_at:, finished_at:, config: ScalingoStagingSync.configuration, operator: Support::Operator.now)
        @report = report
        @run = Report::Run.of(report)
        @started_at = started_at
        @finished_at = finished_at
        @config = config
        @operator = operator
      end

      # @return [String] when the run began, in ISO 8601
      def started_at = @started_at.utc.iso8601

      # @return [String] when it ended
      def finished_at = @finished_at.utc.iso8601

      # @return [Float] seconds between the two
      def duration = (@finished_at - @started_at).round(3)

      # By what the engine read, not by what is configured: a file may come from any app.
      #
      # @return [String, nil] the app that was copied; nil if the backup was a file
      def source_app
        EngineSettings.new(@config).source_app_name unless run.backup&.file
      end

      # @return [String, nil] where the rows came from: the app, else what the backup says of its origin
      def origin = source_app || run.backup&.origin

      # @return [String, nil] the app whose database was filled
      def target_app = @config.target_app

      # @return [Boolean] whether the target was to be checked
      def verification? = @config.verify_anonymization

      # @return [Configuration] what was looked at, and the page's language
      attr_reader :config

      # @return [String, nil] a fingerprint of the rules; nil if there is no key, and so no rule
      def fingerprint
        EngineSettings.new(@config).fingerprint
      rescue ConfigurationError
        nil
      end

      # @return [Hash{Symbol => Object}] the JSON file's content, without its seal; docs/formats.md has the schema
      def to_h
        @to_h ||= {
          schema_version: SCHEMA_VERSION,
          run_id: run.run_id,
          gem_version: VERSION,
          started_at:, finished_at:,
          duration_seconds: duration,
          source_app:, target_app:,
          started_by: operator.to_h,
          backup: @report[:backup],
          rules_fingerprint: fingerprint,
          size_bytes: { before: run.size_before, after: run.size_after },
          archive: run.archive&.file,
          verification: { enabled: verification?, passed: run.verified, violations: run.violations },
          totals: { tables: run.tables.size, rows: run.rows, masked_values: run.masked_values, large_objects: run.large_objects },
          phases: run.phases.map(&:to_h),
          **engines
        }
      end

      private

      # What the file holds just as the engine returned it.
      def engines
        lists = %i[part findings leaks leak_check channels known_passwords excluded kept left_out warnings warnings_data]
        { tables: @report[:tables].to_a.map { |table| table.slice(:table, :rows, :backup_rows, :bytes, :started, :seconds, :columns) },
          **lists.to_h { |name| [name, @report[name] || ([] unless name == :leak_check)] } }
      end
    end
  end
end

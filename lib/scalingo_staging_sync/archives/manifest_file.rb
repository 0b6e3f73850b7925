# frozen_string_literal: true

require "json"
require "time"

module ScalingoStagingSync
  module Archives
    # The file beside a masked archive that says what is in it, as a dump writes it; {Manifest} reads it.
    class ManifestFile
      include Support::Discreet

      # @param path [String] an archive
      # @return [Boolean] whether a manifest of a masked archive is beside it, with a valid seal or not
      def self.beside?(path)
        facts = JSON.parse(File.binread("#{path}#{Manifest::ENDING}", Manifest::LARGEST).to_s)
        facts.is_a?(Hash) && facts["kind"] == Manifest::KIND
      rescue SystemCallError, JSON::JSONError, EncodingError
        false
      end

      # @param report [Hash{Symbol => Object}] what the engine returned
      # @param path [String] the archive
      # @param made_at [Time] when it was finished
      # @param config [Configuration] the apps' names, and the key of the seal
      def initialize(report, path, made_at:, config: ScalingoStagingSync.configuration)
        @report = report
        @path = path
        @made_at = made_at
        @config = config
        @run = ScalingoStagingSync::Report::Run.of(report)
      end

      # @return [Hash{Symbol => Object}] what it says, without its seal
      def to_h
        {
          manifest_version: Manifest::VERSION, kind: Manifest::KIND, gem_version: VERSION, run_id: run.run_id,
          made_at: @made_at.utc.iso8601, **origin, archive:, **checks,
          totals: { tables: run.tables.size, rows: run.rows, masked_values: run.masked_values, large_objects: run.large_objects },
          order: run.archive.order, tables:, without_rows: run.excluded, left_out: @report[:left_out].to_a,
          findings: run.findings.uncovered.size, warnings: run.warnings.map(&:to_s)
        }
      end

      # Writes it. A reader sees the old one or the new one, never a half-written one.
      #
      # @return [String] where
      # @raise [ConfigurationError] when it cannot be written, or there is no key for the seal
      def write
        facts = to_h
        file = "#{@path}#{Manifest::ENDING}"
        draft = "#{file}.#{Process.pid}.tmp"
        File.write(draft, Audit::Seal.form(facts.merge(seal: Audit::Seal.new(config: @config).seal(facts))))
        File.rename(draft, file)
        file
      rescue SystemCallError => error
        raise ConfigurationError.new("The archive is written, but its manifest #{Support::Echo.of(file)} could not be (#{error.class}).",
                                     "Make room for it, and make the archive again.")
      ensure
        FileUtils.rm_f(draft) if draft
      end

      private

      attr_reader :run

      # As in the audit, the app is of what the engine read.
      def origin
        settings = EngineSettings.new(@config)
        { source_app: (settings.source_app_name unless run.backup&.file), target_app: @config.target_app, backup: @report[:backup],
          rules_fingerprint: settings.fingerprint }
      end

      def archive
        { name: File.basename(@path), **run.archive.file }
      end

      def checks
        { verification: { enabled: @config.verify_anonymization, passed: run.verified, violations: run.violations },
          leak_check: @report[:leak_check] }
      end

      def tables
        @report[:tables].zip(run.archive.tables).map do |table, place|
          { **table.slice(:table, :rows, :bytes), **place.slice(:columns, :primary_key, :offset, :length),
            masks: table[:columns].map { |column| column.except(:mask_data) } }
        end
      end
    end
  end
end

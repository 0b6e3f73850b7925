# frozen_string_literal: true

require "json"

module ScalingoStagingSync
  module Services
    # Removes what is older than `config.retention`: lines of the history and of the log of accesses, tokens that are no longer
    # valid, archives that `keep_backup` has kept, the audit's files, and published archives. Each run does so, and `cleanup`.
    # What cannot be removed is a warning: it has nothing to do with whether the data is whole.
    class Retention
      include Support::Discreet

      # What the engine writes beside an archive that it keeps.
      KEPT = %w[region app addon id].freeze
      private_constant :KEPT

      # @param config [Configuration] how long things are kept, and where
      # @param reporter [Terminal::ProgressReporter] what says what was removed
      # @param now [Time] now
      def initialize(config:, reporter:, now: Time.now)
        @config = config
        @reporter = reporter
        @limit = config.retention && (now - config.retention)
      end

      # @return [Hash{Symbol => Integer}] how much was removed: :lines, :files, :published; nothing where no retention is set
      def call
        return {} unless @limit

        removed = { lines: removing("old lines of the history") { lines }, files: removing("old files") { files },
                    published: removing("old published archives") { published } }
        words = { lines: "line", files: "file", published: "published archive" }
                .filter_map { |kind, noun| Support::Figures.counted(removed[kind], noun) if removed[kind].positive? }
        @reporter.say("Removed, because they were older than config.retention: #{words.join(", ")}.") if words.any?
        removed
      end

      private

      def removing(what)
        yield
      rescue Error, ActiveRecord::ActiveRecordError, SystemCallError => error
        @reporter.warn("#{what.capitalize} could not be removed: #{error.is_a?(Error) ? error.message : error.class}")
        0
      end

      def lines = EngineSettings.target_of_rails? ? Database::Expiry.new.remove_before(@limit) : 0

      def files
        old = (kept + audits).select { |file| File.mtime(file) < @limit }
        old.each { |file| File.delete(file) }.size
      end

      # The file that says what a kept archive is, and the archive.
      def kept
        directory = settings.in_app(@config.temp_dir)
        described = Dir.glob("*.*.*.json", base: directory).map { |name| File.join(directory, name) }.select { |file| describes_archive?(file) }
        described.flat_map { |file| [file, "#{file.delete_suffix(".json")}.tar.gz"] }.select { |file| File.file?(file) }
      end

      def describes_archive?(file)
        facts = JSON.parse(File.read(file))
        facts.is_a?(Hash) && (KEPT - facts.keys).empty?
      rescue JSON::JSONError, EncodingError
        false
      end

      # Those of runs, and those beside a dump.
      def audits
        paths = [@config.anonymization_audit_file&.sub(Audit::Files::ENDING, ""), @config.archive_file && "#{@config.archive_file}.audit"]
        paths.compact.flat_map { |path| %w[json txt html].map { |ending| "#{settings.in_app(path)}.#{ending}" } }.select { |file| File.file?(file) }
      end

      def published
        store = Archives::Store.of(@config)
        return 0 unless store

        Database::OwnSchema.new.alone(Database::OwnSchema::PUBLISHING) { store.expire(@limit) } || 0
      end

      def settings = EngineSettings.new(@config)
    end
  end
end

# frozen_string_literal: true

require "json"

module ScalingoStagingSync
  module Services
    # Looks for personal data without restoring anything: the rake tasks `scan`, `suggest` and `coverage`. What finds it
    # is {PersonalData::ColumnScanner}; this says where to look, and prints.
    class PersonalDataScan < Base
      # Increased when a reader of the JSON would have to change.
      SCHEMA_VERSION = 1

      # Seconds between two lines on how far a long download is.
      SHOW_EVERY = 15
      private_constant :SHOW_EVERY

      # @param config [Configuration] the rules, the source and what is ignored
      # @param output [IO] where it is printed
      # @param errors [IO] where a long download says how far it is
      # @param environment [#[]] the environment variables: FORMAT=json, SCAN=database
      # @param native [Module, nil] what does the work; nil: the native library
      def initialize(config: ScalingoStagingSync.configuration, output: $stdout, errors: $stderr, environment: ENV, native: nil)
        super(config:, native:)
        @output = output
        @errors = errors
        @variables = Support::Variables.new(environment)
        @shown_at = now
      end

      # Prints every column that looks personal in the newest backup; in the database where no backup is configured, or
      # where SCAN=database asks for it.
      #
      # @return [Hash{Symbol => Object}] as {PersonalData::ColumnScanner#found_in_database} returns it
      # @raise [Error] when it cannot be read, or a rule does not fit it
      def scan
        found = look
        @output.puts(json? ? json(found) : text(found).to_s)
        found
      end

      # Prints the entries for `config.anonymization_tables` that cover every column that nothing covers.
      #
      # @return [String, nil] them; nil when every column is covered
      # @raise [Error] when the backup or the database cannot be read
      def suggest
        found = look
        @output.puts(json? ? json(found) : found[:rules] || "# #{Terminal::FindingsText::ALL_COVERED}")
        found[:rules]
      end

      # Prints the columns of the app's own schema that look personal by their names and have neither a rule nor an entry
      # in `config.pii_ignore`.
      #
      # @param from [String, nil] db/structure.sql, db/schema.rb, or "database"; nil: the file that is there, else the
      #   app's database
      # @return [Boolean] whether there is none
      # @raise [Error] when the schema cannot be read, or a rule does not fit it
      def coverage(from = nil)
        found = look_at_schema(from.to_s)
        raise no_tables if found[:tables].zero? && found[:findings].empty?

        @output.puts(json? ? json(found) : text(found).coverage)
        found[:rules].nil?
      end

      private

      def json? = @variables.word("FORMAT") == "json"

      def json(found) = JSON.pretty_generate({ schema_version: SCHEMA_VERSION, **found })

      def text(found) = Terminal::FindingsText.new(PersonalData::Found.of(found), width: Terminal::Lines.width_of(@output))

      def scanner = PersonalData::ColumnScanner.new(config:, native:)

      def look
        @variables.check!
        config.check!
        return scanner.found_in_database if !backup? || @variables.word("SCAN") == "database"

        scanner.found_in_backup { |event| show_progress(event) }
      end

      def backup?
        settings.given? || (config.set?(:clone_source_scalingo_app_name) && config.scalingo_api_token)
      end

      def look_at_schema(from)
        @variables.check!
        config.check!
        path = from.empty? ? %w[db/structure.sql db/schema.rb].find { |file| File.file?(settings.in_app(file)) } : from
        return scanner.found_in_database(names_only: true) if path.nil? || path == "database"

        passed_over = []
        found = scanner.found_in_schema(PersonalData::SchemaFile.sql(settings.in_app(path)) { |sentence| passed_over << sentence })
        found.merge(warnings: [*found[:warnings], *passed_over])
      end

      # A schema without tables has not been loaded, or is not PostgreSQL's; it must not count as covered.
      def no_tables
        ConfigurationError.new("The schema has no tables.",
                               "Name the file that has them (`rake 'scalingo_staging_sync:coverage[db/structure.sql]'`), " \
                               "or load the schema into the database first.")
      end

      def show_progress(event)
        return unless event[:event].to_s == "downloaded" && now - @shown_at >= SHOW_EVERY

        @shown_at = now
        total = " of #{Support::Figures.bytes(event[:total])}" if event[:total]
        @errors.puts("Read #{Support::Figures.bytes(event[:bytes])}#{total}.")
      end

      def now = Process.clock_gettime(Process::CLOCK_MONOTONIC)
    end
  end
end

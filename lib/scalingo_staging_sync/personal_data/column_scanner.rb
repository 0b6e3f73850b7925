# frozen_string_literal: true

require "securerandom"

module ScalingoStagingSync
  module PersonalData
    # Finds the columns that look personal, by their names and by the values of their first rows, and says which of
    # them no rule covers. It reads, and changes nothing anywhere.
    class ColumnScanner
      include Support::Discreet

      # What stands for a backup where none is read.
      NO_SOURCE = { "file" => File::NULL }.freeze
      private_constant :NO_SOURCE

      # @param url [String, nil] a PostgreSQL database; nil: DATABASE_URL, as a run takes it
      # @param config [Configuration] the rules, and what is known not to be personal
      # @param native [Module, nil] what does the work; nil: the native library
      def initialize(url = nil, config: ScalingoStagingSync.configuration, native: nil)
        @url = url && Secret.new(url)
        @config = config
        @native = native
      end

      # The columns of a database that look personal and that neither a rule nor `config.pii_ignore` covers.
      #
      # @return [Array<Hash{Symbol => Object}>] each with :table (`schema.table`), :column, :kind, :heading (identity,
      #   contact, personal, financial, auth, medical or biometric), :confidence (0.5 to 1), :found_by, :reason,
      #   :values (looked at), :count, :share, :status, :because, :mask and :rule (Ruby that covers it, if a mask fits)
      # @raise [Error] when the database cannot be read, or a rule does not fit it
      def scan
        found_in_database[:findings].select { |facts| Report::Finding.of(facts).uncovered? }
      end

      # Everything that was found in the database, covered or not.
      #
      # @param names_only [Boolean] whether to look at names alone, and read no row
      # @return [Hash{Symbol => Object}] :origin, :tables (how many), :findings (each as {#scan} returns it), :rules (Ruby
      #   that covers what nothing covers, or nil) and :warnings
      # @raise [Error] when the database cannot be read, or a rule does not fit it
      def found_in_database(names_only: false)
        look(NO_SOURCE, { "database" => Secret.new(@url&.reveal || EngineSettings.target_url || raise(no_database)) }, names_only:)
      end

      # Everything that was found in the backup that a run would use. No new backup is asked for.
      #
      # @yieldparam event [Hash{Symbol => Object}] the engine's events
      # @return [Hash{Symbol => Object}] as {#found_in_database} returns it
      # @raise [Error] when it cannot be read, or a rule does not fit it
      def found_in_backup(&)
        look(settings.source, nil, &)
      end

      # Everything that the names in a schema reveal.
      #
      # @param sql [String] the statements that make it
      # @return [Hash{Symbol => Object}] as {#found_in_database} returns it
      # @raise [Error] when a rule does not fit it
      def found_in_schema(sql)
        look(NO_SOURCE, { "sql" => sql })
      end

      private

      def settings
        EngineSettings.new(@config)
      end

      def look(source, place, names_only: false, &onward)
        @config.check!
        raise_unless_enabled
        events = PersonalData::OwnPatterns.new(@config.pii_detection_patterns).block(onward)
        (@native || Native).scan(Secret.reveal(asked(source, names_only)), Secret.reveal(place), &events)
      end

      # Neither a target nor the key is needed: nothing is written, and no pseudonym is kept.
      def asked(source, names_only)
        pii = settings.pii
        {
          "source" => source,
          "target" => { "url" => "postgres://localhost", "parallel_connections" => 1 },
          "masking" => settings.rules.merge("secret" => SecureRandom.hex(32), "allow_unmasked_copy" => true),
          "pii" => names_only ? pii.merge("sample_rows" => 0) : pii,
          "exclude_tables" => @config.exclude_tables
        }
      end

      def raise_unless_enabled
        return if @config.run_pii_scan

        raise ConfigurationError.new("config.run_pii_scan is false, so personal data is not looked for.", "Set it to true.")
      end

      def no_database
        ConfigurationError.new("There is no PostgreSQL database to look at.", "Set DATABASE_URL.")
      end
    end
  end
end

# frozen_string_literal: true

require "active_support/core_ext/object/blank"
require "active_support/key_generator"
require "json"
require "openssl"
require "securerandom"
require "uri"

module ScalingoStagingSync
  # The hash that the engine takes, made from the configuration and the environment. Its shape is that of the
  # struct in `ext/engine/src/settings.rs`; the keys are Strings.
  #
  # What is secret in it is a {Secret}; {Secret.reveal} makes plain Strings of them for the engine.
  class EngineSettings
    include Support::Discreet

    # Ties the derived key to its purpose. Changing it would change every pseudonym.
    SECRET_SALT = "scalingo-staging-sync anonymization secret"
    SECRET_ITERATIONS = 65_536

    # The stand-in for a target in jobs that touch none.
    NO_DATABASE = "postgres://none"
    private_constant :SECRET_SALT, :SECRET_ITERATIONS, :NO_DATABASE

    class << self
      # The key for pseudonyms if none is configured: PBKDF2-HMAC-SHA256 of Rails' secret_key_base,
      # so that pseudonyms stay the same for as long as that does.
      #
      # @return [String, nil] 64 hexadecimal digits; nil if there is no Rails app with a secret_key_base
      def derived_secret
        return if !defined?(Rails.application) || Rails.application&.secret_key_base.blank?

        ActiveSupport::KeyGenerator
          .new(Rails.application.secret_key_base, iterations: SECRET_ITERATIONS, hash_digest_class: OpenSSL::Digest::SHA256)
          .generate_key(SECRET_SALT, 32).unpack1("H*")
      rescue ArgumentError
        nil # Rails raises where the app has no secret_key_base
      end

      # @return [String, nil] the URL of the target: DATABASE_URL, else SCALINGO_POSTGRESQL_URL, else what
      #   ActiveRecord is configured for
      def target_url
        ENV["DATABASE_URL"].presence || ENV["SCALINGO_POSTGRESQL_URL"].presence || active_record_url
      end

      # @return [String, nil] ActiveRecord's primary database as a URL; nil if it is not PostgreSQL
      def active_record_url
        return unless defined?(ActiveRecord::Base)

        database = ActiveRecord::Base.connection_db_config
        return unless database.adapter.to_s.match?(/\Apost(gres|gis)/)

        Database::Url.from_active_record(database.configuration_hash)
      rescue ActiveRecord::ActiveRecordError, LoadError, URI::InvalidURIError
        nil # nothing is configured for this environment, or an adapter that is not there, or a URL that is none and in the error
      end

      # @return [Database::Url, nil] the target; nil if none is configured or its URL cannot be read
      def target_database = Database::Url.parse(target_url)

      # @return [Database::Url, nil] ActiveRecord's primary database; nil if it is not PostgreSQL
      def rails_database = Database::Url.parse(active_record_url)

      # @return [Boolean] whether the target is ActiveRecord's primary database, judging by the URLs
      def target_of_rails?
        target = target_database
        rails = rails_database
        !target.nil? && !rails.nil? && target.same_database?(rails)
      end
    end

    # @param config [Configuration] what to read
    def initialize(config = ScalingoStagingSync.configuration)
      @config = config
    end

    # @param source [Hash, nil] another source than the configured one
    # @param exclude_tables [Array<String>] tables to create without their rows
    # @param more_to_come [Boolean] whether {Database::History#finishing} follows, which marks the target complete
    # @param target [Hash{String => Object}] which database is filled, and how
    # @return [Hash{String => Object}] everything a run needs
    # @raise [ConfigurationError] when something that a run needs is missing
    def to_h(source: nil, exclude_tables: @config.exclude_tables, more_to_come: false, target: self.target)
      {
        "source" => source || self.source,
        "target" => target.merge("more_to_come" => more_to_come),
        "masking" => masking,
        "pii" => pii,
        "exclude_tables" => exclude_tables,
        "exclude_objects" => @config.exclude_objects,
        "on_object_error" => @config.on_object_error.to_s,
        "include_tables" => include_tables,
        "include_tables_from" => include_tables_from,
        "keep_tables" => @config.keep_tables,
        "subset" => Part.new(@config).to_h,
        "include_foreign_servers" => @config.include_foreign_servers,
        "exclude_large_objects" => @config.exclude_large_objects,
        "leak_check" => leak_check,
        "quiesce" => @config.quiesce,
        "storage_service" => RailsHints.storage_service,
        "fingerprint" => fingerprint(exclude_tables)
      }
    end

    # @return [Hash{String => Object}] everything a dump needs, which fills no database
    # @raise [ConfigurationError] when something that it needs is missing
    def dump = to_h(target: target(url: Secret.new(NO_DATABASE)))

    # @return [Hash{String => Object}] what a dry run needs to find out what a dump would refuse: the workspace is its target
    # @raise [ConfigurationError] when something that it needs is missing
    def dump_ahead = dump.then { |needed| needed.merge("target" => workspace || needed.fetch("target"), "alone" => true) }

    # @return [Hash{String => Object}, nil] the database in which a dump computes what only SQL can express; nil if there is none
    def workspace
      url = @config.workspace_url || self.class.target_url
      url && target(url: Secret.new(url))
    end

    # For an archive that is already masked: nothing in it is masked again or searched for.
    #
    # @param path [String] the archive, absolute
    # @param fingerprint [String, nil] that of the rules by which it was masked
    # @param more_to_come [Boolean] whether {Database::History#finishing} follows
    # @return [Hash{String => Object}] everything that loading it needs
    # @raise [ConfigurationError] when no PostgreSQL database is configured
    def masked(path, fingerprint, more_to_come: false)
      {
        "source" => { "file" => path },
        "target" => target.merge("more_to_come" => more_to_come),
        "include_tables" => named_tables,
        "include_tables_from" => include_tables_from,
        # No pseudonym is made, so no key is needed.
        "masking" => { "secret" => Secret.new(SecureRandom.hex(32)), "allow_unmasked_copy" => true },
        "include_foreign_servers" => true,
        "keep_tables" => @config.keep_tables,
        "storage_service" => RailsHints.storage_service,
        "fingerprint" => fingerprint
      }
    end

    # A fingerprint of everything that decides what is masked and what is left out, without the key. Two runs with
    # the same fingerprint had the same rules.
    #
    # @param exclude_tables [Array<String>] tables to create without their rows
    # @return [String] 64 hexadecimal digits
    def fingerprint(exclude_tables = @config.exclude_tables)
      part = Part.new(@config).then { |one| one.to_h if one.rules? }
      decisive = rules.merge("exclude_tables" => exclude_tables, "include_tables" => include_tables,
                             "keep_tables" => @config.keep_tables, "subset" => part, "pii" => pii.slice("scan", "policy", "ignore"),
                             "quiesce" => @config.quiesce, "staging_password" => !@config.staging_password.nil?)
      OpenSSL::Digest::SHA256.hexdigest(JSON.generate(decisive.sort.to_h))
    end

    # @return [Array<String>] the tables that come with their rows, where not all do: TABLES, else `config.include_tables`
    def include_tables
      named_tables.then { |named| named.any? ? named : @config.include_tables }
    end

    # @return [String, nil] the local archive to read, absolute: BACKUP_FILE, else `config.backup_file`
    def backup_file
      file = ENV["BACKUP_FILE"].presence || @config.backup_file
      file && in_app(file)
    end

    # @return [String, nil] the app whose database is copied; nil if the backup is a file or a link, which may be of any
    def source_app_name
      @config.clone_source_scalingo_app_name if @config.set?(:clone_source_scalingo_app_name) && !given?
    end

    # @return [Boolean] whether the backup is a file, or a link to one, so that Scalingo is not asked
    def given? = !(backup_file || @config.backup_url).nil?

    # @return [Hash{String => Object}] where the backup comes from
    # @raise [ConfigurationError] when neither a file nor a link nor an app and a token are set
    def source
      file = backup_file
      return { "file" => file } if file

      @config.backup_url ? { "link" => secret_of(@config.backup_url) } : { "scalingo" => scalingo }
    end

    # @param force_download [Boolean] whether an archive that was kept is passed over, whatever the variable says
    # @return [Hash{String => Object}] how to reach the source app's backups
    # @raise [ConfigurationError] when the source app or the token is not set
    def scalingo(force_download: false)
      {
        "app" => source_app,
        "api_token" => api_token,
        "region" => @config.scalingo_region,
        "addon_id" => @config.scalingo_addon_id,
        "backup_max_age" => @config.backup_max_age,
        "urls" => base_urls,
        "stall_timeout" => @config.stall_timeout,
        "keep_in" => (in_app(@config.temp_dir) if @config.keep_backup),
        "force_download" => force_download || Support::Variables.new.yes?("FORCE_BACKUP_DOWNLOAD")
      }
    end

    # @param url [Secret, nil] its URL; nil: the target's
    # @return [Hash{String => Object}] which database is filled, and how
    # @raise [ConfigurationError] when no PostgreSQL database is configured
    def target(url: nil)
      {
        "url" => url || target_url,
        "parallel_connections" => @config.parallel_connections,
        "lock_timeout" => @config.lock_timeout,
        "stall_timeout" => @config.stall_timeout,
        "terminate_connections" => @config.terminate_connections,
        "postgis" => @config.postgis,
        "retry_attempts" => @config.anonymization_retry_attempts,
        "retry_delay" => @config.anonymization_retry_delay
      }
    end

    # @return [Hash{String => Object}] what is masked, and how it is checked
    # @raise [ConfigurationError] when there is no key for pseudonyms
    def masking
      {
        "secret" => secret, "staging_password" => secret_of(@config.staging_password),
        "encrypted" => EncryptedAttributes.all(@config.anonymized_email_domain)
      }.merge(rules)
    end

    # @return [Hash{String => Object}] the same without keys and passwords
    def rules
      {
        "email_domain" => @config.anonymized_email_domain,
        "countries" => [@config.country.upcase],
        "rules" => @config.anonymization_tables.reject { |entry| sql?(entry) }.map { |entry| rule(entry) },
        "sql_rules" => sql_rules,
        "allow_unmasked_copy" => @config.allow_unmasked_copy,
        "verify" => @config.verify_anonymization,
        "fail_on_verification_error" => @config.fail_on_verification_error,
        "rollback_on_error" => @config.anonymization_rollback_on_error
      }
    end

    # @return [Hash{String => Object}] how personal data that no rule covers is looked for, and what is done about it
    def pii
      return { "scan" => false, "ignore" => ignored } unless @config.run_pii_scan

      {
        "scan" => true,
        "policy" => @config.pii_policy.to_s,
        "sample_rows" => (@config.pii_sample_rows unless @config.pii_sample_rows == :all),
        "ignore" => ignored,
        "filter_parameters" => RailsHints.filter_parameters,
        "encrypted" => RailsHints.encrypted_columns,
        "admitted" => RailsHints.admitted_values,
        "own_patterns" => !@config.pii_detection_patterns.nil?
      }
    end

    # @return [Hash{String => Object}] whether every row is looked at for originals of masked columns
    def leak_check
      { "enabled" => @config.run_pii_scan && @config.leak_check, "names" => @config.leak_check_names }
    end

    # @return [Array<Hash{String => Object}>] the rules that only SQL can express
    # @raise [ConfigurationError] when a custom strategy returns no SQL, or ignores a condition
    def sql_rules
      entries = @config.anonymization_tables.select { |entry| sql?(entry) }.map { |entry| sql_rule(entry) }
      entries + @config.anonymization_rules.map { |table, columns| expressions(table, columns) }
    end

    # @param path [String] a path
    # @return [String] it made absolute; a relative one is taken from the app's root
    def in_app(path)
      root = defined?(Rails.root) && Rails.root
      File.expand_path(path, root ? root.to_s : Dir.pwd)
    end

    private

    # What messages call them.
    def include_tables_from = ("TABLES" if named_tables.any?)

    def named_tables = Support::Variables.new.tables

    def ignored = @config.pii_ignore.map { |column, reason| { "column" => column, "reason" => reason } }

    def source_app
      name = @config.clone_source_scalingo_app_name
      return name unless name == Configuration::PLACEHOLDER_APP

      raise ConfigurationError.new(
        "The app to copy from is not set.",
        "Set config.clone_source_scalingo_app_name to the production app's name on Scalingo."
      )
    end

    def api_token
      secret_of(@config.scalingo_api_token) || raise(
        ConfigurationError.new(
          "There is no token for Scalingo's API.",
          "Make one in Scalingo's dashboard and set it: " \
          "`scalingo --app my-app-staging env-set SCALINGO_API_TOKEN=tk-us-...`."
        )
      )
    end

    def base_urls
      {
        "auth" => ENV["SCALINGO_AUTH_URL"].presence,
        "api" => ENV["SCALINGO_API_URL"].presence,
        "database" => ENV["SCALINGO_DB_URL"].presence
      }
    end

    def target_url
      secret_of(self.class.target_url) || raise(
        ConfigurationError.new(
          "No PostgreSQL database is configured as the target.",
          "Set DATABASE_URL, or give this environment a database in config/database.yml."
        )
      )
    end

    def secret_of(text) = text && Secret.new(text)

    def secret
      secret_of(@config.anonymization_secret) || raise(
        ConfigurationError.new(
          "There is no key to make pseudonyms with.",
          "Set config.anonymization_secret, or the app's secret_key_base from which it is derived."
        )
      )
    end

    def rule(entry)
      {
        "name" => Messages::RuleNames.entry(entry),
        "table" => entry.fetch(:table).to_s,
        "strategy" => entry[:strategy]&.to_s,
        "columns" => (plain(entry[:columns]) if entry[:columns]),
        "keep" => (plain(entry[:keep]) if entry[:keep]),
        "condition" => entry[:condition],
        "reads" => entry[:reads]&.map(&:to_s),
        "translation" => entry[:translation]
      }.compact
    end

    # A mask with its options may be nested; the engine knows Strings, not Symbols.
    def plain(value)
      case value
      when Hash then value.to_h { |key, inner| [key.to_s, plain(inner)] }
      when Array then value.map { |inner| plain(inner) }
      when Symbol then value.to_s
      else value
      end
    end

    def sql?(entry)
      entry[:query] || (entry[:strategy] && Database::AnonymizationStrategies.custom?(entry[:strategy]))
    end

    # A custom strategy's SQL has the condition in it already.
    def sql_rule(entry)
      table = entry.fetch(:table).to_s
      common = { "name" => Messages::RuleNames.entry(entry), "table" => table, "reads" => entry.fetch(:reads, nil).to_a.map(&:to_s),
                 "translation" => entry[:translation] }
      return common.merge("query" => entry[:query], "condition" => entry[:condition]) if entry[:query]

      common.merge("query" => Database::AnonymizationStrategies.statement(entry[:strategy], table, entry[:condition]))
    end

    def expressions(table, columns)
      {
        "name" => Messages::RuleNames.expressions(table),
        "table" => table,
        "columns" => columns.select { |column, _| column.is_a?(String) }.to_a,
        "condition" => columns[:condition],
        "join" => columns[:join],
        "reads" => columns.fetch(:reads, []).map(&:to_s)
      }
    end
  end
end

# frozen_string_literal: true

require "active_support"
require "active_support/deprecation"

module ScalingoStagingSync
  # What apps that were written for 0.1 may still do, and nothing else: former arguments, methods and constants. Each use
  # says in one line, through Rails' deprecator, what to write instead.
  #
  # 1.0 drops this file, and with it the lines that name it: in `scalingo_staging_sync.rb`, in `Configuration#store` and in
  # the Railtie.
  module Legacy
    # The version without all of this.
    GONE_IN = "1.0"

    # The most connections that a run opens; 0.1 knew no limit.
    MOST_CONNECTIONS = 8

    # The options of 0.1 that are on by default.
    ON = %i[anonymization_rollback_on_error verify_anonymization fail_on_verification_error run_pii_scan].freeze
    private_constant :ON

    class << self
      # @return [ActiveSupport::Deprecation] what says each use, registered with Rails as :scalingo_staging_sync
      def deprecator
        @deprecator ||= ActiveSupport::Deprecation.new(GONE_IN, "scalingo-staging-sync")
      end

      # @param sentence [String] what is former, and what to write instead
      # @return [void]
      def note(sentence)
        ours = File.expand_path("..", __dir__)
        deprecator.warn(sentence, caller_locations.drop_while { |location| location.absolute_path.to_s.start_with?(ours) })
      end

      # Gives each class its former ways when it is loaded.
      #
      # @param loader [Zeitwerk::Loader] what loads the classes
      # @return [void]
      def attach(loader)
        ScalingoStagingSync.extend(Doors)
        {
          "Services::Coordinator" => ->(klass) { klass.prepend(LoggerArgument) },
          "Services::DatabaseBackupService" => ->(klass) { klass.prepend(BackupArguments).extend(BackupErrors) },
          "Services::DatabaseRestoreService" => ->(klass) { klass.prepend(RestoreArguments) },
          "Services::DatabaseAnonymizerService" => ->(klass) { klass.prepend(AnonymizerArguments) },
          "Services::SlackNotificationService" => ->(klass) { klass.prepend(LoggerArgument) },
          "Integrations" => ->(mod) { mod.extend(ApiErrors) },
          "Support" => ->(mod) { mod.extend(Helpers) },
          "Integrations::ScalingoApiClient" => ->(klass) { klass.prepend(ClientArguments) },
          "Testing::Tester" => ->(klass) { klass.prepend(LoggerArgument).include(RunTests) },
          "Database::AnonymizationStrategies" => ->(mod) { mod.extend(Strategies) },
          "Database::PiiScanner" => ->(mod) { mod.include(Scanner).extend(Scanner::Included, Scanner::Constants) },
          "Support::EnvironmentValidator" => ->(mod) { mod.include(Validation).extend(Validation::Included) }
        }.each { |name, give| loader.on_load("ScalingoStagingSync::#{name}") { |target, *| give.call(target) } }
      end

      # A value as 0.1 took it, as the option takes it now.
      #
      # @param option [Configuration::Option] the option that is set
      # @param value [Object] what it is given
      # @return [Object] what the option takes; the value itself if it needs no translation
      def setting(option, value)
        if option.name == :parallel_connections && Integer(value, exception: false).to_i > MOST_CONNECTIONS
          note("config.parallel_connections = #{value.to_i} is taken as #{MOST_CONNECTIONS}, the most that a run opens.")
          MOST_CONNECTIONS
        else
          note_less(option, value) if ON.include?(option.name)
          value
        end
      end

      # Settings that stand in a former argument, in a configuration of the service's own.
      #
      # @param former [String] how the service was made, in the words of 0.1
      # @param given [Hash{Symbol => Object}] the arguments that are left
      # @param settings [Hash{Symbol => Object}] options, and what the former arguments say of them
      # @return [Hash{Symbol => Object}] the arguments as they are now
      def arguments(former, given, **settings)
        settings = settings.compact
        return given if settings.empty?

        note("#{former} takes #{settings.keys.map { |name| "config.#{name}" }.join(" and ")} from the configuration; " \
             "set #{settings.one? ? "it" : "them"} there.")
        ScalingoStagingSync.configuration.logger = settings[:logger] if settings[:logger] # one logger for all of the log
        config = (given[:config] || ScalingoStagingSync.configuration).dup
        settings.each { |name, value| config.public_send(:"#{name}=", value) }
        given.merge(config:)
      end

      # A database's URL as an argument may name the target and nothing else: the guard looks at the target.
      #
      # @param former [String] what has the argument
      # @param url [String, nil] what it is given
      # @return [void]
      # @raise [ConfigurationError] when it names another database
      def same_target!(former, url)
        return if url.nil?

        note("#{former} takes its database from DATABASE_URL; leave the argument out.")
        given = Database::Url.parse(url)
        target = EngineSettings.target_database
        return if given && target && given.same_database?(target)

        raise ConfigurationError.new("#{former} was given a database that is not the target.",
                                     "Let DATABASE_URL name the database, and leave the argument out. Nothing was touched.")
      end

      private

      # In 0.1 nil and a String did something else to an option that is on by default.
      def note_less(option, value)
        if value.nil?
          note("config.#{option.name} = nil was false in 0.1; it is the default now, true. Set it to false to turn it off.")
        elsif value.is_a?(String) && !value.strip.empty? && Support::Variables.meaning(value) == false
          note("config.#{option.name} = #{value.strip.inspect} was true in 0.1, as every String was; it is false now.")
        end
      end
    end

    # Former methods of {ScalingoStagingSync}.
    module Doors
      # @return [ActiveSupport::Deprecation] see {Legacy.deprecator}
      def deprecator = Legacy.deprecator

      # @param config [Configuration, nil] the configuration of this process; nil: a new one
      # @return [void]
      # @raise [TypeError] when it is something else
      def configuration=(config)
        raise TypeError, "ScalingoStagingSync.configuration takes a Configuration" unless config.nil? || config.is_a?(Configuration)

        Legacy.note("ScalingoStagingSync.configuration= goes; use ScalingoStagingSync.configure or reset_configuration!.")
        @configuration = config
      end
    end

    # `new(logger:)`.
    module LoggerArgument
      # @param logger [Logger, nil] now config.logger
      def initialize(logger: nil, **given)
        super(**Legacy.arguments("#{self.class.name.split("::").last}.new(logger:)", given, logger:))
      end
    end

    # `DatabaseBackupService.new(app, directory, logger:)`.
    module BackupArguments
      # @param app [String, nil] now config.clone_source_scalingo_app_name
      # @param directory [String, Pathname, nil] now config.temp_dir
      # @param logger [Logger, nil] now config.logger
      # @param options [Hash, nil] a timeout, which there is none of any more
      def initialize(app = nil, directory = nil, logger: nil, options: nil, **given)
        Legacy.note("DatabaseBackupService.new(options:) has no effect; leave it out.") if options
        super(**Legacy.arguments("DatabaseBackupService.new(app, directory)", given,
                                 clone_source_scalingo_app_name: app, temp_dir: directory, logger:))
      end
    end

    # `DatabaseRestoreService.new(url, logger:)` and `restore!(path, toc_file:)`.
    module RestoreArguments
      # @param url [String, nil] the target, which DATABASE_URL names
      # @param logger [Logger, nil] now config.logger
      def initialize(url = nil, logger: nil, **given)
        Legacy.same_target!("DatabaseRestoreService.new(url)", url)
        super(**Legacy.arguments("DatabaseRestoreService.new(logger:)", given, logger:))
      end

      # @param path [String, Pathname] an archive
      # @param toc_file [Object, nil] a list for pg_restore, which does not run any more
      # @return [Hash{Symbol => Object}] as {Services::DatabaseRestoreService#restore!}
      # @raise [ConfigurationError] when there is such a list: without it more rows would come
      def restore!(path, toc_file: nil, **)
        if toc_file
          raise ConfigurationError.new("DatabaseRestoreService#restore! was given a toc_file, and no pg_restore runs that could read it.",
                                       "Name the tables that it leaves out in exclude_tables. Nothing was touched.")
        end

        super(path, **)
      end
    end

    # `DatabaseAnonymizerService.new(url, parallel_connections:, logger:)`.
    module AnonymizerArguments
      # @param url [String, nil] the target, which DATABASE_URL names
      # @param parallel_connections [Integer, nil] now config.parallel_connections
      # @param logger [Logger, nil] now config.logger
      def initialize(url = nil, parallel_connections: nil, logger: nil, **given)
        Legacy.same_target!("DatabaseAnonymizerService.new(url)", url)
        super(**Legacy.arguments("DatabaseAnonymizerService.new(parallel_connections:)", given, parallel_connections:, logger:))
      end
    end

    # `ScalingoApiClient.new(app, logger:)`.
    module ClientArguments
      # @param app [String, nil] now config.clone_source_scalingo_app_name
      # @param logger [Logger, nil] now config.logger
      def initialize(app = nil, logger: nil, **given)
        super(**Legacy.arguments("ScalingoApiClient.new(app)", given, clone_source_scalingo_app_name: app, logger:))
      end
    end

    # `DatabaseBackupService::DownloadError` and the like, which are ScalingoApiClient's.
    module BackupErrors
      # @param name [Symbol] a constant that does not exist
      # @return [Class] the error of that name
      def const_missing(name)
        return super unless %i[BackupError AddonNotFoundError BackupNotFoundError DownloadError].include?(name)

        Legacy.note("DatabaseBackupService::#{name} is Integrations::ScalingoApiClient::#{name}.")
        Integrations::ScalingoApiClient.const_get(name)
      end
    end

    # `Integrations::BackupService`, whose errors are ScalingoApiClient's.
    module ApiErrors
      # @param name [Symbol] a constant that does not exist
      # @return [Class] the class that has the errors
      def const_missing(name)
        return super unless name == :BackupService

        Legacy.note("Integrations::BackupService is Integrations::ScalingoApiClient.")
        const_get(:ScalingoApiClient)
      end
    end

    # `include Support::CoordinatorHelpers`, which holds nothing any more.
    module Helpers
      # @param name [Symbol] a constant that does not exist
      # @return [Module] one without methods
      def const_missing(name)
        return super unless name == :CoordinatorHelpers

        Legacy.note("Support::CoordinatorHelpers goes, and is empty; leave it out.")
        Nothing
      end

      # What is included instead.
      module Nothing; end
    end

    # `Tester#run_tests!`.
    module RunTests
      # @return [Boolean] as {Testing::Tester#run}
      def run_tests!
        Legacy.note("Testing::Tester#run_tests! is Testing::Tester#run.")
        run
      end
    end

    # Former methods of {Database::AnonymizationStrategies}.
    module Strategies
      # @param name [Symbol, String] a strategy's name
      # @return [Boolean] whether there is one
      def strategy_exists?(name)
        Legacy.note("AnonymizationStrategies.strategy_exists?(name) is AnonymizationStrategies.names.include?(name).")
        names.include?(name.to_sym)
      end

      # @param name [Symbol, String] a strategy's name
      # @return [Proc, nil] what makes its SQL of a table and a condition; that of a built-in strategy raises
      #   ConfigurationError, since it masks rows as they pass and is no SQL; nil if there is none
      def get_strategy(name)
        Legacy.note("AnonymizationStrategies.get_strategy(name) is AnonymizationStrategies.statement(name, table, condition).")
        return unless names.include?(name.to_sym)
        return ->(table, condition = nil) { statement(name, table, condition) } if custom?(name)

        lambda do |*|
          raise ConfigurationError.new("The built-in strategy :#{name} is not SQL any more.",
                                       "Name it in an entry of config.anonymization_tables.")
        end
      end
    end

    # `include Support::EnvironmentValidator`.
    module Validation
      # Says that a class includes the module.
      module Included
        # @param base [Module] what includes it
        # @return [void]
        def included(base)
          super
          Legacy.note("include Support::EnvironmentValidator goes; call Support::ProductionGuard.new.validate!.")
        end
      end

      # @return [void]
      # @raise [Support::EnvironmentValidator::ProductionEnvironmentError] when this may be production
      # @raise [ConfirmationError] when the operator did not confirm
      def validate_environment!
        Guard::Production.new.validate!
        Guard::AllowedEnvironments.new.check!
        Terminal::Confirmation.new.require!
      end
    end

    # `include Database::PiiScanner`.
    module Scanner
      # Patterns for the names of columns, for apps that add to them. Without `config.pii_detection_patterns` names are
      # understood by far more than this.
      PATTERNS = {
        identity: /\b(?:nir|passport|national id|social security|ssn|driv(?:er|ing) licen[cs]e|tax (?:id|number))\b/i,
        contact: /\b(?:e?mail|phone|mobile|telephone|fax|address|street|city|town|zip|post(?:al)? ?code)\b/i,
        personal: /\b(?:(?:first|last|full|given|family|maiden|sur) ?name|name|birth ?(?:day|date|place)?|dob|gender|sex|age)\b/i,
        financial: /\b(?:iban|bic|credit card|card number|cvv|cvc|account number|salary|income)\b/i,
        auth: /\b(?:password|token|secret|api key|credentials?|otp)\b/i,
        medical: /\b(?:diagnos[ie]s|prescription|medical|health|blood type|allerg(?:y|ies))\b/i,
        biometric: /\b(?:biometric|fingerprint|retina|iris|face print|dna)\b/i
      }.freeze

      # Says that a class includes the module.
      module Included
        # @param base [Module] what includes it
        # @return [void]
        def included(base)
          super
          base.extend(Constants)
          Legacy.note("include Database::PiiScanner goes; call Database::PiiScanner.new.scan.")
        end
      end

      # `DEFAULT_PII_PATTERNS`.
      module Constants
        # @param name [Symbol] a constant that does not exist
        # @return [Hash{Symbol => Regexp}] the patterns
        def const_missing(name)
          return super unless name == :DEFAULT_PII_PATTERNS

          Legacy.note("DEFAULT_PII_PATTERNS goes: without config.pii_detection_patterns names are understood by far more.")
          PATTERNS
        end
      end

      # @param connection [PG::Connection] a connection to the target
      # @param anonymized_tables [Array<String>] tables to leave out
      # @return [Hash{Symbol => Object}] :potential_pii, by table and column the headings, and :warnings
      # @raise [ConfigurationError] when the connection is to another database
      def scan_for_unanonymized_pii(connection, anonymized_tables = [])
        target = EngineSettings.target_database
        unless connection.db == target&.database
          raise ConfigurationError.new("The connection is to another database than the target.", "Let DATABASE_URL name it.")
        end

        found = PersonalData::ColumnScanner.new.scan.group_by { |finding| finding[:table].delete_prefix("public.") }.except(*anonymized_tables)
        found = found.transform_values { |findings| findings.to_h { |finding| [finding[:column], [finding[:heading].to_sym]] } }
        { potential_pii: found, warnings: found.map { |table, columns| "#{table} looks personal: #{columns.keys.join(", ")}." } }
      end
    end
  end
end

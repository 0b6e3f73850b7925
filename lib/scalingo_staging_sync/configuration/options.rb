# frozen_string_literal: true

require "logger"
require "pathname"
require "tmpdir"
require "active_support/core_ext/object/blank"

module ScalingoStagingSync
  class Configuration
    # Every option, with its default, the values that it takes and what it is for. The table in docs/options.md and the initializer
    # that the generator writes are made from this list.
    module Options
      FALLBACK_LOGGER = Logger.new($stderr)
      private_constant :FALLBACK_LOGGER

      @all = {}

      class << self
        # @return [Hash{Symbol => Option}] every option by its name, in the documentation's order
        attr_reader :all

        private

        # Begins a heading for the options that follow.
        def group(title)
          @group = title
        end

        # @!macro [attach] option
        #   @!attribute [rw] $1
        #   $4
        #   Type and default: $2, $3.
        #   @raise [ArgumentError] when it is set to something else, outside of {ScalingoStagingSync.configure}
        def option(name, kind, default, doc, shown: default.inspect, example: shown, secret: false, cosmetic: false, added_to: nil)
          row = Option.new(name:, group: @group, kind:, default:, shown:, example:, doc:, secret:, cosmetic:, added_to:)
          all[name] = row
          define_method(name) { |*given| given.empty? ? read(row) : refuse_call(row) }
          define_method(:"#{name}=") { |value| store(row, value) }
        end
      end

      group "Source"

      option :clone_source_scalingo_app_name, Kind::STRING, PLACEHOLDER_APP,
             "The Scalingo app whose database is copied. Required, unless `backup_file` or `backup_url` is set.",
             example: '"my-app-production"'

      option :scalingo_api_token, Kind::TOKEN, -> { ENV["SCALINGO_API_TOKEN"].presence },
             "The token for Scalingo's API, `tk-us-...`. Keep it in the environment, not in the code.",
             shown: 'ENV["SCALINGO_API_TOKEN"]', secret: true

      option :scalingo_region, Kind::STRING, -> { ENV["REGION_NAME"].presence || "osc-fr1" },
             "The region of the source app.",
             shown: 'ENV["REGION_NAME"] || "osc-fr1"', example: '"osc-fr1"'

      option :scalingo_addon_id, Kind::STRING, nil,
             "Which PostgreSQL addon, where the source app has several: `ad-...`.",
             example: '"ad-00000000-0000-0000-0000-000000000000"'

      option :backup_max_age, Kind::DURATION, nil,
             "nil: take the newest backup there is. A duration: ask Scalingo for a fresh one when the newest is " \
             "older. 0: always ask for a fresh one.",
             example: "12.hours"

      option :backup_file, Kind::PATH, -> { ENV["BACKUP_FILE"].presence },
             "An archive on this machine, used instead of Scalingo's: .tar.gz, .tar, or what `pg_dump -Fc` wrote. " \
             "The environment variable BACKUP_FILE wins over it.",
             shown: 'ENV["BACKUP_FILE"]', example: '"tmp/production.tar.gz"'

      option :backup_url, Kind::LINK, -> { ENV["BACKUP_URL"].presence },
             "A pre-signed link to such an archive, which production's own job has pushed: staging then needs no token of " \
             "Scalingo's. https, or on this machine; it is a secret. `backup_file` wins over it.",
             shown: 'ENV["BACKUP_URL"]', secret: true

      option :keep_backup, Kind::BOOLEAN, false,
             "true keeps the downloaded archive in `temp_dir` (production's data as it is, mode 0600) and uses it " \
             "again while `backup_max_age` allows; the variable FORCE_BACKUP_DOWNLOAD passes it over. With false nothing " \
             "is written to disk."

      group "Security"

      option :production_hostname_patterns, Kind::PATTERNS, [/prod/i, /production/i].freeze,
             "A database host that matches one of these is taken for production, and the run is refused."

      option :production_app_name_patterns, Kind::PATTERNS, [/prod/i, /production/i].freeze,
             "An app name (the variable APP) that matches one of these is taken for production, and the run is refused."

      option :allowed_environments, Kind::NAMES, nil,
             "Where a run may change the database, by the names of Rails' environments. nil: everywhere but in production; " \
             "in development and test it asks for the database's name first, and is refused where there is no terminal (the " \
             "variables CI and FORCE answer for you). A list: exactly there, and nothing is asked for. Production is refused in any case.",
             example: '["staging"]', added_to: -> { [] }

      option :require_confirmation, Kind::BOOLEAN, false,
             "Ask for the target app's name before anything happens. Skipped when the variable CI, " \
             "CONTINUOUS_INTEGRATION or FORCE says yes; refused at once where there is no terminal."

      option :dry_run, Kind::BOOLEAN, false,
             "Print what a run would do, and touch nothing. The variable DRY_RUN does the same; FORMAT=json prints JSON."

      group "Anonymization"

      option :anonymization_tables, Kind::ENTRIES, [].freeze,
             "What is masked: one Hash per table, with a `strategy` (built-in or registered), or `columns` and their masks, " \
             "or a `query` (UPDATE or DELETE), and if need be `keep` (values that stay), a `condition` in SQL, `reads` " \
             "(tables that a function in the query or the condition reads) and, for Slack, the table's French name. A table is " \
             "named `table` or `schema.table`, with `*`; a name with a dot, a star or a quote in it is quoted, as in SQL: " \
             "`'\"sch.ema\".\"tab.le\"'`.",
             example: '[{ table: "users", strategy: :user_anonymization, translation: "utilisateurs" }]'

      option :anonymization_rules, Kind::COLUMN_RULES, {}.freeze,
             "SQL expressions for single columns: table, column, expression. One that names another table is joined " \
             "by the one foreign key between the two, or by the key `:join`; `:condition` and `:reads` as above.",
             example: '{ "customers" => { "email" => "\'customer\' || id || \'@demo.test\'" } }'

      option :anonymization_secret, Kind::SECRET, -> { EngineSettings.derived_secret },
             "The key under which pseudonyms are made: the same key and value give the same pseudonym in every " \
             "table and every run, and without the key a guess cannot be tested.",
             shown: "derived from secret_key_base", example: 'ENV["ANONYMIZATION_SECRET"]', secret: true

      option :anonymized_email_domain, Kind::EMAIL_DOMAIN, "demo.example.com",
             "The domain of pseudonymous e-mail addresses."

      option :country, Kind::COUNTRY, -> { EngineSettings::Country.of_app },
             "The country of telephone numbers that are written without their country's code, by its two letters: what " \
             "`phone` and `scrub` take them for.",
             shown: "from the app's locale and time zone", example: '"FR"'

      option :allow_unmasked_copy, Kind::BOOLEAN, false,
             "Permit a run without any rule, which copies production's data as it is."

      option :anonymization_rollback_on_error, Kind::BOOLEAN, true,
             "true: a rule in SQL that fails ends the run and leaves every table with such a rule empty. false: only " \
             "its own table is left empty, the others go on, and the run ends with an error that lists what is empty. " \
             "For `DatabaseAnonymizerService`: with true all tables are one transaction, so that a failure undoes them " \
             "all; with false a table that fails stays as it was, and the error at the end names it."

      option :anonymization_retry_attempts, Kind.integer(0..100), 3,
             "How often a statement that met a deadlock or a lock is tried again, and how often the backup is streamed " \
             "again for tables whose connection was lost.", cosmetic: true

      option :anonymization_retry_delay, Kind.number(0..3600), 1.0,
             "Seconds before the first such retry; doubled for each further one.", cosmetic: true

      group "Verification"

      option :verify_anonymization, Kind::BOOLEAN, true,
             "Check each masked value as it is sent; count the rows in the target afterwards, and look at masked values there."

      option :fail_on_verification_error, Kind::BOOLEAN, true,
             "A failed check fails the run; with false it is a warning."

      option :leak_check, Kind::BOOLEAN, true,
             "Look at every row for original values of masked columns (e-mail addresses, telephone numbers, IBANs, cards, " \
             "identity numbers) that survived in other columns. One that did is a failed check. Needs `run_pii_scan`."

      option :leak_check_names, Kind::BOOLEAN, false,
             "Look for full names, too. Many people share a name, so these are reported and never fail a run."

      option :anonymization_audit_file, Kind::PATH, nil,
             "Where to write the report of a run: this path with .json, sealed, with .txt and with .html. It holds names " \
             "and counts, never a value of a row.",
             example: '"tmp/anonymization_audit.json"'

      group "Personal data"

      option :run_pii_scan, Kind::BOOLEAN, true,
             "Look for personal data that no rule covers: by the names of tables and columns before the target is " \
             "touched, and by the values of each table's first rows before any of them is sent. false turns all of it off."

      option :pii_policy, Kind::PII_POLICY, :warn,
             "What is done about a column that looks personal and that no rule covers. :warn copies it and says so; :fail " \
             "ends the run with the rules to paste; :mask gives it the mask of its kind, so that no rule is needed.",
             example: ":mask"

      option :pii_sample_rows, Kind::SAMPLE_ROWS, 1000,
             "How many rows of each table are looked at, at most 1 MiB of them. :all looks at every row, on the threads that " \
             "load; what is found after the first rows cannot be masked any more, and fails the run under :fail and :mask. " \
             "0 looks at names only."

      option :pii_ignore, Kind::PII_IGNORE, {}.freeze,
             "Columns that are known not to be personal, or that may act outside, `table.column` or `schema.table.column`, with `*`, " \
             "each with its reason. Without a rule they are copied as they are, and the leak check passes them over.",
             example: '{ "products.name" => "names of goods", "*.ip" => "our own machines" }'

      option :pii_detection_patterns, Kind::PII_PATTERNS, nil,
             "Your own patterns for the names of columns, by heading (identity, contact, personal, financial, auth, medical, " \
             "biometric; a heading of your own counts as personal). They replace what is known of names; each is matched " \
             "against the name as it is and with `_` as a space. Values are looked at all the same.",
             shown: "nil", example: "{ contact: /\\b(email|phone)\\b/i, medical: /\\bdiagnosis\\b/i }",
             added_to: -> { Legacy::Scanner::PATTERNS }

      group "What staging does"

      option :quiesce, Kind::BOOLEAN, true,
             "Keep staging from acting in production's name: tables of queued jobs, mails and messages come without rows; the " \
             "URLs of webhooks and callbacks, secrets of OAuth applications and API clients, push subscriptions, refresh tokens " \
             "and customer ids of payment services are masked, whatever `pii_policy` and `run_pii_scan` are. A rule for a table " \
             "or column, or an entry in `pii_ignore`, comes before it. false leaves all of it as production has it."

      option :staging_password, Kind::PASSWORD, nil,
             "The password of every account whose bcrypt hash is masked automatically. nil: one that no one knows. Accounts that a " \
             "`keep` or a `condition` leaves get one that no one knows in any case. With Devise's `config.pepper` append it.",
             example: 'ENV["STAGING_PASSWORD"]', secret: true

      group "Retention"

      option :retention, Kind::DURATION, nil,
             "Published archives, archives that `keep_backup` has kept, the audits of runs and of `archive_file`, lines of the history and " \
             "of the log of accesses, and tokens that are no longer valid are removed when they are older, by each run and by " \
             "`cleanup`. nil: nothing is.",
             example: "90.days"

      option :data_max_age, Kind::DURATION, nil,
             "The age of the backup at which the task `expire` takes the data out of the database. nil: it never does.",
             example: "30.days"

      group "Masked archives"

      option :archive_file, Kind::PATH, nil,
             "A masked archive on this machine, with its sealed manifest beside it: what is published, and what the server hands out " \
             "where it is newer than what is published.",
             example: '"tmp/staging.dump"'

      option :dump_compression, Kind::COMPRESSION, :gzip,
             "How a masked archive is compressed: :gzip, or :zstd, :lz4 and :none. zstd and lz4 are faster, and are for archives that " \
             "pg_dump 16 or a later one has made."

      option :workspace_url, Kind::DATABASE, nil,
             "The PostgreSQL database in which a dump computes what takes SQL: rules in SQL, conditions, `subset` and `limits`. " \
             "Only temporary tables are made there. nil: the target, where there is one.",
             example: 'ENV["WORKSPACE_URL"]', secret: true

      option :publish_service, Kind::STRING, nil,
             "The Active Storage service, as config/storage.yml names it, to which masked archives are published and from which " \
             "they are pulled. It must not be public.",
             example: '"amazon"'

      option :publish_keep, Kind.integer(1..100), 3,
             "How many published archives stay; the older ones are removed as another is published."

      option :source_url, Kind::URL, -> { ENV["STAGING_SYNC_URL"].presence },
             "Where the server of the app that hands out masked archives is mounted, such as " \
             "`https://my-app-staging.example.com/staging_sync`: `pull` takes the newest one from there, and without it from " \
             "`publish_service`.",
             shown: 'ENV["STAGING_SYNC_URL"]', example: '"https://my-app-staging.example.com/staging_sync"', secret: true

      option :source_token, Kind::TOKEN, -> { ENV["STAGING_SYNC_TOKEN"].presence },
             "The token that opens it. Keep it in the environment, not in the code.",
             shown: 'ENV["STAGING_SYNC_TOKEN"]', secret: true

      option :seal_key, Kind::SEAL_KEY, -> { ENV["STAGING_SYNC_SEAL_KEY"].presence },
             "The key of the seals, where archives come from another app: a machine that pulls gets it with its token, and needs " \
             "no `anonymization_secret`. Without it the key is derived from `anonymization_secret`.",
             shown: 'ENV["STAGING_SYNC_SEAL_KEY"]', secret: true

      option :server_enabled, Kind::BOOLEAN, false,
             "`ScalingoStagingSync::Server` answers where it is mounted. With false it answers as if it were not there."

      option :server_in_production, Kind::BOOLEAN, false,
             "The server answers in production as well, with what was published and nothing else."

      group "A part of production"

      option :subset, Kind::SUBSET, {}.freeze,
             "Which rows come: `where` (an SQL condition on the table's own columns), `last` or `first` so many (`by` a column, else " \
             "by the primary key), `:referenced` (those that kept rows refer to) or `:all`. Every other table follows: a row " \
             "comes where everything it refers to does. What a row of an `:all` table needs comes too, beyond any cap. A row that refers " \
             "to one that stays behind stays behind as well, or its reference becomes NULL with `on_missing: :nullify` (for single columns: " \
             "`on_missing: { reviewer_id: :nullify }`). Every foreign key is valid. A subset without a row is an error without " \
             "`allow_empty: true` in a rule.",
             example: '{ "organisations" => { where: "id IN (12, 47)" }, "users" => :referenced }'

      option :limits, Kind::LIMITS, {}.freeze,
             "Caps: `max_rows` of a table, in the order of `order_by` (by default the primary key) and `direction` (by default " \
             "\"desc\"), rows without a value last. A table without a cap keeps its rows, and the rows that these need come beyond the " \
             "cap; a capped table loses rows whose counterpart stays behind. Beside `subset`, tables without a rule follow.",
             example: '{ "activity_log" => { max_rows: 1000, order_by: "created_at", direction: "desc" } }'

      option :subset_references, Kind::PART_REFERENCES, {}.freeze,
             "References that neither a foreign key nor a model of the app states, for `subset` and `limits`: from a column to a " \
             "table, to another unique column of it, or to one of several by a type. `belongs_to`, polymorphic too, and " \
             "`has_and_belongs_to_many` are known from the app that runs the task; `false` says that a column refers to nothing. A " \
             "value that refers to no row of the backup stays as it is.",
             example: '{ "orders.user_id" => "users", "visits.user_ref" => { "users" => "ref" } }'

      option :keep_tables, Kind::NAMES, [].freeze,
             "Tables whose rows in the target stay over a run, such as staging's own accounts: `table`, `schema.table`, with `*`. The " \
             "backup defines them as it does all others, so its definition may differ from the target's only by new columns that take " \
             "NULL or have a default. They are neither masked nor cut down. A reference of theirs to a row that is gone becomes NULL, or its " \
             "key stays NOT VALID, as does one to a row that they lack; warnings say so. In a masked archive, which has no staging whose " \
             "rows could stay, they come without rows.",
             example: '["admin_users", "feature_flags"]'

      option :reset_counters, Kind::BOOLEAN, false,
             "Set the counter caches of the app's models (`belongs_to ..., counter_cache: true`) to what the target holds, once the rows " \
             "are there."

      group "Performance"

      option :parallel_connections, Kind.integer(1..8), 3,
             "Connections that load rows and, afterwards, build indexes: 1 to 8.", cosmetic: true

      option :exclude_tables, Kind::NAMES, [].freeze,
             "Tables that are created without their rows: `table`, `schema.table`, with `*`. A name that matches " \
             "nothing is an error.",
             example: '["sessions", "audit_logs"]'

      option :include_tables, Kind::NAMES, [].freeze,
             "If it is not empty, only these tables come with their rows, and all others are created without: names as in " \
             "`exclude_tables`, which wins where both name a table. The variable TABLES (`TABLES=users,orders`) replaces it.",
             example: '["users", "orders*"]'

      option :exclude_large_objects, Kind::BOOLEAN, false,
             "Leave the contents of all large objects out: they are created, empty. What is in large objects is never searched or masked."

      group "Target"

      option :lock_timeout, Kind.number(0.001..86_400), 30.0,
             "Seconds that emptying the target, or a rule in SQL, waits for a lock that another session holds.", cosmetic: true

      option :stall_timeout, Kind.number(1..86_400), 300.0,
             "Seconds that anything may wait without progress: a connection to the target while the server does not say that " \
             "it works, a download that brings less than 64 KiB in that time, an answer of Scalingo's API.", cosmetic: true

      option :terminate_connections, Kind::BOOLEAN, true,
             "End the other sessions of the same role in the target database, such as the web processes', before " \
             "and throughout the run. With false the run refuses to start while there are any."

      option :on_object_error, Kind::ON_OBJECT_ERROR, :leave_out,
             "What happens when the target refuses an object that no row needs (an index, a key, a policy, a trigger, a " \
             "view, a function): :leave_out continues without it and what depends on it, with a warning for each; :fail " \
             "ends the run. What rows or their protection need ends it in any case."

      option :exclude_objects, Kind::NAMES, [].freeze,
             "Objects that are left out, with what depends on them: pg_dump's word for the kind and the name, with `*` for any " \
             "characters, in capitals or not. A pattern that matches nothing, or something that rows need, is an error.",
             example: '["INDEX users_trgm", "EVENT TRIGGER *"]'

      option :include_foreign_servers, Kind::BOOLEAN, false,
             "Bring foreign servers and foreign tables along. User mappings, which hold passwords, never come."

      option :postgis, Kind::BOOLEAN, false,
             "The app needs PostGIS: the run fails where the target cannot have the extension."

      group "Notifications"

      option :slack_enabled, Kind::BOOLEAN, false,
             "Post start, steps, success and failure to Slack. It needs `slack_webhook_url`.", cosmetic: true

      option :slack_webhook_url, Kind::WEBHOOK_URL, nil,
             "The incoming webhook's URL. It is a secret.",
             example: 'ENV["SLACK_WEBHOOK_URL"]', secret: true, cosmetic: true

      option :slack_channel, Kind::STRING, nil,
             "The channel, where the webhook may choose one.",
             example: '"#deployments"', cosmetic: true

      option :slack_locale, Kind::LOCALE, :fr,
             "The language of Slack's messages: :fr or :en. `translation` of a rule is used in French.", cosmetic: true

      group "After the load"

      option :run_migrations, Kind::BOOLEAN, true,
             "Run the migrations that the app has and the backup lacks."

      option :record_environment, Kind::BOOLEAN, true,
             "Set Rails' `ar_internal_metadata.environment` to this environment, so that Rails does not take staging for " \
             "production."

      group "Other"

      option :locale, Kind::LOCALE, -> { Support::Language.of_app },
             "The language of the audit's page and text, :fr or :en, and of the page that `RackMiddleware` answers with where a browser asks " \
             "for neither.",
             shown: "from the app's locale", example: ":fr", cosmetic: true

      option :seeds_file_path, Kind::PATH, nil,
             "A Ruby file that is run at the end; if it fails, so does the run.",
             example: '"db/demo_seeds.rb"'

      option :logger, Kind::LOGGER, -> { (defined?(Rails.logger) && Rails.logger) || FALLBACK_LOGGER },
             "Where progress is logged, tagged SCALINGO_STAGING_SYNC.",
             shown: "Rails.logger", cosmetic: true

      option :temp_dir, Kind::PATH, -> { (defined?(Rails.root) && Rails.root&.join("tmp")) || Dir.tmpdir },
             "Where kept and fetched archives go.",
             shown: 'Rails.root.join("tmp")'

      all.freeze
    end
  end
end

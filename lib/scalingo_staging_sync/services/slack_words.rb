# frozen_string_literal: true

module ScalingoStagingSync
  module Services
    # What is posted to Slack, in French or English: sentences, numbers, and what is copied where.
    class SlackWords
      include Support::Discreet

      # The phases that are posted.
      STEPS = %i[rows verify].freeze

      TITLE = { fr: "Copie %<source>s vers %<target>s : ", en: "Copy %<source>s to %<target>s: " }.freeze

      SENTENCES = {
        fr: {
          started: "démarrage.", succeeded: "terminée en %<duration>s.", failed: "échec.", stopped: "interrompue.",
          refused: "refusée, rien n'a été modifié.", rows: "chargement des données anonymisées en cours.", verify: "vérification en cours.",
          untouched: "Les anciennes données de staging sont toujours en place.",
          incomplete: "Les données de staging sont incomplètes ; aucune valeur brute d'une colonne masquée n'y figure.",
          unreached: "Rien n'a été modifié.",
          still: "Rien n'a été modifié ; une copie précédente avait laissé les données de staging incomplètes.",
          other: "Une autre copie est en cours ; celle-ci n'a rien modifié.",
          more: "et %<count>s", masked: "Données anonymisées : %<tables>s.",
          backup_of: "Sauvegarde %<id>s du %<made>s (%<size>s).", unverified: "Attention : la vérification a échoué.",
          warnings: "%<count>s :", log: "Journal : `%<command>s`",
          app: "de la base de « %<name>s »", elided: "de la base d'« %<name>s »", file: "d'une archive locale",
          target: "« %<name>s »", here: "cet environnement"
        },
        en: {
          started: "started.", succeeded: "done in %<duration>s.", failed: "failed.", stopped: "stopped.",
          refused: "refused, nothing was touched.", rows: "loading anonymized rows.", verify: "verifying.",
          untouched: "Staging's old data is still there.",
          incomplete: "Staging's data is incomplete; no raw value of a masked column is in it.",
          unreached: "Nothing was touched.",
          still: "Nothing was touched; an earlier copy has left staging's data incomplete.",
          other: "Another copy is under way; this one has touched nothing.",
          more: "and %<count>s", masked: "Anonymized: %<tables>s.",
          backup_of: "Backup %<id>s of %<made>s (%<size>s).", unverified: "Attention: verification failed.",
          warnings: "%<count>s:", log: "Log: `%<command>s`",
          app: "of %<name>s's database", elided: "of %<name>s's database", file: "of a local archive",
          target: "%<name>s", here: "this environment"
        }
      }.freeze

      NOUNS = {
        fr: {
          table: %w[table tables], row: %w[ligne lignes], more: %w[autre autres], warning: %w[avertissement avertissements],
          finding: ["colonne personnelle non couverte", "colonnes personnelles non couvertes"],
          known_password: ["compte a un mot de passe connu", "comptes ont un mot de passe connu"]
        },
        en: {
          table: %w[table tables], row: %w[row rows], more: %w[more more], warning: %w[warning warnings],
          finding: ["personal column without a rule", "personal columns without a rule"],
          known_password: ["account has a known password", "accounts have a known password"]
        }
      }.freeze

      # Errors by the last part of their class's name; the first that an error is one of.
      REASONS = {
        "TargetUrlError" => ["L'URL de la base cible n'est pas celle d'une base PostgreSQL.",
                             "The target's URL is not one of a PostgreSQL database."],
        "ProductionEnvironmentError" => ["Cet environnement ressemble à un environnement de production.", "This looks like production."],
        "ConfirmationError" => ["La copie n'a pas été confirmée.", "The run was not confirmed."],
        "ConfigurationError" => ["Un réglage est manquant ou incorrect.", "A setting is missing or does not fit."],
        "PersonalDataError" => ["Des colonnes personnelles ne sont couvertes par aucune règle.", "Some personal columns have no rule."],
        "PlanError" => ["Une règle ne correspond pas à la sauvegarde.", "A rule does not fit the backup."],
        "AuthenticationError" => ["Scalingo ne reconnaît pas le jeton d'API.", "Scalingo does not know the API token."],
        "AddonNotFoundError" => ["L'addon PostgreSQL de l'app source est introuvable.", "The source app's PostgreSQL addon was not found."],
        "BackupNotFoundError" => ["L'app source n'a aucune sauvegarde terminée.", "The source app has no finished backup."],
        "DownloadError" => ["La sauvegarde n'a pas pu être téléchargée.", "The backup could not be downloaded."],
        "BackupError" => ["L'API de Scalingo a refusé la requête ou n'a pas répondu.", "Scalingo's API refused the request or did not answer."],
        "UnsupportedArchiveError" => ["Le format de l'archive n'est pas pris en charge.", "The archive's format is not supported."],
        "ArchiveError" => ["L'archive est illisible ou endommagée.", "The archive cannot be read or is damaged."],
        "TargetConnectionError" => ["La base cible est injoignable, ou la connexion a été perdue.",
                                    "The target cannot be reached, or its connection was lost."],
        "PrivilegeError" => ["Il manque un droit au rôle de la base cible.", "The target's role lacks a right."],
        "TargetBusyError" => ["La base cible est déjà utilisée.", "The target is in use."],
        "LockTimeoutError" => ["Un verrou n'a pas pu être obtenu à temps.", "A lock was not obtained in time."],
        "RestoreError" => ["PostgreSQL a refusé une partie de la restauration.", "PostgreSQL refused part of the restore."],
        "StoreError" => ["Le stockage des archives masquées n'a pas répondu.", "The store of masked archives did not answer."],
        "VerificationError" => ["La vérification a trouvé des données mal masquées ou manquantes.",
                                "Verification found data that is not masked as it should be, or missing."],
        "MigrationError" => ["Une migration a échoué sur les données copiées.", "A migration failed on the copied data."],
        "SeedsError" => ["L'exécution du fichier de seeds a échoué.", "The seeds failed."],
        "NativeLibraryError" => ["La bibliothèque native du gem est introuvable.", "The gem's native library is missing."],
        "InternalError" => ["C'est un bug du gem.", "This is a bug in the gem."],
        "Error" => ["La copie a échoué.", "The run failed."]
      }.freeze

      VOWEL = /\A[aeiouàâéèêëîïôûü]/i
      private_constant :TITLE, :SENTENCES, :NOUNS, :REASONS, :VOWEL

      # @param config [Configuration] the language, the source and the tables' French names
      def initialize(config = ScalingoStagingSync.configuration)
        @config = config
        @locale = config.slack_locale
        @language = Support::Language.new(@locale)
      end

      # @param key [Symbol] what happens
      # @return [String] it, behind what is copied where
      def title(key, **values)
        "#{typeset(format(TITLE.fetch(@locale), source:, target:))}#{sentence(key, **values)}"
      end

      # @param key [Symbol] which sentence
      # @return [String] it
      def sentence(key, **values)
        typeset(format(SENTENCES.fetch(@locale).fetch(key), **values))
      end

      # @param error [Error] one of the gem's own
      # @return [String] its class as a sentence
      def reason(error)
        names = error.class.ancestors.filter_map { |ancestor| ancestor.name&.split("::")&.last }
        REASONS.fetch(names.find { |name| REASONS.key?(name) })[french? ? 0 : 1]
      end

      # @param count [Integer] how many
      # @param noun [Symbol] of what
      # @return [String] such as "12 tables"
      def counted(count, noun)
        one, many = NOUNS.fetch(@locale).fetch(noun)
        "#{number(count)} #{@language.single?(count) ? one : many}"
      end

      # @param value [Integer] a number
      # @return [String] it as the language writes it
      def number(value) = @language.number(value)

      # @param count [Integer] bytes
      # @return [String] such as "1,2 Go" or "1.2 GB"
      def bytes(count) = @language.bytes(count)

      # @param seconds [Float] how long
      # @return [String] it in words
      def duration(seconds) = @language.duration(seconds)

      # @param time [String] RFC 3339
      # @return [String] it in words; unchanged if it cannot be read
      def moment(time) = @language.moment(time)

      # @param table [String] `schema.table`
      # @return [String] its French name, where its rule gives one and French is spoken; else its own, without the schema
      def table(table)
        bare = table.split(".").last
        return bare unless french?

        entry = @config.anonymization_tables.find { |rule| [table, bare].include?(rule[:table].to_s.delete('"')) }
        entry&.fetch(:translation, nil) || bare
      end

      private

      def french? = @language.french?

      def source
        name = EngineSettings.new(@config).given? ? nil : Support::Echo.of(@config.clone_source_scalingo_app_name)
        return SENTENCES.dig(@locale, :file) unless name

        format(SENTENCES.dig(@locale, name.match?(VOWEL) ? :elided : :app), name:)
      end

      def target
        name = @config.target_app
        name ? format(SENTENCES.dig(@locale, :target), name: Support::Echo.of(name)) : SENTENCES.dig(@locale, :here)
      end

      def typeset(text) = @language.typeset(text)
    end
  end
end

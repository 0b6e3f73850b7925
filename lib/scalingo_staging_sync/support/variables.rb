# frozen_string_literal: true

require "did_you_mean"

module ScalingoStagingSync
  module Support
    # The one reader of the environment variables that say yes or no, or one of a few words. What it does not understand
    # is an error, and so is a name that is nearly one of the gem's: a variable that has no effect must not pass for one
    # that has.
    class Variables
      include Discreet

      # What says yes, and what says no, in any case; nothing at all says no, too.
      YES = %w[true 1 yes y on t].freeze
      NO = %w[false 0 no n off f].freeze

      # The gem's own variables that say yes or no.
      SWITCHES = %w[DRY_RUN EXACT FORCE FORCE_BACKUP_DOWNLOAD TRY_SCHEMA VERBOSE].freeze

      # The gem's own variables with few words, the default first.
      WORDS = { "FORMAT" => %w[text json], "SCAN" => %w[backup database] }.freeze

      # Names that nothing else has by chance: one wrong letter is a slip.
      DISTINCT = %w[DRY_RUN BACKUP_FILE BACKUP_URL FORCE_BACKUP_DOWNLOAD TABLES].freeze

      # Variables that others have a say in: only another case of them, or a hyphen, is a slip.
      SHARED = %w[
        DATABASE_URL SCALINGO_POSTGRESQL_URL SCALINGO_API_TOKEN SCALINGO_AUTH_URL SCALINGO_API_URL SCALINGO_DB_URL
        REGION_NAME CONTINUOUS_INTEGRATION CONTAINER_MEMORY
      ].freeze

      # What people put before and behind the name of a switch, and what no other program calls its own so.
      AROUND = /
        \A(?:SSS|IS|DO|AS|USE|WITH|SET|ENABLE|FORCE|RAKE|RAILS|SCALINGO|STAGING|SYNC|TASK|RUN)*
        (?<name>DRYRUN|FORCEBACKUPDOWNLOAD)
        (?:MODE|ONLY|FLAG|ENABLED?|OPTION|ACTIVE|FIRST|PLEASE|SYNC|TASK|RUN|STAGING|ON)*\z
      /x

      # A word that may be shown: no URL, no address, no key.
      PLAIN = /\A[\w.-]{1,20}\z/

      # All of the gem's own.
      OWN = [*SWITCHES, *WORDS.keys, "BACKUP_FILE", "BACKUP_URL", "CRON", "TABLES"].freeze

      # Which of the gem's tasks read which variable. DRY_RUN is not here: what it asks for holds of every task, as those
      # that change something heed it.
      READERS = {
        "FORMAT" => %w[run check scan suggest coverage masks status],
        "SCAN" => %w[scan suggest],
        "BACKUP_FILE" => %w[run dump check scan suggest preview why],
        "BACKUP_URL" => %w[run dump check scan suggest preview why],
        "TABLES" => %w[run dump pull check preview why],
        "CRON" => %w[install],
        "EXACT" => %w[run check],
        "FORCE" => %w[run pull expire],
        "FORCE_BACKUP_DOWNLOAD" => %w[run dump],
        "TRY_SCHEMA" => %w[run],
        "VERBOSE" => %w[run dump pull],
        "MAX_AGE" => %w[status]
      }.freeze

      # Of one call. The others may well stand in an app's environment for good, and so do harm to none of its tasks.
      OF_ONE_CALL = [*WORDS.keys, "TABLES", "EXACT", "TRY_SCHEMA"].freeze
      private_constant :DISTINCT, :SHARED, :AROUND, :PLAIN, :OF_ONE_CALL

      class << self
        # @param text [Object] a word, such as a variable's value
        # @return [Boolean, nil] what it says; nil when it says neither
        def meaning(text)
          word = plain(text)
          return true if YES.include?(word)

          false if word.empty? || NO.include?(word)
        end

        # @param name [String] a variable's name
        # @return [String, nil] the gem's variable that this one resembles; nil if there is none, or it is one itself
        def meant(name)
          return if [*OWN, *SHARED].include?(name)

          name = name.scrub("?")
          letters = letters(name).sub(/\A((SCALINGO)?STAGINGSYNC|SSS)/, "")
          letters = letters[AROUND, :name] || letters
          OWN.find { |own| letters(own) == letters } || DISTINCT.find { |own| slip?(letters(own), letters) } ||
            SHARED.find { |own| name.upcase.tr("-", "_") == own }
        end

        # @param text [Object] a variable's value, which may be any bytes
        # @return [String] its form for comparison: in lower case, without spaces around it
        def plain(text) = text.to_s.scrub("?").strip.downcase

        # @return [String] what names the target: a variable, or config/database.yml
        def target_from
          %w[DATABASE_URL SCALINGO_POSTGRESQL_URL].find { |name| ENV[name].present? } || "config/database.yml"
        end

        private

        def letters(name) = name.upcase.delete("^A-Z0-9")

        # One letter too many, too few or another, or two that changed places.
        def slip?(right, given)
          return true if DidYouMean::Levenshtein.distance(right, given) <= 1

          right.length == given.length && (0...(right.length - 1)).any? do |at|
            swapped = right.dup
            swapped[at, 2] = right[at, 2].reverse
            swapped == given
          end
        end
      end

      # @param environment [#[], #keys] the environment variables
      def initialize(environment = ENV)
        @environment = environment
      end

      # @param name [String] a variable that says yes or no
      # @return [Boolean] whether it says yes
      # @raise [ConfigurationError] when it says neither
      def yes?(name)
        said = self.class.meaning(@environment[name])
        return said unless said.nil?

        raise error([neither(name)])
      end

      # @param name [String] one of {WORDS}
      # @return [String] the word it has, or the default
      # @raise [ConfigurationError] when it has another
      def word(name)
        words = WORDS.fetch(name)
        word = self.class.plain(@environment[name])
        return words.first if word.empty?
        return word if words.include?(word)

        raise error([other(name)])
      end

      # @return [Array<String>] the tables that TABLES names
      def tables = given_tables.scrub("?").split(",").map(&:strip).reject(&:empty?)

      # Looks at all of the gem's own variables, and for names that are nearly theirs. CI and CONTINUOUS_INTEGRATION are
      # other programs' too: they are looked at where they count.
      #
      # @return [void]
      # @raise [ConfigurationError] naming everything that is wrong
      def check!
        problems = [
          *SWITCHES.filter_map { |name| neither(name) if self.class.meaning(@environment[name]).nil? },
          *WORDS.filter_map { |name, words| other(name) unless ["", *words].include?(self.class.plain(@environment[name])) },
          *nameless,
          *@environment.keys.filter_map { |name| slip(name) }
        ]
        raise error(problems) if problems.any?
      end

      # Looks for variables of the gem's that a task does not read. One that says what happens without it is none of them.
      #
      # @param task [String] the task's name, without the namespace
      # @param given [Array<String>] the variables that stand on rake's own line, and so were meant for this task
      # @return [void]
      # @raise [ConfigurationError] naming each
      def check_task!(task, given: [])
        problems = READERS.filter_map do |name, tasks|
          next if tasks.include?(task) || idle?(name) || !(OF_ONE_CALL + given).include?(name)

          ["The variable #{name} has no effect on the task #{task}: #{listed(tasks)} read#{"s" if tasks.one?} it.", "Remove #{name}."]
        end
        raise error(problems) if problems.any?
      end

      private

      # Whether a variable says what happens without it.
      def idle?(name)
        word = self.class.plain(@environment[name])
        word.empty? || word == WORDS[name]&.first || (SWITCHES.include?(name) && self.class.meaning(word) == false)
      end

      def listed(tasks)
        [tasks[0...-1].join(", "), tasks.last].reject(&:empty?).join(" and ")
      end

      def neither(name)
        ["The variable #{name} #{has(name)}, which says neither yes nor no.",
         "Set #{name} to true or false, or remove it."]
      end

      def other(name)
        ["The variable #{name} #{has(name)}, which is none of its words.",
         "Set #{name} to #{WORDS.fetch(name).join(" or ")}, or remove it."]
      end

      # Ruby takes a variable for ASCII where the container has no locale.
      def given_tables = @environment["TABLES"].to_s.dup.force_encoding(Encoding::UTF_8)

      # Without a name in it, all tables would come.
      def nameless
        given = given_tables
        remedy = "Set TABLES to the tables that are to come with their rows, as in TABLES=users,orders, or remove it."
        return [["The variable TABLES has text that is not UTF-8.", remedy]] unless given.valid_encoding?

        (given.empty? || tables.any?) ? [] : [["The variable TABLES names no table.", remedy]]
      end

      # A variable that says no, or nothing, means what happens without it.
      def slip(name)
        meant = self.class.meant(name)
        return if meant.nil? || self.class.meaning(@environment[name]) == false

        ["The variable #{name} has no effect; there is one named #{meant}.", "Set #{meant} instead, or remove #{name}."]
      end

      def has(name)
        value = @environment[name].scrub("?").strip
        (value.match?(PLAIN) && !Echo.secret?(value)) ? "is #{value.inspect}" : "has a value"
      end

      def error(problems)
        ConfigurationError.new(problems.map(&:first).join(" "), "#{problems.map(&:last).uniq.join(" ")} Nothing was touched.")
      end
    end
  end
end

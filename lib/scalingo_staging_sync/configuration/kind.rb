# frozen_string_literal: true

require_relative "entry_problems"

module ScalingoStagingSync
  class Configuration
    # What values an option takes: its name in docs/options.md, its wording in error messages, and the check itself.
    #
    # The check returns the value to keep, frozen, or `REFUSED`.
    class Kind
      # What a check returns for a value that the option does not accept.
      REFUSED = Object.new.freeze

      # @return [String] the type as docs/options.md shows it
      attr_reader :label

      # @return [String] what the option takes, as the end of a sentence
      attr_reader :expectation

      # @param label [String] the type as docs/options.md shows it
      # @param expectation [String] what the option takes, as the end of a sentence
      # @param exact [Boolean] whether its bytes are kept as they are, whatever their encoding is
      # @param explain [#call, nil] says what is wrong in a value that is refused: an Array of sentences
      # @param sound [#call, nil] leaves what is wrong out of a value that is refused
      # @yieldparam value [Object] the value that was given
      # @yieldreturn [Object] the value to keep, or REFUSED
      def initialize(label, expectation, exact: false, explain: nil, sound: nil, &check)
        @label = label
        @expectation = expectation
        @exact = exact
        @explain = explain
        @sound = sound
        @check = check
        freeze
      end

      # @param value [Object] the value that was given
      # @return [Object] the value to keep, or REFUSED
      def check(value)
        @check.call(readable(value))
      rescue EncodingError
        REFUSED
      end

      # @param value [Object] the value that was given
      # @return [Object] it with all its text in UTF-8
      # @raise [EncodingError] when that cannot be done
      def readable(value)
        return Utf8.of(value) unless @exact
        raise EncodingError, "not valid" if value.is_a?(String) && !value.valid_encoding?

        value
      end

      # @param value [Object] a value that is refused
      # @param index [Integer] where its first element stands in the whole
      # @return [Array<String>] what is wrong with it in particular, in sentences
      def explain(value, index = 0)
        @explain ? @explain.call(value, index) : []
      end

      # @param value [Object] a value that is refused
      # @return [Array, Hash, nil] what of it is not wrong; nil if it is no Array and no Hash
      def sound(value)
        return unless value.is_a?(Array) || value.is_a?(Hash)
        return @sound.call(Utf8.of(value.reject { |*part| Utf8.unreadable(part) })) if @sound

        parts = value.is_a?(Hash) ? value.map { |pair| [pair].to_h } : value.map { |element| [element] }
        taken = parts.reject { |part| REFUSED.equal?(check(part)) }
        Utf8.of(value.is_a?(Hash) ? taken.reduce({}, :merge) : taken.flatten(1))
      end

      class << self
        # @param range [Range<Integer>] the numbers that are taken
        # @return [Kind] whole numbers of a range
        def integer(range)
          new("Integer", "an Integer #{in_words(range)}") do |value|
            number = (value.is_a?(String) && value.match?(/\A\s*-?\d+\s*\z/)) ? value.to_i : value
            # A duration says of itself that it is an Integer.
            ((number in Integer) && range.cover?(number)) ? number : REFUSED
          end
        end

        # @param range [Range<Numeric>] the numbers that are taken
        # @return [Kind] numbers of a range, kept as Floats
        def number(range)
          new("Float", "a number #{in_words(range)}") do |value|
            number = in_figures(value)
            (real?(number) && range.cover?(number)) ? number.to_f : REFUSED
          end
        end

        # @param expectation [String] what the option takes
        # @param exact [Boolean] whether spaces around it are a part of it
        # @yieldparam string [String] a String that is not blank
        # @yieldreturn [Boolean] whether it is acceptable
        # @return [Kind] Strings
        def string(expectation = "a String that is not empty", exact: false, &accept)
          new("String", expectation, exact:) do |value|
            text = (value.is_a?(String) && !exact) ? value.strip : value
            fits = text.is_a?(String) && !text.strip.empty? && (accept ? accept.call(text) : !Support::Echo.secret?(text))
            fits ? text.dup.freeze : REFUSED
          end
        end

        # @param value [Object] a name
        # @return [String, nil] it without spaces around it; nil if it is no name
        def name_of(value)
          name = value.to_s.strip if [String, Symbol].include?(value.class)
          name.freeze unless name.nil? || name.empty?
        end

        # @param keys [Array<Object>] those of a Hash that was given
        # @yieldparam key [Object] one of them
        # @yieldreturn [Object, nil] what it means; nil if that is not known
        # @return [Array<String>] those that mean the same, such as `"users" and :users`: only the last of them would count
        def alike(keys, &)
          same = keys.group_by(&).select { |meant, spellings| meant && spellings.size > 1 }.values
          same.map { |spellings| spellings.map { |key| Support::Echo.inspect(key) }.join(" and ") }
        end

        # @param value [Object] a value
        # @return [Object] the number written in it; the value itself if it is no such String
        def in_figures(value)
          (value.is_a?(String) && value.match?(/\A\s*-?\d+(\.\d+)?\s*\z/)) ? value.to_f : value
        end

        # @param value [Object] a value
        # @param symbols [Array<Symbol>] the Symbols that are taken
        # @return [Symbol, Object] the one that it stands for; REFUSED if there is none
        def symbol(value, symbols)
          word = value.is_a?(String) ? value.strip.downcase.to_sym : value
          symbols.include?(word) ? word : REFUSED
        end

        # @param value [Object] anything
        # @return [Boolean] whether it is a number that is neither complex nor infinite
        def real?(value)
          value.is_a?(Numeric) && value.real? && value.to_f.finite?
        end

        private

        def in_words(range)
          range.end ? "from #{range.begin} to #{range.end}" : "of at least #{range.begin}"
        end
      end

      BOOLEAN = new("Boolean", "true or false") do |value|
        said = value.is_a?(String) ? Support::Variables.meaning(value) : value
        [true, false].include?(said) ? said : REFUSED
      end

      STRING = string

      LOCALE = new("Symbol", ":fr or :en") { |value| symbol(value, %i[fr en]) }

      COUNTRY = string("a country's two letters, such as \"FR\"") { |value| value.match?(/\A[A-Za-z]{2}\z/) }

      EMAIL_DOMAIN = string("a domain name such as \"demo.example.com\"") do |value|
        value.match?(/\A(?=.{1,190}\z)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)+\z/i)
      end

      WEBHOOK_URL = string("a String that begins with https://") { |value| value.match?(%r{\Ahttps?://\S+\z}) }

      # Without a user and a password: there is a token for that.
      URL = string("a String that begins with https://, without a user, a password and parameters") do |value|
        value.match?(%r{\Ahttps?://[^\s@?\#]+\z})
      end

      DATABASE = string("a String that begins with postgres://, with user, host and database") do |value|
        value.match?(%r{\Apostg(?:res(?:ql)?|is)://\S+\z})
      end

      LINK = string("a pre-signed link, a String that begins with https://") { |value| value.match?(%r{\Ahttps?://\S+\z}) }

      TOKEN = string { true }

      SECRET = string(
        "a String of at least 16 bytes that cannot be guessed, such as `ruby -rsecurerandom -e 'puts SecureRandom.hex(32)'` " \
        "prints, or six words chosen by chance", exact: true
      ) { |value| value.bytesize >= 16 && Guessing.bits(value) >= Guessing::ENOUGH }

      SEAL_KEY = string("the 64 hexadecimal digits that `rake 'scalingo_staging_sync:token[name]'` prints") { |value| value.match?(/\A\h{64}\z/) }

      PASSWORD = string("a String of at most 72 bytes, which is all that bcrypt reads, without a zero byte", exact: true) do |value|
        value.bytesize <= 72 && !value.include?("\0")
      end

      PATH = new("String", "a String or Pathname, the path of a file and no URL", exact: true) do |value|
        path = (value.is_a?(String) || value.is_a?(Pathname)) ? value.to_s : ""
        (path.strip.empty? || Support::Echo.secret?(path)) ? REFUSED : path.dup.freeze
      end

      NAMES = new("Array<String>", "an Array of Strings") do |value|
        names = value.is_a?(Array) ? value.map { |name| name_of(name) } : [nil]
        (names.all? && !Support::Echo.secret?(names)) ? names.freeze : REFUSED
      end

      PATTERNS = new("Array<Regexp>", "an Array of Regexps") do |value|
        (value.is_a?(Array) && value.all?(Regexp)) ? value.dup.freeze : REFUSED
      end

      # The headings of personal data.
      PII_HEADINGS = %i[identity contact personal financial auth medical biometric].freeze

      PII_PATTERNS = new("Hash", "a Hash from headings such as #{PII_HEADINGS.first(3).map(&:inspect).join(", ")} to Regexps") do |value|
        fits = value.is_a?(Hash) && value.keys.all? { |name| [String, Symbol].include?(name.class) && !name.empty? } &&
               value.values.all?(Regexp)
        fits ? value.transform_keys(&:to_sym).freeze : REFUSED
      end

      COMPRESSION = new("Symbol", ":gzip, :zstd, :lz4 or :none") { |value| symbol(value, %i[gzip zstd lz4 none]) }

      PII_POLICY = new("Symbol", ":warn, :fail or :mask") { |value| symbol(value, %i[warn fail mask]) }

      ON_OBJECT_ERROR = new("Symbol", ":leave_out or :fail") { |value| symbol(value, %i[leave_out fail]) }

      WHOLE = integer(0..)
      private_constant :WHOLE

      SAMPLE_ROWS = new("Integer", "a whole number of rows from 0 on, or :all") do |value|
        REFUSED.equal?(symbol(value, [:all])) ? WHOLE.check(value) : :all
      end

      PII_IGNORE = new("Hash", "a Hash from columns such as \"products.*\" to the reason why they are not personal") do |value|
        fits = value.is_a?(Hash) && value.all? do |column, reason|
          [String, Symbol].include?(column.class) && !Support::Echo.secret?(column) && column.to_s.include?(".") &&
            reason.is_a?(String) && !reason.strip.empty?
        end
        fits ? value.to_h { |column, reason| [column.to_s.strip.freeze, reason.dup.freeze] }.freeze : REFUSED
      end

      # The Symbols that are no columns in the rules of a table of `anonymization_rules`.
      RULE_OPTIONS = %i[condition join reads].freeze

      COLUMN_RULES = new(
        "Hash",
        "a Hash from table names to Hashes from column names to SQL expressions " \
        "(and, if need be, #{RULE_OPTIONS.map(&:inspect).join(", ")})"
      ) do |value|
        rules = value.is_a?(Hash) ? value.to_h { |table, columns| [table.to_s.freeze, Kind.column_rules(columns)] } : { "" => nil }
        (rules.values.all? && !Support::Echo.secret?(rules.keys)) ? rules.freeze : REFUSED
      end

      # @param given [Object] the rules of one table of `anonymization_rules`
      # @return [Hash{String, Symbol => Object}, nil] columns by Strings and options by Symbols, frozen; nil when it
      #   is not such a Hash
      def self.column_rules(given)
        return unless given.is_a?(Hash) && given.keys.all? { |key| [String, Symbol].include?(key.class) }

        options, columns = given.partition { |key, _| RULE_OPTIONS.include?(key) }.map(&:to_h)
        return unless columns.any? && columns.values.all?(String)
        return unless options.slice(:condition, :join).compact.values.all?(String) && names?(options[:reads])

        columns.transform_keys(&:to_s).merge(options.compact).freeze
      end

      # @param given [Object] what :reads was given
      # @return [Boolean] whether it is nil or an Array of names
      def self.names?(given)
        given.nil? || (given.is_a?(Array) && given.all? { |name| [String, Symbol].include?(name.class) })
      end

      DURATION = new("Duration", "a number of seconds or a duration such as 12.hours, not negative") do |value|
        # ActiveSupport::Duration answers is_a?(Numeric) for its number of seconds.
        number = in_figures(value)
        seconds = real?(number) ? number.to_f : -1
        seconds.negative? ? REFUSED : seconds.ceil
      end

      LOGGER = new("Logger", "a logger, with the methods debug, info, warn and error") do |value|
        (%i[debug info warn error].all? { |level| value.respond_to?(level) }) ? value : REFUSED
      end

      SUBSET = new(
        "Hash",
        "a Hash from tables to :all, :referenced or Hashes with #{PartRules::SUBSET_KEYS.map(&:inspect).join(", ")}",
        explain: ->(value, _) { PartRules.explain_subset(value) }, sound: ->(value) { PartRules.sound_subset(value) }
      ) { |value| PartRules.subset(value) || REFUSED }

      LIMITS = new(
        "Hash",
        "a Hash from tables to Hashes with :max_rows (and, if need be, :order_by, :direction)",
        explain: ->(value, _) { PartRules.explain_limits(value) }, sound: ->(value) { PartRules.sound_limits(value) }
      ) { |value| PartRules.limits(value) || REFUSED }

      PART_REFERENCES = new(
        "Hash",
        "a Hash from columns to what they refer to: \"orders.user_id\" => \"users\", \"orders.user_ref\" => { \"users\" => \"ref\" } or " \
        "\"comments.subject_id\" => { \"subject_type\" => { \"Post\" => \"posts\" } }; false: to nothing",
        explain: ->(value, _) { PartReferences.explain(value) }, sound: ->(value) { value.is_a?(Hash) ? value : {} }
      ) { |value| (value.is_a?(Hash) && PartReferences.explain(value).empty?) ? value.dup.freeze : REFUSED }

      # The keys that an entry of `anonymization_tables` may have.
      ENTRY_KEYS = %i[table strategy query condition columns keep reads translation].freeze

      ENTRIES = new(
        "Array<Hash>",
        "an Array of Hashes, each with :table and one of :strategy, :columns and :query " \
        "(and, if need be, #{(ENTRY_KEYS - %i[table strategy columns query]).map(&:inspect).join(", ")})",
        explain: ->(value, index) { EntryProblems.sentences(value, index) }
      ) do |value|
        entries = value.is_a?(Array) ? value.map { |entry| Kind.entry(entry) } : [nil]
        entries.all? ? entries.freeze : REFUSED
      end

      # @param given [Object] one entry of `anonymization_tables`
      # @return [Hash{Symbol => Object}, nil] it with symbols for keys, frozen; nil when it is not one
      def self.entry(given)
        return unless given.is_a?(Hash) && given.keys.all? { |key| [String, Symbol].include?(key.class) }

        entry = given.to_h { |key, value| [key.to_sym, value.is_a?(String) ? value.dup.freeze : value] }
        names = entry.slice(:table, :strategy).values
        return unless (entry.keys - ENTRY_KEYS).empty? && entry.key?(:table)
        return unless names.all? { |name| [String, Symbol].include?(name.class) && !name.empty? } && !Support::Echo.secret?(names)
        return unless entry.slice(:query, :condition, :translation).compact.values.all?(String)
        return unless entry.values_at(:strategy, :query, :columns).one?
        return unless columns?(entry[:columns]) && keep?(entry[:keep]) && names?(entry[:reads])

        entry[:columns] = entry[:columns].transform_values { |mask| discreet(mask) } if entry[:columns]
        entry.freeze
      end

      # A mask may be given a password, which is one whether or not the option is called a secret.
      def self.discreet(mask)
        return mask unless mask.is_a?(Hash)

        mask.to_h { |key, value| [key, (key.to_s == "password" && value.is_a?(String)) ? Secret.new(value) : value] }
      end
      private_class_method :discreet

      # Whether this is a Hash from columns to masks: a name, or a Hash with :mask and its options.
      def self.columns?(given)
        return true if given.nil?

        given.is_a?(Hash) && given.any? && given.all? do |column, mask|
          name = mask.is_a?(Hash) ? mask[:mask] || mask["mask"] : mask
          [column, name].all? { |word| [String, Symbol].include?(word.class) && !word.empty? }
        end
      end
      private_class_method :columns?

      # Whether this is a Hash from columns to Arrays of patterns.
      def self.keep?(given)
        return true if given.nil?

        given.is_a?(Hash) && given.all? do |column, patterns|
          [String, Symbol].include?(column.class) && patterns.is_a?(Array) && patterns.all?(String)
        end
      end
      private_class_method :keep?
    end
  end
end

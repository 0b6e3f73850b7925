# frozen_string_literal: true

module ScalingoStagingSync
  module Messages
    # Ruby to paste into the initializer, made of the engine's suggestions. Names of tables and columns stand in it as they
    # are, whatever they look like: nothing in them is code.
    module RubySource
      # A name that stands as a Hash's key without quotes.
      LABEL = /\A[a-z_][a-zA-Z0-9_]*\z/

      # A text that is easier to read in single quotes.
      IN_SINGLE_QUOTES = /\A[^'\\[:cntrl:]]*"[^'\\[:cntrl:]]*\z/

      # Options of masks whose value is the name of another mask.
      NAMES_A_MASK = %w[of].freeze

      # What the engine's documentation calls options by.
      IN_DOCUMENTATION = {
        "email_domain" => "anonymized_email_domain", "staging_password" => "staging_password", "country" => "country"
      }.freeze
      private_constant :LABEL, :IN_SINGLE_QUOTES, :NAMES_A_MASK, :IN_DOCUMENTATION

      module_function

      # @param suggested [Hash{Symbol, String => Array<Hash>}] :rules, and the columns that need them, as the engine returns it
      # @return [String] it as Ruby
      # @raise [KeyError] when it is something else
      def of(suggested) = rules(suggested.transform_keys(&:to_sym).fetch(:rules))

      # @param option [String] "target_url" or "storage_service"
      # @return [String] where it is set, such as `config.active_storage.service`
      # @raise [KeyError] when it is another one, which a sentence names as it is written
      def named(option)
        { "target_url" => Support::Variables.target_from, "storage_service" => "config.active_storage.service" }.fetch(option)
      end

      # @param text [String] of the engine's documentation, with options and masks in angle brackets
      # @return [String] it, with these as Ruby in Markdown
      def doc(text)
        text.gsub(/<\w+>/) do |name|
          name = name[1...-1]
          "`#{IN_DOCUMENTATION.key?(name) ? "config.#{IN_DOCUMENTATION[name]}" : name.to_sym.inspect}`"
        end
      end

      # @param facts [Hash{Symbol => Object}] :table, as rules name it, :column and :mask
      # @return [String] an entry of `config.anonymization_tables`, in one line
      def entry(facts)
        "{ table: #{value(facts[:table])}, columns: { #{label(facts[:column])}: #{mask(facts[:mask])} } }"
      end

      # @param findings [Array<Hash{Symbol => Object}>] columns that need a rule
      # @return [String] the rules for them, an entry for each table, with what each column looks like. For a column without
      #   a mask that fits there is the line that lets it stay.
      def rules(findings)
        with, without = findings.partition { |finding| finding[:rule] }
        entries = with.group_by { |finding| finding[:table] }.values.flat_map { |columns| table(columns) }
        block = "config.anonymization_tables += [\n#{entries.map { |line| "  #{line}\n" }.join}]\n" if entries.any?
        [block, *without.map { |finding| "#{staying(finding)}\n" }].join
      end

      # @param column [String] as `config.pii_ignore` names it
      # @return [String] an entry for it
      def ignore(column) = "#{value(column)} => \"why it may stay\""

      # @param given [String, Integer, Array<String>] a name, SQL, a number, or names
      # @return [String] it as Ruby: a text with double quotes in single ones where it can be, and a name alone without brackets
      def literal(given)
        return literal(given.first) if given.is_a?(Array) && given.one?

        (given.is_a?(String) && IN_SINGLE_QUOTES.match?(given)) ? "'#{given}'" : value(given)
      end

      # @param facts [Hash{Symbol => Object}] :mask and :options
      # @return [String] such as `:email`, or `{ mask: :json, scrub: true }`
      def mask(facts)
        name = facts[:mask].to_sym.inspect
        return name if facts[:options].empty?

        "{ mask: #{name}, #{facts[:options].map { |key, given| "#{label(key.to_s)}: #{option(key.to_s, given)}" }.join(", ")} }"
      end

      # @param finding [Hash{Symbol => Object}] a column that needs a rule
      # @return [String] where it is, what it looks like and why
      def line(finding)
        "#{finding[:table]}.#{finding[:column]}: #{[looks(finding), because(finding)].compact.join("; ")}"
      end

      def table(columns)
        pairs = columns.map { |finding| "#{label(finding[:column])}: #{mask(finding[:rule][:mask])}" }
        pairs = [*pairs[...-1].map { |pair| "#{pair}," }, pairs.last]
        ["{ table: #{value(columns.first[:rule][:table])}, columns: {",
         *pairs.zip(columns).map { |pair, finding| "  #{pair} #{comment(looks(finding))}" }, "} },"]
      end
      private_class_method :table

      # Where no mask of the catalogue fits, a team can only say that the column may stay, or leave the table out.
      def staying(finding)
        name = [*finding[:table].split(".", 2), finding[:column]].map { |part| pattern(part) }.join(".")
        "config.pii_ignore[#{value(name)}] = \"why it may stay\" #{comment("#{looks(finding)}; #{because(finding) || "no mask fits it"}")}"
      end
      private_class_method :staying

      # A name as a part of a pattern that matches it alone.
      def pattern(name) = name.match?(/[.*"]|\A\s|\s\z/) ? "\"#{name.gsub("\"", "\"\"")}\"" : name
      private_class_method :pattern

      def looks(finding) = "#{finding[:kind]} (#{format("%.2f", finding[:confidence])}), #{Phrases.in(:en).say(finding[:reason])}"
      private_class_method :looks

      def because(finding) = finding[:because] && Phrases.in(:en).say(finding[:because])
      private_class_method :because

      # A comment ends with its line, and Ruby ends the file at some control characters.
      def comment(text) = "# #{text.gsub(/[[:cntrl:]\u2028\u2029]+/, " ")}"
      private_class_method :comment

      def label(name) = LABEL.match?(name) ? name : name.inspect
      private_class_method :label

      def option(name, given) = NAMES_A_MASK.include?(name) ? given.to_sym.inspect : value(given)
      private_class_method :option

      # String#inspect escapes what would be interpolated.
      def value(given)
        case given
        when Hash then "{ #{given.map { |key, inner| "#{value(key.to_s)} => #{value(inner)}" }.join(", ")} }"
        when Array then "[#{given.map { |inner| value(inner) }.join(", ")}]"
        else given.inspect
        end
      end
      private_class_method :value
    end
  end
end

# frozen_string_literal: true

require "did_you_mean"

module ScalingoStagingSync
  class Configuration
    # Says what is wrong with the entries of `anonymization_tables` that {Kind.entry} refuses: all of them at once, each
    # by its number and its table.
    module EntryProblems
      # What an entry does. It has one of these.
      WAYS = %i[strategy columns query].freeze

      module_function

      # @param entries [Object] what the option was given
      # @param index [Integer] where the first of them stands in the whole
      # @return [Array<String>] the sentences; none if there is nothing to say about single entries
      def sentences(entries, index = 0)
        return [] unless entries.is_a?(Array)

        entries.each.with_index(index + 1).flat_map do |entry, number|
          next [] if Kind.entry(entry)

          table = (entry[:table] || entry["table"] if entry.is_a?(Hash))
          which = "Entry #{number}#{" (table #{Support::Echo.short(table)})" if table}"
          of(entry).map { |problem| "#{which}: #{problem}#{"." unless problem.end_with?("?")}" }
        end
      end

      # @param entry [Object] an entry that is refused
      # @return [Array<String>] what is wrong with it
      def of(entry)
        return ["it is no Hash"] unless entry.is_a?(Hash)

        keys = entry.keys.map { |key| key.respond_to?(:to_sym) ? key.to_sym : key }
        meant = (keys - Kind::ENTRY_KEYS).to_h { |key| [key, near(key)] }
        problems = meant.map { |key, near| "there is no key #{Support::Echo.inspect(key)}#{"; did you mean #{near.inspect}?" if near}" }
        keys += meant.values # what is missing under its right name is there under the wrong one
        problems << "it has no :table" unless keys.include?(:table)
        problems << ways(WAYS & keys) unless (WAYS & keys).one?
        problems.empty? ? ["one of its values is not of the kind that its key takes"] : problems
      end

      def near(key) = DidYouMean::SpellChecker.new(dictionary: Kind::ENTRY_KEYS).correct(key).first
      private_class_method :near

      def ways(found)
        return "it has none of #{WAYS.map(&:inspect).join(", ")}" if found.empty?

        "#{found.map(&:inspect).join(" and ")} exclude one another: make an entry for each"
      end
      private_class_method :ways
    end
  end
end

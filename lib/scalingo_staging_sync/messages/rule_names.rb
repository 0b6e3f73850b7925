# frozen_string_literal: true

module ScalingoStagingSync
  module Messages
    # What messages call a rule: its entry as the app wrote it, in short. The engine repeats these names. A mask's options
    # are left out, since a password may be among them.
    module RuleNames
      # Characters of SQL that are shown.
      SHOWN = 60
      private_constant :SHOWN

      module_function

      # @param entry [Hash{Symbol => Object}] an entry of `config.anonymization_tables`
      # @return [String] such as `{ table: "users", columns: { email: :email } }`
      def entry(entry)
        parts = ["table: #{entry.fetch(:table).to_s.inspect}"]
        parts << "strategy: #{entry[:strategy].to_sym.inspect}" if entry[:strategy]
        parts << "columns: { #{entry[:columns].map { |column, mask| column(column.to_s, mask) }.join(", ")} }" if entry[:columns]
        parts += entry.slice(:query, :condition).compact.map { |key, sql| "#{key}: #{shortened(sql).inspect}" }
        "{ #{parts.join(", ")} }"
      end

      # @param table [String] a table of `config.anonymization_rules`
      # @return [String] such as `config.anonymization_rules["users"]`
      def expressions(table) = "config.anonymization_rules[#{table.inspect}]"

      def column(name, mask)
        given = mask.is_a?(Hash) ? "{ mask: #{mask[:mask].to_sym.inspect}, … }" : mask.to_sym.inspect
        "#{name.match?(/\A[a-z_]\w*\z/) ? name : name.inspect}: #{given}"
      end
      private_class_method :column

      def shortened(sql)
        line = sql.split.join(" ")
        (line.size > SHOWN) ? "#{line[0, SHOWN]}…" : line
      end
      private_class_method :shortened
    end
  end
end

# frozen_string_literal: true

module ScalingoStagingSync
  module Database
    # The strategies that an entry of `config.anonymization_tables` can name. The built-in ones are the engine's;
    # the custom ones are kept here.
    #
    # A custom strategy returns SQL, with the rule's condition already in it. The SQL runs in a temporary table of
    # the real one's name, as the SQL of a rule's `query` does.
    module AnonymizationStrategies
      # The strategies that the engine knows.
      BUILT_IN = %i[
        user_anonymization
        phone_anonymization
        payment_anonymization
        email_anonymization
        address_anonymization
      ].freeze

      @custom = {}

      class << self
        # @param name [Symbol, String] the strategy's name; under that of a built-in one it takes its place
        # @yieldparam table [String] the table
        # @yieldparam condition [String, nil] the rule's condition
        # @yieldreturn [String] the SQL statement that masks the table
        # @return [Symbol] the name
        # @raise [ArgumentError] when there is no block, or the name is invalid
        def register_strategy(name, &statement)
          raise ArgumentError, "register_strategy(#{Support::Echo.inspect(name)}) needs a block that returns SQL." unless statement
          unless name.is_a?(Symbol) || (name.is_a?(String) && !name.empty?)
            raise ArgumentError, "register_strategy was given #{Support::Echo.inspect(name)}; it takes a Symbol or a String."
          end

          @custom[name.to_sym] = statement
          name.to_sym
        end

        # @param name [Symbol, String] a strategy's name
        # @return [Boolean] whether it was registered
        def custom?(name)
          @custom.key?(name.to_sym)
        end

        # The SQL of a custom strategy for a table.
        #
        # @param name [Symbol, String] a registered strategy's name
        # @param table [String] the table
        # @param condition [String, nil] the rule's condition
        # @return [String] what its block returns
        # @raise [ConfigurationError] when that is not SQL, or is the same with and without the condition: the whole
        #   table would then be changed
        def statement(name, table, condition = nil)
          block = @custom.fetch(name.to_sym)
          sql = block.call(table, condition)
          unless sql.is_a?(String) && !sql.strip.empty?
            raise ConfigurationError.new("The block of the strategy :#{name} returned no SQL for #{table}.",
                                         "Let it return an UPDATE or a DELETE as a String.")
          end
          if condition && ignored?(condition, sql, block, table)
            raise ConfigurationError.new("The strategy :#{name} ignores the condition of the entry for #{table}.",
                                         "Let its block put the condition into the WHERE of its SQL, or remove the condition.")
          end
          sql
        end

        # Whether SQL is what the block returns without a condition, too. One that returns something else each time, a
        # random salt perhaps, is checked by its text: the condition must appear in it.
        def ignored?(condition, sql, block, table)
          return !sql.include?(condition.strip) if sql != block.call(table, condition)

          sql == block.call(table, nil)
        end
        private :ignored?

        # @return [Array<Symbol>] the names of all strategies, the built-in ones first
        def names
          BUILT_IN | @custom.keys
        end

        # Forgets the registered strategies, for tests.
        #
        # @return [void]
        def reset!
          @custom.clear
        end
      end
    end
  end
end

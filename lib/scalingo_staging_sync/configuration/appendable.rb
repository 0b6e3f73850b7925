# frozen_string_literal: true

module ScalingoStagingSync
  class Configuration
    # A list or a hash of the configuration as the app gets it: it can be added to (`config.exclude_tables << "sessions"`),
    # and what it then holds is checked as if it had been set.
    class Appendable
      # @return [Option] whose value it is
      attr_reader :option

      # @return [Array, Hash] what the app gets, always the same object
      attr_reader :list

      # @param option [Option] whose value it is
      # @param value [Array, Hash] the value, checked
      def initialize(option, value)
        @option = option
        @list = value.class.new
        take_by_shovel if @list.is_a?(Hash)
        keep(value)
      end

      # @return [Boolean] whether the app has changed it since it was checked
      def changed?
        @list.hash != @known
      end

      # Checks it. What is refused is taken out again.
      #
      # @return [Array, Hash] the value to keep
      # @raise [ArgumentError] when the option does not take it
      def settle
        keep(@option.cast(@list))
      rescue ArgumentError
        keep(@kept)
        raise
      end

      private

      # 0.1's initializers add to a hash by `<<`, too. What is no hash stays in it as a key, so that {#settle} refuses it
      # with a sentence instead of Ruby with a NoMethodError while the app boots.
      def take_by_shovel
        @list.define_singleton_method(:<<) { |more| more.is_a?(Hash) ? merge!(more) : merge!(more => nil) }
      end

      def keep(value)
        @list.replace(thaw(value))
        @known = @list.hash
        @kept = value
      end

      def thaw(value)
        case value
        when Hash then value.transform_values { |inner| thaw(inner) }
        when Array then value.map { |inner| thaw(inner) }
        else value
        end
      end
    end
  end
end

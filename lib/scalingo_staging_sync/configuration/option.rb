# frozen_string_literal: true

module ScalingoStagingSync
  class Configuration
    # One documented option: a row of the table that the accessors, the README, the generator's initializer
    # and the tests are made from.
    #
    # @!attribute [r] name
    #   @return [Symbol] the accessor's name
    # @!attribute [r] group
    #   @return [String] the heading it stands under
    # @!attribute [r] kind
    #   @return [Kind] what values it takes
    # @!attribute [r] default
    #   @return [Object] its default, or a Proc that finds it when asked
    # @!attribute [r] shown
    #   @return [String] the default as Ruby code or in words
    # @!attribute [r] example
    #   @return [String] a value as Ruby code, for the initializer
    # @!attribute [r] doc
    #   @return [String] what it does, in sentences
    # @!attribute [r] secret
    #   @return [Boolean] whether its value must never be shown
    # @!attribute [r] cosmetic
    #   @return [Boolean] whether it changes neither what is copied nor how it is protected, so that a wrong value is worth
    #     a warning and no more
    # @!attribute [r] added_to
    #   @return [Proc, nil] what an option that is nil by default begins with where the app adds to it
    Option = Data.define(:name, :group, :kind, :default, :shown, :example, :doc, :secret, :cosmetic, :added_to) do
      # @return [Object] the default, found now
      # @raise [ArgumentError] when it comes from an environment variable and is not what the option takes
      def default_value
        value = default.respond_to?(:call) ? default.call : default
        value.nil? ? nil : cast(value)
      end

      # @param value [Object] the value that was given; nil and an empty String stand for the default
      # @return [Object, nil] the value to keep; nil for the default
      # @raise [ArgumentError] naming option, value (unless it is secret, or may hold credentials), its class, and the
      #   expectation
      def cast(value)
        return if value.nil? || (value.is_a?(String) && value.strip.empty?)

        kept = kind.check(value)
        return kept unless Kind::REFUSED.equal?(kept)

        given = secret ? "a value of class #{value.class}" : "#{Support::Echo.inspect(value)} (#{value.class})"
        told = ["config.#{name} was given #{given}; it takes #{kind.expectation}.", *(kind.explain(value) unless secret)]
        raise ArgumentError, told.join(" ")
      end
    end
  end
end

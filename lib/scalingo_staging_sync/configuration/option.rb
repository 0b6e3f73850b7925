# frozen_string_literal: true

module ScalingoStagingSync
  class Configuration
    # One documented option: a row of the table that the accessors, docs/options.md, the generator's initializer
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
      # @raise [ConfigurationError] when it comes from an environment variable and is not what the option takes
      def default_value
        value = default.respond_to?(:call) ? default.call : default
        value.nil? ? nil : cast(value)
      rescue ArgumentError
        raise ConfigurationError.new("The variable #{variable} is not what config.#{name} takes: #{kind.expectation}.",
                                     "Correct the variable, or unset it. Nothing was touched.")
      end

      # @param value [Object] the value that was given; nil and an empty String stand for the default
      # @return [Object, nil] the value to keep; nil for the default
      # @raise [Refused] naming option, value (unless it is secret, or may hold credentials), its class, and the
      #   expectation; or each thing that is wrong in it
      def cast(value)
        shape = Shape.problem(value)
        raise Refused, ["config.#{name} was given a value #{shape}; it takes #{kind.expectation}."] if shape

        value = readable(value)
        return if value.nil? || (value.is_a?(String) && value.strip.empty?)

        kept = kind.check(value)
        return kept unless Kind::REFUSED.equal?(kept)

        raise Refused, explained(value) || ["config.#{name} was given #{given(value)}; it takes #{kind.expectation}."]
      end

      # @param value [Array, Hash, Object] a value that is refused
      # @return [Array<Array(Enumerable, Integer)>] its elements and pairs that are refused on their own, each as an Array or
      #   a Hash of one, with its index
      def wrong_parts(value)
        parts = case value
                when Array then value.map { |element| [element] }
                when Hash then value.map { |pair| [pair].to_h }
                else []
                end
        parts.each_with_index.select { |part, _| Kind::REFUSED.equal?(kind.check(part)) }
      end

      # @param part [Array, Hash] of {#wrong_parts}
      # @param index [Integer] where it stands
      # @return [Array<String>] what is wrong with it, or that it was added, and what the option takes
      def refusal_of(part, index)
        part = readable(part)
        explained(part, index) || ["#{shown_part(part)} was added to config.#{name}, which takes #{kind.expectation}."]
      rescue Refused => error
        error.sentences
      end

      private

      # The environment variable that the default comes from, as {shown} says it.
      def variable = shown[/ENV\["(\w+)"\]/, 1]

      def readable(value)
        kind.readable(value)
      rescue EncodingError
        said = secret ? "It is not UTF-8 text; save the file that sets it as UTF-8." : Utf8.problem(value)
        raise Refused.new(["config.#{name} was given text that cannot be read. #{said}"]), cause: nil
      end

      # What is wrong in it, each by itself; nil where there is nothing to say about its parts.
      def explained(value, index = 0)
        sentences = secret ? [] : kind.explain(value, index)
        sentences.map { |sentence| "config.#{name}: #{sentence}" } if sentences.any?
      end

      def given(value)
        return "a value of class #{value.class}" if secret

        parts = wrong_parts(value)
        return "#{Support::Echo.inspect(value)} (#{value.class})" if parts.empty? || parts.size == value.size

        "#{parts.map { |part, _| shown_part(part) }.join(", ")} among others"
      end

      def shown_part(part)
        part.is_a?(Hash) ? Support::Echo.inspect(part) : "#{Support::Echo.inspect(part.first)} (#{part.first.class})"
      end
    end
  end
end

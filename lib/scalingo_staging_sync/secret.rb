# frozen_string_literal: true

module ScalingoStagingSync
  # A text that nothing shows or serialises, also where an error reporter writes down the variables of a method: it is
  # read by {#reveal} alone, and is never in a variable of an object.
  class Secret
    # What stands for it.
    SHOWN = "[secret]"

    class << self
      # @param value [Object] settings for the engine
      # @return [Object] the same with every secret in it as a plain String, to be handed on and not to be kept
      def reveal(value)
        case value
        when Secret then value.reveal
        when Hash then value.transform_values { |inner| reveal(inner) }
        when Array then value.map { |inner| reveal(inner) }
        else value
        end
      end
    end

    # @param text [String] the secret
    def initialize(text)
      text = text.dup.freeze
      @read = -> { text }
      freeze
    end

    # @return [String] the secret
    def reveal = @read.call

    # @return [String] not the secret
    def inspect = SHOWN

    # @return [String] not the secret
    def to_s = SHOWN

    # @return [String] not the secret
    def as_json(*) = SHOWN

    # @return [String] not the secret
    def to_json(*) = SHOWN.to_json

    # @return [void]
    def encode_with(coder)
      coder.represent_scalar(nil, SHOWN)
    end

    # @raise [TypeError] always
    def marshal_dump
      raise TypeError, "#{self.class} is not dumped"
    end
  end
end

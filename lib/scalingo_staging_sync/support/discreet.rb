# frozen_string_literal: true

module ScalingoStagingSync
  module Support
    # For objects that know the environment or the configuration. Error reporters, consoles and serialisers show what an
    # object holds in its variables; such an object shows its class only.
    module Discreet
      # @return [String] the class
      def inspect = "#<#{self.class}>"

      # @return [String] the class
      def to_s = inspect

      # What pp, YAML, ActiveSupport's `instance_values` and `as_json`, and error reporters ask an object for.
      #
      # @return [Array<Symbol>] none
      def instance_variables = []

      # @return [String] the class
      def as_json(*) = inspect

      # @raise [TypeError] always
      def marshal_dump
        raise TypeError, "#{self.class} is not dumped, because secrets may be in reach of it"
      end
    end
  end
end

# frozen_string_literal: true

require "did_you_mean"

module ScalingoStagingSync
  class Configuration
    # The configuration was asked for an option that it does not have.
    class UnknownOption < NoMethodError
      # @return [Thread::Backtrace::Location, nil] the app's line that asked
      attr_reader :place

      # @param method [Symbol] the name that was called, with `=` or without
      # @param receiver [Configuration] what was asked
      def initialize(method, receiver)
        super(self.class.sentence(method), method, receiver:)
        @place = Place.here
        set_backtrace([@place.to_s])
      end

      # @param method [Symbol] the name that was called, with `=` or without
      # @return [String] that there is no such option, and the most similar one
      def self.sentence(method)
        name = method.to_s.sub(/[=!?]\z/, "").to_sym
        return "Options are set by their names, such as config.exclude_tables = [], not by config[...]." if method.start_with?("[")
        return "There is no config.#{method}; set the option by config.#{name} = ..." if Configuration.options.key?(name)
        return "config.target_app cannot be set: it is the variable APP." if name == :target_app

        near = DidYouMean::SpellChecker.new(dictionary: Configuration.options.keys).correct(name).first
        asked = method.to_s.delete_suffix("=")
        "There is no option config.#{asked}#{near ? "; did you mean config.#{near}?" : ". docs/options.md lists them all."}"
      end
    end
  end
end

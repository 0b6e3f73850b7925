# frozen_string_literal: true

require "json"
require "active_support/core_ext/object/blank"

module ScalingoStagingSync
  # The {Options} that were set, each value checked when it is given.
  #
  # Within {ScalingoStagingSync.configure} nothing raises: an app must boot, in production too, even with a faulty initializer.
  # Problems are kept until a task is run ({#problems}, {#warnings}). Elsewhere a value that an option does not accept
  # raises ArgumentError, and an unknown option {UnknownOption}.
  #
  # nil and an empty String go back to the default, as a variable that is not set means it. Lists and hashes can be added
  # to. Strings stand for Symbols, numbers, and yes and no.
  #
  # @example
  #   ScalingoStagingSync.configure do |config|
  #     config.parallel_connections = ENV["CONNECTIONS"]
  #     config.exclude_tables << "sessions"
  #   end
  class Configuration
    # The app name that the documentation uses; it is never a real source.
    PLACEHOLDER_APP = "your-production-app"

    # Options that say which part of production is copied, and what becomes of its counters. Of each entry it is known by
    # itself whether it can be read.
    PART = %i[subset limits subset_references include_tables exclude_tables keep_tables reset_counters].freeze

    NOT_READ = "What follows in its block was not read."
    private_constant :PART, :NOT_READ

    # Something that was set and refused.
    Problem = Data.define(:name, :sentence, :cosmetic)
    private_constant :Problem

    include Options

    class << self
      # @return [Hash{Symbol => Option}] every option by its name, in the documentation's order
      def options = Options.all

      # @return [Hash{String => Array<Option>}] the options under their headings
      def groups = options.values.group_by(&:group)
    end

    # A configuration with every option at its default.
    def initialize
      @values = {}
      @appendables = {}
      @problems = []
      @sound = {}
    end

    # Has the block set options, and keeps problems for later.
    #
    # @api private
    # @return [void]
    def keeping_problems
      @keeping = true
      yield self
    rescue UnknownOption => error
      # An unknown option has no value to return, so the block ends here.
      keep_problem(nil, "#{error.message} #{NOT_READ}", error.place)
    rescue NoMethodError => error
      keep_problem(nil, "#{of_own_list(error) || raise} #{NOT_READ}", Place.here(error.backtrace_locations))
    ensure
      @appendables.each_value { |appendable| settle(appendable) if appendable.changed? }
      @keeping = false
    end

    # @return [Array<String>] refused settings that decide what is copied or how it is protected: no task
    #   goes on with them
    def problems = @problems.reject(&:cosmetic).map(&:sentence)

    # @return [Array<String>] refused settings that decide neither
    def warnings = @problems.select(&:cosmetic).map(&:sentence)

    # What can be read of a configuration that is wrong only in what it says of the part of production: with it, it can be
    # found out what else is wrong.
    #
    # @api private
    # @return [Configuration, nil] it; nil if something else is wrong
    def sound_part
      wrong = @problems.reject(&:cosmetic)
      return if wrong.empty? || !wrong.all? { |problem| PART.include?(problem.name) }

      dup.tap { |copy| copy.settle_for(@sound) }
    end

    # @return [void]
    # @raise [ConfigurationError] naming every refused setting
    def check!
      return if problems.empty?

      raise ConfigurationError.new(Refused.listed(problems), "Correct it there. Nothing was touched.")
    end

    # The app whose database is filled: the variable APP, which Scalingo sets. It cannot be configured.
    #
    # @return [String, nil] its name, as a message may show it; nil if the variable is not set
    def target_app
      name = ENV["APP"].presence
      name && Support::Echo.of(name)
    end

    # @param name [Symbol] an option's name
    # @return [Boolean] whether it was set, to any value
    def set?(name)
      public_send(name) if @appendables.key?(name)
      @values.key?(name)
    end

    # @return [String] what was set, without the secrets
    def inspect
      "#<#{[self.class, *@values.map { |name, value| "#{name}=#{Support::Echo.inspect(value)}" }].join(" ")}>"
    end

    # @return [String] the same text
    def to_s = inspect

    # @return [Hash{String => Object}] what was set, without the secrets
    def as_json(*) = @values.to_h { |name, value| [name.to_s, Support::Echo.inspect(value)] }

    # @return [String] what was set, as JSON, without the secrets
    def to_json(*) = JSON.generate(as_json)

    # What YAML keeps.
    #
    # @return [void]
    def encode_with(coder)
      coder.map = as_json
    end

    # What Marshal keeps: what was set, without the secrets and the logger.
    #
    # @return [Hash{Symbol => Object}]
    # @raise [TypeError] when a rule has a password: without it the rule would give another
    def marshal_dump = @values.reject { |name, value| name == :logger || value.is_a?(Secret) }

    # @param values [Hash{Symbol => Object}] what Marshal has kept
    # @return [void]
    def marshal_load(values)
      initialize
      @values = values
    end

    protected

    # Takes the place of what was refused.
    def settle_for(values)
      @values.merge!(values)
      @problems.clear
    end

    private

    def initialize_copy(other)
      super
      @values = @values.dup
      @appendables = {}
      @problems = @problems.dup
      @sound = @sound.dup
    end

    def read(option)
      value = @values.fetch(option.name) { option.default_value }
      value = option.added_to.call if value.nil? && @keeping && option.added_to
      return value.reveal if value.is_a?(Secret)
      return value unless value.is_a?(Array) || value.is_a?(Hash)

      appendable = (@appendables[option.name] ||= Appendable.new(option, value))
      settle(appendable) if appendable.changed? && !@keeping
      appendable.list
    end

    def settle(appendable)
      option = appendable.option
      @values[option.name] = appendable.settle
    rescue Refused
      keep_sound(option, appendable.sound)
      refuse(option, appendable.faults)
    end

    # Setting another value corrects a wrong one; adding to it does not.
    def store(option, value)
      @problems.reject! { |problem| problem.name == option.name } if @keeping
      @sound.delete(option.name)
      kept = option.cast(Shape.problem(value) ? value : Legacy.setting(option, value))
      @appendables.delete(option.name)
      @problems.reject! { |problem| problem.name == option.name }
      return @values.delete(option.name) if kept.nil?

      @values[option.name] = option.secret ? Secret.new(kept) : kept
    rescue Refused => error
      keep_sound(option, option.kind.sound(value)) unless Shape.problem(value)
      refuse(option, error.sentences.map { |sentence| [sentence, nil] })
    end

    def keep_sound(option, value)
      @sound[option.name] = value.freeze if value && PART.include?(option.name)
    end

    # @param faults [Array<Array>] sentences, each with the line that it is about, where that is known
    def refuse(option, faults)
      faults = faults.map { |sentence, place| [sentence, place || Place.here] }
      raise ArgumentError, Refused.listed(faults.map(&:first)), faults.map { |_, place| place.to_s }.uniq, cause: nil unless @keeping

      faults.each { |sentence, place| keep_problem(option, sentence, place) }
      nil
    end

    # An option that is called with its value, as in `config.dry_run true`.
    def refuse_call(option)
      refuse(option, [["config.#{option.name} was called with a value, which sets nothing; write config.#{option.name} = ... instead.", nil]])
      read(option)
    end

    # A sentence about a method that an option's list lacks; nil if the error is the app's own.
    def of_own_list(error)
      list = error.receiver
      appendable = @appendables.each_value.find { |one| one.list.equal?(list) }
      "config.#{appendable.option.name} has no method #{error.name}; add to it by <<, or set it by =." if appendable
    rescue ArgumentError
      nil # the error knows no receiver
    end

    def keep_problem(option, sentence, place = Place.here)
      @problems << Problem.new(option&.name, [Place.words(place), sentence].compact.join(": "), option ? option.cosmetic : false)
    end

    # A name that looks like an option's; Ruby's own questions (to_ary, respond_to? and the like) go the usual way. Where
    # nothing reads what the call returns, the block goes on.
    def method_missing(name, *given)
      return super unless name.match?(/\A(?!to_)[a-z]\w*[=!?]?\z|\A\[\]=?\z/i)

      raise UnknownOption.new(name, self) unless @keeping && (name.end_with?("=", "!") || (given.any? && name != :[]))

      keep_problem(nil, UnknownOption.sentence(name))
    end

    def respond_to_missing?(name, include_private = false) = super
  end
end

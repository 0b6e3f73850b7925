# frozen_string_literal: true

module ScalingoStagingSync
  module Terminal
    # What was typed for one of the rake tasks: its arguments, the variables, and everything else on rake's command line.
    # An argument that would have no effect ends the task before it starts: it was typed for a reason.
    class CommandLine
      include Support::Discreet

      # A word that may be shown: no URL, no address, no key.
      PLAIN = %r{\A[\w./=-]{1,40}\z}

      NAMESPACE = "scalingo_staging_sync:"

      # The tasks that do not go by the configuration, or go on with a mistake in it.
      WITHOUT_CONFIGURATION = %w[masks status install].freeze
      private_constant :PLAIN, :NAMESPACE, :WITHOUT_CONFIGURATION

      # @return [Boolean] whether this process is to run one of the gem's tasks that end with what is wrong in the
      #   configuration
      def self.refuses_problems?
        return false unless defined?(Rake.application)

        own = Rake.application.top_level_tasks.filter_map { |word| word[/\A#{NAMESPACE}(.[^\[]*)/o, 1] }
        (own - WITHOUT_CONFIGURATION).any?
      end

      # @param task [Rake::Task] the task
      # @param arguments [Rake::TaskArguments] its arguments
      # @param rake [Rake::Application] what knows of the other tasks on the line
      # @param line [Array<String>] the words that rake was called with
      # @param variables [Support::Variables] the environment variables
      def initialize(task, arguments, rake: Rake.application, line: ARGV, variables: Support::Variables.new)
        @task = task
        @arguments = arguments
        @rake = rake
        @line = line
        @variables = variables
      end

      # @return [void]
      # @raise [ConfigurationError] when an argument, a word or a variable has no effect, or a variable is wrong
      def check!
        refuse_arguments
        refuse_words
        @variables.check!
        @variables.check_task!(@task.name.delete_prefix(NAMESPACE), given: @line.filter_map { |word| word[/\A(\w+)=/, 1] })
      end

      private

      def refuse_arguments
        extras = @arguments.extras
        return if extras.empty?

        names = @arguments.names.join(",")
        takes = case @arguments.names.size
                when 0 then "takes no argument"
                when 1 then "takes one argument, #{names}"
                else "takes at most #{@arguments.names.size} arguments, #{names}"
                end
        raise error("The task #{@task.name} #{takes}; #{shown(extras.first)} would have no effect.",
                    "Run #{@task.name}#{"[#{names}]" unless names.empty?} without it.")
      end

      # Rake would run this task, and fail at the unknown one after it; an option after `--` it passes over.
      def refuse_words
        word = @rake.top_level_tasks.find { |text| !task?(text[/\A[^\[]+/] || text) }
        word ||= @line.drop_while { |text| text != "--" }.drop(1).find { |text| text.start_with?("-") }
        return unless word

        raise error("There is no task #{shown(word)}.", variable(word) || "Remove it from the line, or correct it.")
      end

      # How to write the variable that a word nearly names.
      def variable(word)
        letters = word[/\A-*([\w-]+)/, 1].to_s
        name = Support::Variables::OWN.include?(letters) ? letters : Support::Variables.meant(letters)
        "For the variable, write #{name}=#{Support::Variables::SWITCHES.include?(name) ? "true" : "..."}." if name
      end

      def task?(name)
        @rake[name] && true
      rescue RuntimeError
        false # rake's way of saying that it knows none
      end

      def shown(word)
        (word.to_s.match?(PLAIN) && !Support::Echo.secret?(word)) ? word.to_s.inspect : "the one that is given"
      end

      def error(what, remedy)
        ConfigurationError.new(what, "#{remedy} Nothing was touched.")
      end
    end
  end
end

# frozen_string_literal: true

module ScalingoStagingSync
  module Guard
    # What can be known before anything is touched: settings that contradict one another or what is there.
    class Preflight
      include Support::Discreet

      Problem = Data.define(:what, :remedy)

      # What to do about an option, which is named with its file and line.
      THERE = "Correct it there."
      private_constant :Problem, :THERE

      # @param config [Configuration] what to look at
      def initialize(config: ScalingoStagingSync.configuration)
        @config = config
      end

      # @param source [Boolean] whether the run reads a backup from the configured source
      # @param rules [Boolean] whether the rules count, as they do unless what is loaded is masked
      # @param target [Boolean] whether a database is filled
      # @yield where nothing is wrong but options, to find out what else is
      # @yieldreturn [ConfigurationError, nil] that, with all that was found here
      # @return [void]
      # @raise [ConfigurationError] naming everything that was found, and what to do about each
      def check!(source: true, rules: true, target: true)
        problems = [*option_problems, environment_problem, *(entry_problems if rules), (rule_problem if rules), (source_problem if source),
                    *file_problems, *([adapter_problem, target_problem] if target)].compact
        return if problems.empty?

        whole = yield if block_given? && problems.size == @config.problems.size
        raise whole if whole

        raise in_one(problems)
      end

      # @return [Array<String>] sentences on settings that have no effect, and whose absence protects nothing less
      def notices
        @config.warnings + without_webhook + without_scan
      end

      private

      # No message arrives then; that is no reason for a run to fail.
      def without_webhook
        return [] if !@config.slack_enabled || @config.slack_webhook_url

        ["No message goes to Slack: config.slack_enabled is true, and config.slack_webhook_url is not set."]
      end

      def without_scan
        return [] if @config.run_pii_scan || !(@config.set?(:pii_policy) || @config.set?(:pii_detection_patterns))

        ["config.pii_policy and config.pii_detection_patterns have no effect: config.run_pii_scan is false."]
      end

      def option_problems
        @config.problems.map { |sentence| Problem.new(sentence, THERE) }
      end

      # Several are a list, each with what to do about it, but for what says so itself.
      def in_one(problems)
        return ConfigurationError.new(problems[0].what, "#{problems[0].remedy} Nothing was touched.") if problems.one?

        lines = problems.map { |problem| [problem.what, *(problem.remedy unless problem.remedy == THERE)].join(" ") }
        ConfigurationError.new(Configuration::Refused.listed(lines), "Correct this and run again. Nothing was touched.")
      end

      def environment_problem
        problem = AllowedEnvironments.new(config: @config).problem
        Problem.new(*problem) if problem
      end

      def entry_problems
        @config.anonymization_tables.flat_map { |entry| [unused_key_problem(entry), custom_strategy_problem(entry)] }
      end

      # A key that would be taken and do nothing: SQL knows of no values to keep, and a mask reads no other tables.
      def unused_key_problem(entry)
        in_sql = entry[:query] || custom?(entry[:strategy])
        if in_sql && entry[:keep]
          unused(entry, :keep, "which SQL does not know", "Write a condition or a WHERE that leaves those rows out")
        elsif !in_sql && entry[:reads] && !entry[:condition]
          unused(entry, :reads, "but neither SQL nor a condition that could read a table", "Remove it")
        end
      end

      def unused(entry, key, why, remedy)
        Problem.new("The entry for #{Support::Echo.of(entry.fetch(:table))} in config.anonymization_tables has :#{key}, #{why}.",
                    "#{remedy}.")
      end

      def custom?(strategy)
        strategy && Database::AnonymizationStrategies.custom?(strategy)
      end

      # The block of a custom strategy is called here for the first time.
      def custom_strategy_problem(entry)
        return unless custom?(entry[:strategy])

        Database::AnonymizationStrategies.statement(entry[:strategy], entry[:table].to_s, entry[:condition]) && nil
      rescue ConfigurationError => error
        Problem.new(error.what, error.remedy)
      end

      def rule_problem
        return if @config.anonymization_tables.any? || @config.anonymization_rules.any? || @config.allow_unmasked_copy
        # What was set and not taken may well be the rules.
        return if @config.problems.any?
        # Both look for personal data themselves: :mask masks it, and :fail ends the run and lists it.
        return if @config.run_pii_scan && %i[mask fail].include?(@config.pii_policy)

        Problem.new("No anonymization rule is configured, so production data would be copied as it is.",
                    "Add entries to config.anonymization_tables, or set config.pii_policy = :mask, which masks what looks " \
                    "personal; config.allow_unmasked_copy = true copies it as it is, if that is meant.")
      end

      def source_problem
        settings = EngineSettings.new(@config)
        file = settings.backup_file
        return settings.source && nil unless file

        wrong = BackupFile.problem(file)
        Problem.new(*wrong) if wrong
      rescue ConfigurationError => error
        Problem.new(error.what, error.remedy)
      end

      def file_problems
        [seeds_problem, directory_problem(:anonymization_audit_file, @config.anonymization_audit_file && ".."),
         (directory_problem(:temp_dir, "") if @config.keep_backup)]
      end

      def seeds_problem
        path = @config.seeds_file_path
        return if path.nil? || File.file?(EngineSettings.new(@config).in_app(path))

        Problem.new("The seeds file #{Support::Echo.of(path)} is not there.", "Correct config.seeds_file_path.")
      end

      # The directory itself, or the nearest one above it that is there, must be writable.
      def directory_problem(option, up)
        return unless up

        wanted = File.expand_path(up, EngineSettings.new(@config).in_app(@config.public_send(option)))
        nearest = wanted
        nearest = File.dirname(nearest) until File.exist?(nearest)
        return if File.directory?(nearest) && File.writable?(nearest)

        Problem.new("The directory #{Support::Echo.of(wanted)} of config.#{option} cannot be written.", "Correct config.#{option}.")
      end

      def target_problem
        return (Problem.new(*TargetProblem.missing) unless Database::RailsState.missing_adapter) unless EngineSettings.target_url

        wrong = TargetProblem.of_two
        Problem.new(*wrong) if wrong
      end

      # Of a URL of another database the guard speaks.
      def adapter_problem
        wrong = TargetProblem.of_adapter unless TargetProblem.of_url("", EngineSettings.target_url.to_s)
        Problem.new(*wrong) if wrong
      end
    end
  end
end

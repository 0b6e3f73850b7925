# frozen_string_literal: true

require "json"

module ScalingoStagingSync
  module Services
    # What a run would do, found out without doing it: the beginning of the real backup is read and planned with the
    # configured rules, and the target is looked at. Nothing is touched, and no new backup is asked for.
    class DryRun < Base
      # Increased when a reader of the JSON would have to change.
      SCHEMA_VERSION = 1

      # @param config [Configuration] the rules, the source and the target
      # @param environment [#[]] the environment variables
      # @return [Boolean] whether `config.dry_run` or the variable DRY_RUN asks for one
      # @raise [ConfigurationError] when DRY_RUN says neither yes nor no
      def self.asked?(config: ScalingoStagingSync.configuration, environment: ENV)
        said = Support::Variables.new(environment).yes?("DRY_RUN")
        config.dry_run || said
      end

      # @param config [Configuration] the rules, the source and the target
      # @param output [IO] where the plan is printed
      # @param format [String, nil] "json" for machines, else a table for people; default: the variable FORMAT
      # @param ask_server [Boolean] whether the target's server is asked about rules in SQL, in a transaction that is rolled
      #   back
      # @param try_schema [Boolean] whether the reset and the whole schema are tried in the target, in a transaction that is
      #   rolled back; its tables are locked meanwhile. Default: the variable TRY_SCHEMA
      # @param native [Module, nil] what does the work; nil: the native library
      def initialize(config: ScalingoStagingSync.configuration, output: $stdout, format: Support::Variables.new.word("FORMAT"),
                     ask_server: false, try_schema: Support::Variables.new.yes?("TRY_SCHEMA"), native: nil)
        super(config:, native:)
        @ask_server = ask_server
        @try_schema = try_schema
        @output = output
        @json = format.to_s.casecmp?("json")
      end

      # Prints the plan.
      #
      # @return [Hash{Symbol => Object}] it: :would_succeed, :problems, :warnings, :backup, :tables, :findings,
      #   :channels, :not_valid, :left_out, :target and :server_check (:accepted, :refused, :unanswered; nil if the
      #   server was not asked)
      # @raise [Support::EnvironmentValidator::ProductionEnvironmentError] when this may be production
      # @raise [ConfigurationError] when a setting is missing
      def execute!
        planned = preview
        @output.puts(@json ? json(planned) : Terminal::PreviewText.new(Preview::Plan.of(planned), width: Terminal::Lines.width_of(@output)).to_s)
        planned
      end

      # The plan, without printing it.
      #
      # @return [Hash{Symbol => Object}] as {#execute!} returns it
      def preview
        check!
        asked = settings.to_h.merge("ask_server" => @ask_server, "try_schema" => @try_schema,
                                    "exact" => Support::Variables.new.yes?("EXACT"))
        Database::RailsState.release_connections
        native.plan(Secret.reveal(asked), &PersonalData::OwnPatterns.new(config.pii_detection_patterns).block)
      end

      private

      def json(planned) = JSON.pretty_generate({ schema_version: SCHEMA_VERSION, **planned })
    end
  end
end

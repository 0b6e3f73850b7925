# frozen_string_literal: true

require "active_support/core_ext/object/blank"

module ScalingoStagingSync
  # Looking at an installation before its first run.
  module Testing
    # What `rake scalingo_staging_sync:check` does: looks at configuration, guard and installation, and prints a
    # line for each. It opens no connection and reads no backup, so a rule that names a table that is not there, a
    # wrong password or a missing right are found only by a run (which finds them before it touches the target,
    # except for rights on objects that turn up later).
    class Tester
      # A check that did not hold.
      Failed = Class.new(StandardError)
      private_constant :Failed

      # @param config [Configuration] what to look at
      # @param output [IO] where the lines go
      # @param native [Module, nil] what stands for the native library; nil: the library itself
      def initialize(config: ScalingoStagingSync.configuration, output: $stdout, native: nil)
        @config = config
        @output = output
        @native = native
      end

      # @return [Boolean] whether everything holds
      def run
        results = checks.map { |name, check| report(name, check) }
        failures = results.count(false)
        @output.puts(failures.zero? ? "Everything holds." : "#{Support::Figures.counted(failures, "check")} failed.")
        failures.zero?
      end

      private

      def checks
        {
          "Production guard" => -> { guard },
          "Configuration" => -> { preflight },
          "Source" => -> { source },
          "Key for pseudonyms" => -> { secret },
          "Native library" => -> { native },
          "Slack" => -> { slack }
        }
      end

      def report(name, check)
        @output.puts("passed  #{name}: #{check.call}")
        true
      rescue Error, Failed, ArgumentError => error
        @output.puts("FAILED  #{name}: #{error.message}")
        false
      end

      def guard
        Support::EnvironmentValidator.new(config: @config).validate!
        app = @config.target_app
        app ? "nothing says that #{app} is production." : "nothing says that this is production (APP is not set)."
      end

      def preflight
        preflight = Support::Preflight.new(config: @config)
        preflight.check!(source: false)
        tables = @config.anonymization_tables.size
        first = tables.zero? ? "no rule, as config.allow_unmasked_copy permits." : "#{Support::Figures.counted(tables, "rule")}."
        [first, *preflight.notices].join(" ")
      end

      def source
        settings = EngineSettings.new(@config)
        file = settings.backup_file
        if file
          raise Failed, "the backup file #{file} is not there or cannot be read." unless File.file?(file) && File.readable?(file)

          return "the file #{file}."
        end
        source = settings.scalingo
        "the app #{source["app"]} in #{source["region"]}; a token is set."
      end

      def secret
        EngineSettings.new(@config).masking
        @config.set?(:anonymization_secret) ? "config.anonymization_secret is set." : "derived from secret_key_base."
      end

      def native
        "version #{(@native || Native).engine_version}."
      end

      def slack
        return "not enabled." unless @config.slack_enabled
        raise Failed, "config.slack_enabled is true, but config.slack_webhook_url is not set." unless @config.slack_webhook_url

        "enabled."
      end
    end
  end
end

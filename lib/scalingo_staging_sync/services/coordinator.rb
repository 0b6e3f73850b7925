# frozen_string_literal: true

module ScalingoStagingSync
  # The documented doors. Each checks, calls the engine, and tells what it did.
  module Services
    # The whole job, as `rake scalingo_staging_sync:run` does it: guard, checks, confirmation, the engine's run, then
    # what needs Rails (migrations, the environment's name, seeds), the audit file and Slack.
    #
    # @example
    #   report = ScalingoStagingSync::Services::Coordinator.new.execute!
    #   report[:tables].sum { |table| table[:rows] }
    class Coordinator
      # @param config [Configuration] what to do
      # @param reporter [Support::ProgressReporter] who is told of the progress
      # @param confirmation [Support::Confirmation] who asks the operator
      # @param slack [SlackNotificationService] who tells Slack
      # @param native [Module, nil] what does the work; nil: the native library
      def initialize(config: ScalingoStagingSync.configuration,
                     reporter: Support::ProgressReporter.new(logger: config.logger),
                     confirmation: Support::Confirmation.new(config:),
                     slack: SlackNotificationService.new(config:), native: nil)
        @config = config
        @reporter = reporter
        @confirmation = confirmation
        @slack = slack
        @native = native
      end

      # Fills the target with the backup's data, masked.
      #
      # @return [Hash{Symbol => Object}] the engine's report: :backup, :tables, :excluded, :left_out, :warnings,
      #   :large_objects, :steps, :verified, :phases and :seconds
      # @raise [Support::EnvironmentValidator::ProductionEnvironmentError] when this may be production
      # @raise [ConfigurationError] when a setting is missing, or asks for what is not built yet
      # @raise [ConfirmationError] when the operator did not confirm
      # @raise [Error] one of its other subclasses, when the run failed
      # @raise [Interrupt, SignalException] when it was stopped
      def execute!
        prepare
        @slack.started
        report = work
        @slack.succeeded(report)
        report
      rescue StandardError, SignalException => error
        @slack.failed(error)
        hurry = error.is_a?(SignalException)
        raise
      ensure
        hurry ? @slack.flush(patience: 1) : @slack.flush
      end

      private

      # Everything that can refuse the run without having touched anything.
      def prepare
        Support::EnvironmentValidator.new(config: @config).validate!
        preflight = Support::Preflight.new(config: @config)
        preflight.check!
        @call = Support::EngineCall.new(native: @native, reporter: @reporter)
        @settings = EngineSettings.new(@config)
        @confirmation.require!
        preflight.notices.each { |notice| @reporter.say(notice) }
      end

      def work
        started_at = Time.now
        report = @call.run(@settings.to_h)
        finish
        audit(report, started_at)
        tell(report)
        report
      end

      def finish
        return unless Database::RailsState.active_record?

        ran = Database::RailsState.migrate { |label| @reporter.say("Migrating: #{label}.") }
        @reporter.detail("No migration is pending.") if ran.zero?
        Database::RailsState.record_environment
        Seeds.new(config: @config, reporter: @reporter).load
      end

      def audit(report, started_at)
        path = @config.anonymization_audit_file
        return unless path

        files = Database::AnonymizationAudit
                .new(report, started_at:, finished_at: Time.now, config: @config)
                .write(@settings.in_app(path))
        @reporter.say("Audit: #{files.join(" and ")}.")
      end

      def tell(report)
        tables = report[:tables] || []
        masked = tables.sum { |table| (table[:columns] || []).sum { |column| column[:masked] } }
        report[:left_out]&.each { |entry| @reporter.detail("Left out: #{entry[:kind]} #{entry[:name]}. #{entry[:why]}") }
        @reporter.say(
          "Done in #{Support::Figures.seconds(report[:seconds])}: " \
          "#{Support::Figures.counted(tables.size, "table")}, " \
          "#{Support::Figures.counted(tables.sum { |table| table[:rows] }, "row")}, " \
          "#{Support::Figures.counted(masked, "value")} masked; " \
          "#{Support::Figures.counted((report[:excluded] || []).size, "table")} without rows; #{verification(report)}."
        )
      end

      def verification(report)
        return "not verified, as configured" unless @config.verify_anonymization

        report[:verified] ? "verified" : "VERIFICATION FAILED, see the warnings"
      end
    end
  end
end

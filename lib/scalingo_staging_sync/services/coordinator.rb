# frozen_string_literal: true

module ScalingoStagingSync
  module Services
    # The whole job, as `rake scalingo_staging_sync:run` does it: guard, checks, confirmation, the engine's run, then
    # what needs Rails (migrations, the environment's name, seeds), the audit file and Slack.
    #
    # @example
    #   report = ScalingoStagingSync::Services::Coordinator.new.execute!
    #   report[:tables].sum { |table| table[:rows] }
    class Coordinator < Base
      # @param config [Configuration] what to do
      # @param reporter [Terminal::ProgressReporter] what says how far it is
      # @param confirmation [Terminal::Confirmation] who asks the operator
      # @param slack [SlackNotificationService] what writes to Slack
      # @param native [Module, nil] what does the work; nil: the native library
      def initialize(config: ScalingoStagingSync.configuration,
                     reporter: Terminal::ProgressReporter.new(logger: config.logger),
                     confirmation: Terminal::Confirmation.new(config:),
                     slack: SlackNotificationService.new(config:), native: nil)
        super(config:, reporter:, native:, confirmation:)
        @slack = slack
        @touched = false
      end

      # Fills the target with the backup's data, masked. With `config.dry_run`, or DRY_RUN=true, it prints the plan and
      # touches nothing.
      #
      # @return [Hash{Symbol => Object}] the engine's report: :backup, :tables, :excluded, :left_out, :warnings,
      #   :large_objects, :steps, :verified, :phases and :seconds; of a dry run what {DryRun#execute!} returns
      # @raise [Support::EnvironmentValidator::ProductionEnvironmentError] when this may be production
      # @raise [ConfigurationError] when a setting is missing
      # @raise [ConfirmationError] when the operator did not confirm
      # @raise [Error] one of its other subclasses, when the run failed
      # @raise [Interrupt, SignalException] when it was stopped
      def execute!
        announcing_failures do
          next DryRun.new(config:, native: @native).execute! if DryRun.asked?(config:)

          Database::Journal.new.noting("run", settings.source_app_name, begin_schema: false) { run }
        end
      end

      private

      def run
        prepare!(:replace)
        call_hooks(:before_sync)
        @slack.started
        notified { work }.tap { |report| @slack.succeeded(report) }
      end

      def announcing_failures
        yield
      rescue StandardError, SignalException => error
        @slack.failed(error, left_by(error))
        call_failed_hooks(error)
        hurry = error.is_a?(SignalException)
        raise
      ensure
        hurry ? @slack.flush(patience: 1) : @slack.flush
      end

      # Such a run counts among those that were refused, as one does that the engine refuses.
      def look_ahead(source, _target)
        super
      rescue ConfigurationError => error
        allowed = Guard::AllowedEnvironments.new(config:).problem.nil?
        Database::History.new.note_refused(error) if allowed && EngineSettings.target_of_rails?
        raise
      end

      # What Slack says about the target. Asking a silent server takes seconds, so skip it where Slack is off.
      def left_by(error)
        return :unknown unless config.slack_enabled

        Remains.of(error, touched: @touched || error.is_a?(SignalException))
      end

      # The whole run as one event, `sync.scalingo_staging_sync`, with the report, or the exception, in its payload.
      def notified
        payload = { source_app: settings.source_app_name, target_app: config.target_app }
        steps = ActiveSupport::Notifications.subscribe("phase.scalingo_staging_sync") do |*, event|
          @touched ||= Remains.touches?(event[:phase])
          @slack.step(event[:phase])
        end
        ActiveSupport::Notifications.instrument("sync.scalingo_staging_sync", payload) { payload[:report] = yield }
      ensure
        ActiveSupport::Notifications.unsubscribe(steps) if steps
      end

      def work
        started_at = Time.now
        in_rails = AfterLoad.new(config:, reporter:)
        report = engine.run(settings.to_h(more_to_come: EngineSettings.target_of_rails?))
        run = Report::Run.of(report)
        reporter.with_heartbeat { finish(run, report, started_at, in_rails) }
        announce(run)
        report_quiesced(run)
        in_rails.advise_restart
        Retention.new(config:, reporter:).call
        report
      end

      # What comes after the rows. Until all of that is done the target counts as incomplete, as the engine left it,
      # and so it stays, however this process ends.
      def finish(run, report, started_at, in_rails)
        rest = lambda do
          in_rails.call
          after_load(report, started_at)
        end
        EngineSettings.target_of_rails? ? Database::History.new.finishing(run, &rest) : rest.call
      end

      def after_load(report, started_at)
        call_hooks(:after_sync, engine: report, audit_files: audit(report, started_at))
      end

      # Calls the app's blocks, see {ScalingoStagingSync.on}.
      def call_hooks(event, **facts)
        blocks = ScalingoStagingSync.hooks.fetch(event, [])
        return if blocks.empty?

        report = Report.new(event, config:, **facts)
        blocks.each { |block| block.call(report) }
      end

      # An error in the app's block must not hide why the run failed.
      def call_failed_hooks(error)
        call_hooks(:failed, error:)
      rescue StandardError => error
        reporter.warn("A block of ScalingoStagingSync.on(:failed) failed: #{error.class}.")
      end

      # Returns the files' paths.
      def audit(report, started_at)
        path = config.anonymization_audit_file
        return [] unless path

        document = Audit::Document.new(report, started_at:, finished_at: Time.now, config:)
        files = Audit::Files.new(document, config:).write(settings.in_app(path))
        reporter.say("Audit: #{files.join(", ")}.")
        files
      end

      def announce(run)
        run.left_out.each { |entry| reporter.detail("Left out: #{entry}") }
        reporter.say(
          "Done in #{Support::Figures.seconds(run.seconds)}: " \
          "#{Support::Figures.counted(run.tables.size, "table")}, " \
          "#{Support::Figures.counted(run.rows, "row")}, " \
          "#{Support::Figures.counted(run.masked_values, "value")} masked#{without_rows(run)}; " \
          "#{run.verification(asked: config.verify_anonymization)}#{without_objects(run)}."
        )
      end

      # What staging could do, and who can log in.
      def report_quiesced(run)
        acting = PersonalData::Outside.summary(run.findings)
        reporter.say("Acts outside: #{acting}.") if acting
        run.known_passwords.each do |known|
          reporter.say("#{Support::Figures.counted(known.accounts, "account")} of #{known.table} " \
                       "#{(known.accounts == 1) ? "has" : "have"} a known password (#{known.column}).")
        end
      end

      def without_rows(run)
        "; #{Support::Figures.counted(run.excluded.size, "table")} without rows" if run.excluded.any?
      end

      def without_objects(run)
        "; complete, without #{Support::Figures.counted(run.refused.size, "object")}" if run.refused.any?
      end
    end
  end
end

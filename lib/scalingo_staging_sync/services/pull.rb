# frozen_string_literal: true

module ScalingoStagingSync
  module Services
    # What `rake scalingo_staging_sync:pull` does: the newest masked archive, from staging's server or from the service that it
    # is published to, or one in a file, becomes this app's database. It needs no token of Scalingo's and no rule: what is
    # loaded is known to be masked by its seal.
    class Pull < Base
      # @param path [String, nil] an archive on this machine; nil: `config.source_url`, else `config.publish_service`
      # @return [Hash{Symbol => Object}] the engine's report, as {Coordinator#execute!} returns it
      # @raise [Support::EnvironmentValidator::ProductionEnvironmentError] when this may be production
      # @raise [ConfigurationError] when a setting is missing, or a dry run is asked for
      # @raise [ConfirmationError] when the operator did not confirm
      # @raise [StoreError] when the archive cannot be fetched
      # @raise [VerificationError] when it is not the one that its sealed manifest describes
      # @raise [Error] one of its other subclasses, when it could not be loaded
      def call(path = nil)
        refuse_dry_run!
        Database::Journal.new.noting("pull", path.presence && File.basename(path), begin_schema: false) do
          check!(source: false)
          native # loaded now, so that nothing is fetched for which it is missing
          path.present? ? from_file(Archives::Local.new(path, config:)) : from(Archives::Places.configured(config))
        end
      end

      private

      # Rules are the business of who makes the archive.
      def look_ahead(source, target)
        Guard::Preflight.new(config:).tap { |preflight| preflight.check!(source:, target:, rules: false) }
      end

      def from(place)
        manifest = place.manifest
        reporter.say("Pulling #{words(manifest)}, from #{place.name}.")
        confirm!
        Archives::Fetched.new(place, settings.in_app(config.temp_dir)).open { |path| load(path, manifest, place.name) }
      end

      def from_file(archive)
        archive.open do |_, manifest|
          reporter.say("Loading #{words(manifest)}.")
          confirm!
          load(archive.path, manifest, "a file")
        end
      end

      # A file that a pull has put there can be pulled again.
      def confirm!
        replaceable = replaceable? # a database that does not answer is known before its name is asked for
        @confirmation.require!(:replace) if config.require_confirmation || !replaceable
      end

      def replaceable?
        return false unless EngineSettings.target_of_rails?

        Guard::TargetProblem.asking("The target database") { Database::History.new.current&.pulled? || Database::TargetFacts.new.empty? }
      end

      def load(path, manifest, from)
        after = AfterLoad.new(config:, reporter:)
        ours = EngineSettings.target_of_rails?
        report = engine.run(settings.masked(path, manifest.to_h["rules_fingerprint"], more_to_come: ours))
        run = Report::Run.of(report)
        reporter.with_heartbeat { ours ? finish(after, run, manifest, from) : after.call }
        announce(run)
        after.advise_restart
        report
      end

      # Until all of that is done the target counts as incomplete.
      def finish(after, run, manifest, from)
        history = Database::History.new
        history.finishing(run) do
          after.call
          history.note_pull(run, manifest.to_h, "#{manifest.origin}, by way of #{from}")
        end
      end

      def announce(run)
        reporter.say("Done in #{Support::Figures.seconds(run.seconds)}: #{Support::Figures.counted(run.tables.size, "table")}, " \
                     "#{Support::Figures.counted(run.rows, "row")}#{", verified" if run.verified}.")
      end

      def words(manifest)
        made_at = manifest.made_at.utc.strftime("%Y-%m-%d %H:%M UTC")
        "the masked archive of #{made_at} (#{Support::Figures.bytes(manifest.size)}), of #{manifest.origin}"
      end
    end
  end
end

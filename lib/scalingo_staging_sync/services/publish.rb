# frozen_string_literal: true

module ScalingoStagingSync
  module Services
    # What `rake scalingo_staging_sync:publish` does: a masked archive goes from this machine to an Active Storage service of
    # the app, from where others pull it, with or without {Server}.
    class Publish < Base
      # @param path [String, nil] the archive; nil: `config.archive_file`
      # @return [Archives::Store::Published] what was done
      # @raise [Support::EnvironmentValidator::ProductionEnvironmentError] when this may be production
      # @raise [ConfigurationError] when there is no service, or no archive, or a dry run is asked for
      # @raise [VerificationError] when the archive is not the one that its sealed manifest describes, or its checks failed
      # @raise [StoreError] when the service does not answer
      # @raise [TargetBusyError] while another process publishes
      # @raise [TargetConnectionError] when the database cannot be asked
      def call(path = nil)
        refuse_dry_run!("would publish an archive")
        Support::Variables.new.check!
        refuse_production!
        named = path.presence || config.archive_file
        Database::Journal.new.noting("publish", named && File.basename(named.to_s)) do
          config.check!
          refuse_nothing!(named)
          archive = Archives::Local.new(named, config:)
          Guard::TargetProblem.asking("The target database, in which only one process at a time publishes,") { alone { publish(archive) } }
        end
      end

      private

      def refuse_nothing!(named)
        return if named

        raise ConfigurationError.new("No archive is named.", "Set config.archive_file, or name the file: " \
                                                             "`rake 'scalingo_staging_sync:publish[tmp/staging.dump]'`.")
      end

      def publish(archive)
        store = Archives::Store.of(config) || raise(ConfigurationError.new("There is nowhere to publish to.",
                                                                           "Set config.publish_service to a service of config/storage.yml."))
        refuse_unproven(archive.manifest)
        published = store.publish(archive)
        reporter.say(words(published, store))
        published
      end

      def refuse_unproven(manifest)
        return unless manifest.to_h.dig("verification", "passed") == false

        raise VerificationError.new("The checks of this archive failed as it was made, so it is not published.",
                                    "Correct what the dump's warnings name, and make it again.")
      end

      # Two at once would each write a pointer without the other's archive.
      def alone(&)
        Database::OwnSchema.new.alone(Database::OwnSchema::PUBLISHING, &) ||
          raise(TargetBusyError.new("Another process publishes an archive now.", "Wait until it has ended, and run it again."))
      end

      def words(published, store)
        entry = published.entry
        what = "#{Support::Figures.bytes(entry.size)} of #{entry.made_at.utc.strftime("%Y-%m-%d %H:%M UTC")}"
        gone = "; #{Support::Figures.counted(published.removed, "older archive")} removed" if published.removed.positive?
        return "#{store.name.upcase_first} has this archive already: #{what}. Nothing was sent." unless published.sent

        "Published to #{store.name}: #{what}, the newest of #{published.kept}#{gone}."
      end
    end
  end
end

# frozen_string_literal: true

require "openssl"
require "securerandom"
require "stringio"
require "time"

module ScalingoStagingSync
  module Archives
    # Where masked archives are published: an Active Storage service of the app. A service can list nothing, so one sealed
    # file, the pointer, names the archives, the newest first. It is replaced last, and also names what is being uploaded, so
    # that the next process removes what a killed one has left behind.
    class Store
      include Support::Discreet

      FOLDER = "scalingo_staging_sync"
      POINTER = "#{FOLDER}/newest.json".freeze
      KIND = "published archives"
      VERSION = 1

      # How often the pointer is read: a service of files shows half of one for a moment.
      TRIES = 3
      private_constant :FOLDER, :POINTER, :KIND, :VERSION, :TRIES

      # What the pointer says of one archive.
      Entry = Data.define(:key, :size, :sha256, :made_at, :published_at)

      # What the pointer says: the archives, the newest first, and the keys of files that belong to none.
      Pointer = Data.define(:entries, :strays)

      # What was published, how many archives are left and were removed, and whether it was sent: not when it was there already.
      Published = Data.define(:entry, :kept, :removed, :sent)

      # @param config [Configuration] which service, how many archives stay, and the key of the seals
      # @return [Store, nil] the store; nil if none is configured
      # @raise [ConfigurationError] when the app has no such service
      def self.of(config = ScalingoStagingSync.configuration) = config.publish_service && new(config:)

      # @param config [Configuration] which service, how many archives stay, and the key of the seals
      # @raise [ConfigurationError] when the app has no such service, or anyone can read what is in it
      def initialize(config: ScalingoStagingSync.configuration)
        @config = config
        @service = Service.of(config.publish_service)
      end

      # @return [String] what it is called, for use within a sentence
      def name = "the service #{Support::Echo.of(@config.publish_service)}"

      # @return [Remote, nil] the newest archive; nil if none is published
      # @raise [StoreError] when the service does not answer
      # @raise [VerificationError] when the pointer's seal does not hold
      def newest = pointer.entries.first&.then { |entry| Remote.new(entry, @service, config: @config) }

      # @return [Array<Entry>] the archives that are published, the newest first
      # @raise [StoreError] when the service does not answer
      # @raise [VerificationError] when the pointer's seal does not hold
      def entries = pointer.entries

      # Publishes an archive, and removes those beyond the number to keep.
      #
      # @param archive [Local] it
      # @return [Published] what was done; `entry` is the newest one already where it is this archive
      # @raise [VerificationError] when it is not the one that its sealed manifest describes
      # @raise [StoreError] when the service does not answer
      def publish(archive)
        archive.open do |file, manifest|
          before = pointer
          newest = before.entries.first
          next Published.new(newest, before.entries.size, 0, false) if newest&.sha256 == manifest.sha256

          entry = entry_of(manifest)
          replace(before.with(strays: before.strays | [entry.key])) # so that it is known, should this process be killed
          upload(entry, file, manifest)
          trim([entry, *before.entries].first(@config.publish_keep), before).then { |kept, removed| Published.new(entry, kept, removed, true) }
        end
      end

      # Removes the archives that were made before a time.
      #
      # @param time [Time] when
      # @return [Integer] how many
      # @raise [StoreError] when the service does not answer
      def expire(time)
        before = pointer
        young = before.entries.reject { |entry| entry.made_at < time }
        return 0 if young.size == before.entries.size

        trim(young, before).last
      end

      private

      # Makes these the only published archives. The others are not found any more, even if they cannot be removed.
      def trim(entries, before)
        gone = (before.entries - entries).map(&:key)
        strays = gone | (before.strays - entries.map(&:key))
        replace(Pointer.new(entries, strays))
        strays.each { |key| remove(key) }
        replace(Pointer.new(entries, [])) if strays.any?
        [entries.size, gone.size]
      end

      def entry_of(manifest)
        moment = manifest.made_at.utc.strftime("%Y%m%dT%H%M%SZ")
        Entry.new("#{FOLDER}/#{moment}-#{manifest.sha256[0, 16]}-#{SecureRandom.hex(4)}.dump", manifest.size, manifest.sha256,
                  manifest.made_at, Time.now.utc.round)
      end

      def upload(entry, file, manifest)
        file.rewind
        @service.upload(entry.key, file)
        @service.upload("#{entry.key}#{Manifest::ENDING}", StringIO.new(manifest.text))
      end

      def remove(key)
        [key, "#{key}#{Manifest::ENDING}"].each { |one| @service.delete(one) }
      end

      def pointer
        tries ||= 0
        text = @service.read(POINTER)
        text ? parse(text) : Pointer.new([], [])
      rescue VerificationError
        raise if (tries += 1) == TRIES

        sleep(0.1)
        retry
      end

      def parse(text)
        facts = Audit::Seal.new(config: @config).facts(text.dup.force_encoding(Encoding::UTF_8))
        raise changed unless facts && facts["kind"] == KIND && facts["pointer_version"] == VERSION

        Pointer.new(facts["archives"].map { |archive| Entry.new(**archive.transform_keys(&:to_sym), **times(archive)) }, facts["strays"])
      end

      def times(archive) = %w[made_at published_at].to_h { |name| [name.to_sym, Time.iso8601(archive[name])] }

      def replace(pointer)
        facts = {
          pointer_version: VERSION, kind: KIND, gem_version: ScalingoStagingSync::VERSION,
          archives: pointer.entries.map { |entry| entry.to_h.transform_values { |value| value.is_a?(Time) ? value.utc.iso8601 : value } },
          strays: pointer.strays
        }
        text = Audit::Seal.form(facts.merge(seal: Audit::Seal.new(config: @config).seal(facts)))
        @service.upload(POINTER, StringIO.new(text))
      end

      def changed
        VerificationError.new("What #{name} says of the published archives is not as it was written, or was sealed under another key.",
                              "Set config.seal_key to what `rake 'scalingo_staging_sync:token[name]'` prints where the archives are " \
                              "published. If it is that, the file #{POINTER} was changed: remove it, and publish again.")
      end
    end
  end
end

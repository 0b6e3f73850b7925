# frozen_string_literal: true

module ScalingoStagingSync
  module Archives
    # An archive that is published.
    class Remote
      include Support::Discreet

      @manifests = {}
      @lock = Mutex.new

      class << self
        # A manifest never changes under its key, and so it is fetched once.
        #
        # @api private
        def remember(key)
          known = @lock.synchronize { @manifests[key] }
          known || yield.tap { |fetched| @lock.synchronize { @manifests = { key => fetched } } }
        end
      end

      # @return [Store::Entry] what the pointer says about it
      attr_reader :entry

      # @param entry [Store::Entry] what the pointer says of it
      # @param service [Service] where it lies
      # @param config [Configuration] the key of the seal
      def initialize(entry, service, config: ScalingoStagingSync.configuration)
        @entry = entry
        @service = service
        @config = config
      end

      # @return [Manifest] its manifest
      # @raise [StoreError] when the service does not answer
      # @raise [VerificationError] when the seal does not hold, or it is of another archive
      def manifest
        text = self.class.remember(entry.key) { @service.read("#{entry.key}#{Manifest::ENDING}").to_s }
        Manifest.of(text, from: "of the published archive", config: @config).tap do |said|
          next if [said.size, said.sha256] == [entry.size, entry.sha256]

          raise VerificationError.new("The manifest of the published archive is one of another archive.", "Publish it again.")
        end
      end

      # @return [Local, nil] the archive, if it lies on this machine
      def local
        path = @service.path(entry.key)
        Local.new(path, config: @config) if path
      end

      # @return [String] a signed link that leads to it for some minutes; it is a secret
      # @raise [StoreError] when the service makes none
      def link = @service.link(entry.key, manifest.name)

      # @param bytes [Range] which bytes
      # @return [String] those bytes
      # @raise [StoreError] when they cannot be fetched
      def bytes(bytes) = @service.bytes(entry.key, bytes)
    end
  end
end

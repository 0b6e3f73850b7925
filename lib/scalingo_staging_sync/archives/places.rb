# frozen_string_literal: true

module ScalingoStagingSync
  module Archives
    # Where an archive is pulled from: a server, a store, or a file of this machine. Each says which it is, has the sealed
    # manifest, and hands on the archive's bytes.
    module Places
      # Bytes that a store is asked for at once, and how often.
      PIECE = 8 * 1024 * 1024
      TRIES = 3
      private_constant :PIECE, :TRIES

      module_function

      # @param config [Configuration] where from
      # @return [FromServer, FromStore] the place
      # @raise [ConfigurationError] when none is configured, or it is configured wrongly
      # @raise [StoreError] when it does not answer, or has no archive
      # @raise [VerificationError] when what it says is not sealed under this key
      def configured(config)
        return FromServer.new(config) if config.source_url

        store = Store.of(config) or raise nowhere
        FromStore.new(store)
      end

      def nowhere
        ConfigurationError.new("There is nowhere to pull from.",
                               "Set STAGING_SYNC_URL and STAGING_SYNC_TOKEN (config.source_url, config.source_token) to staging's server and a " \
                               "token of it, or config.publish_service to the service that archives are published to. Nothing was touched.")
      end
      private_class_method :nowhere

      # Another app's {Server}.
      class FromServer
        include Support::Discreet

        # @param config [Configuration] its URL, the token, and the key of the seal
        def initialize(config)
          @server = Integrations::ArchiveServer.new(config.source_url, config.source_token)
          @config = config
        end

        # @return [String] which it is, for use within a sentence
        def name = @server.name

        # @return [Manifest] the archive's manifest
        def manifest = @manifest ||= Manifest.of(@server.manifest, from: "of #{name}", config: @config)

        # @yieldparam piece [String] the archive's next bytes
        # @return [void]
        def each(&) = @server.archive(manifest.size, manifest.sha256, &)
      end

      # What is published to an Active Storage service of this app.
      class FromStore
        include Support::Discreet

        # @param store [Store] it
        def initialize(store)
          @store = store
          @archive = store.newest || raise(StoreError.new("Nothing is published in #{store.name}.",
                                                          "Publish an archive in the staging app: `rake scalingo_staging_sync:publish`. " \
                                                          "Nothing was touched."))
        end

        # @return [String] which it is, for use within a sentence
        def name = @store.name

        # @return [Manifest] the archive's manifest
        def manifest = @manifest ||= @archive.manifest

        # @yieldparam piece [String] the archive's next bytes
        # @return [void]
        def each
          (0...manifest.size).step(PIECE) { |first| yield piece(first..[first + PIECE, manifest.size].min.pred) }
        end

        private

        def piece(bytes)
          tries ||= 0
          @archive.bytes(bytes)
        rescue StoreError
          raise if (tries += 1) == TRIES

          retry
        end
      end
    end
  end
end

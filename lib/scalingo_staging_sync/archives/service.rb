# frozen_string_literal: true

require "openssl"

module ScalingoStagingSync
  module Archives
    # One of the app's Active Storage services, as far as it is needed here. Every failure in it becomes a {StoreError} that
    # names no more than the error's class: messages of such services may hold their credentials.
    class Service
      include Support::Discreet

      # Seconds for which a signed link leads to an archive.
      LINK_LASTS = 300
      TYPE = "application/octet-stream"
      private_constant :TYPE

      # @param name [String] what config/storage.yml calls it
      # @return [Service] it
      # @raise [ConfigurationError] when the app has no such service, or anyone can read what is in it
      def self.of(name)
        service = storage(name)
        if service.public?
          raise ConfigurationError.new("The service #{Support::Echo.of(name)} is public: anyone could read the archives in it.",
                                       "Name one in config.publish_service that is not `public: true` in config/storage.yml.")
        end
        new(name, service)
      end

      def self.storage(name)
        unless defined?(ActiveStorage::Blob) && ActiveStorage::Blob.respond_to?(:services)
          raise ConfigurationError.new("This app does not use Active Storage, which config.publish_service names a service of.",
                                       "Add `require \"active_storage/engine\"` to config/application.rb, or remove config.publish_service.")
        end

        ActiveStorage::Blob.services.fetch(name) { raise none("The app has no Active Storage service named #{Support::Echo.of(name)}.") }
      rescue NameError, LoadError => error
        raise none("The Active Storage service #{Support::Echo.of(name)} cannot be loaded (#{error.class}).")
      end
      private_class_method :storage

      def self.none(what)
        ConfigurationError.new(what, "Name a service of config/storage.yml in config.publish_service.")
      end
      private_class_method :none

      # @param name [String] what it is called
      # @param service [ActiveStorage::Service] it
      def initialize(name, service)
        @name = name
        @service = service
      end

      # @param key [String] where to
      # @param io [IO] what
      # @return [void]
      # @raise [StoreError] when it does not arrive whole
      def upload(key, io)
        checksum = checksum(io)
        guarded { @service.upload(key, io, checksum:, content_type: TYPE) }
      end

      # @param key [String] of a small file
      # @return [String, nil] its content; nil if it is not there
      # @raise [StoreError] when the service does not answer
      def read(key)
        guarded { @service.exist?(key) ? @service.download(key) : nil }
      end

      # @param key [String] of a file
      # @param bytes [Range] which bytes of it
      # @return [String] those bytes
      # @raise [StoreError] when they cannot be fetched
      def bytes(key, bytes) = guarded { @service.download_chunk(key, bytes) }

      # @param key [String] of a file, which need not be there
      # @return [void]
      # @raise [StoreError] when the service does not answer
      def delete(key) = guarded { @service.delete(key) }

      # @param key [String] of a file
      # @return [String, nil] the path at which it lies on this machine; nil if it lies elsewhere
      def path(key)
        # One that mirrors writes to all of its services and reads from the first.
        primary = @service.respond_to?(:primary) ? @service.primary : @service
        primary.path_for(key) if primary.respond_to?(:path_for)
      end

      # @param key [String] of a file
      # @param filename [String] under which a browser would save it
      # @return [String] a signed link that leads to it for some minutes; it is a secret
      # @raise [StoreError] when the service makes none
      def link(key, filename)
        guarded do
          unlogged do
            @service.url(key, expires_in: LINK_LASTS, filename: ActiveStorage::Filename.new(filename), disposition: :attachment, content_type: TYPE)
          end
        end
      end

      private

      # Active Storage writes such links into the log.
      def unlogged(&)
        logger = ActiveStorage.logger
        logger.respond_to?(:silence) ? logger.silence(Logger::WARN, &) : yield
      end

      # The services compare it with what has arrived.
      def checksum(io)
        digest = OpenSSL::Digest.new("MD5")
        piece = +""
        digest << piece while io.read(1024 * 1024, piece)
        io.rewind
        [digest.digest].pack("m0")
      rescue OpenSSL::OpenSSLError
        io.rewind # where MD5 is forbidden
        nil
      end

      # Each service has errors of its own.
      def guarded
        yield
      rescue Error
        raise
      rescue StandardError, NotImplementedError => error
        raise StoreError.new("The service #{Support::Echo.of(@name)} did not do what was asked of it (#{error.class}).",
                             "Check its entry in config/storage.yml and that it can be reached, and run it again.")
      end
    end
  end
end

# frozen_string_literal: true

module ScalingoStagingSync
  class Server
    # What there is to hand out, and whether anything is.
    class Offer
      include Support::Discreet

      # @param config [Configuration] what is handed out
      def initialize(config)
        @config = config
      end

      # @return [Boolean] whether the server answers at all
      def open? = @config.server_enabled && (!production? || @config.server_in_production)

      # @return [InFile, nil] the newest archive; nil where there is none
      # @raise [Error] when one is there and cannot be vouched for
      def newest
        local = InFile.new(Archives::Local.new(@config.archive_file, config: @config)) if @config.archive_file && !production?
        local if local&.there?
      end

      # An archive on this machine.
      class InFile
        include Support::Discreet

        # @param archive [Archives::Local] it
        def initialize(archive)
          @archive = archive
        end

        # @return [Boolean] whether it is there
        def there? = @archive.there?

        # @return [nil] it is sent from here, and no link leads to it
        def link = nil

        # @return [Archives::Manifest] what is said of it
        def manifest = @manifest ||= @archive.manifest

        # @return [Array(File, Archives::Manifest)] it, open, once it was compared with its manifest
        def open = @archive.open
      end

      private

      # What cannot be told from production counts as it.
      def production?
        Guard::Production.new(config: @config).validate!
        false
      rescue Support::EnvironmentValidator::ProductionEnvironmentError
        true
      end
    end
  end
end

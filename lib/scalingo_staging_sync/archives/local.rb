# frozen_string_literal: true

require "openssl"

module ScalingoStagingSync
  module Archives
    # A masked archive in a local file, with its manifest beside it.
    class Local
      include Support::Discreet

      # Bytes that are read at once.
      PIECE = 1024 * 1024
      private_constant :PIECE

      @sums = {}
      @lock = Mutex.new

      class << self
        # The SHA-256 of an open file, cached until the file changes.
        #
        # @param file [File] it
        # @return [String] 64 hexadecimal digits
        def sha256(file)
          stat = file.stat
          key = [stat.dev, stat.ino, stat.size, stat.mtime.to_r, stat.ctime.to_r]
          @lock.synchronize do
            @sums.clear if @sums.size > 16
            @sums[key] ||= sum(file)
          end
        end

        private

        def sum(file)
          digest = OpenSSL::Digest.new("SHA256")
          piece = +""
          file.rewind
          digest << piece while file.read(PIECE, piece)
          digest.hexdigest
        end
      end

      # @return [String] the file, absolute
      attr_reader :path

      # @param path [String] the archive's file
      # @param config [Configuration] the key of the seal
      def initialize(path, config: ScalingoStagingSync.configuration)
        @path = EngineSettings.new(config).in_app(path.to_s)
        @config = config
      end

      # @return [Boolean] whether the archive and its manifest are there
      def there? = File.file?(path) && File.file?(manifest_path)

      # @return [String] where the manifest lies
      def manifest_path = "#{path}#{Manifest::ENDING}"

      # @return [Manifest] the archive's manifest
      # @raise [ConfigurationError] when it cannot be read
      # @raise [VerificationError] when its seal does not hold
      def manifest
        Manifest.of(File.binread(manifest_path, Manifest::LARGEST).to_s, from: Support::Echo.of(manifest_path), config: @config)
      rescue SystemCallError => error
        raise ConfigurationError.new("The archive #{Support::Echo.of(path)} has no manifest that can be read (#{error.class}).",
                                     "Name an archive that `rake 'scalingo_staging_sync:dump[path]'` has finished: its manifest is beside it, " \
                                     "with #{Manifest::ENDING} behind the name.")
      end

      # Opens the archive and compares it with its manifest, byte by byte unless that has been done before.
      #
      # @yieldparam file [File] the archive, open for reading
      # @yieldparam manifest [Manifest] its manifest
      # @return [Object] what the block returns; without a block the file, open, and the manifest
      # @raise [ConfigurationError] when one of the two cannot be read
      # @raise [VerificationError] when the archive is not the one that the sealed manifest describes
      def open
        said = manifest
        file = open_file
        compare(file, said)
        return [file, said] unless block_given?

        begin
          yield file, said
        ensure
          file.close
        end
      rescue VerificationError
        file&.close
        raise
      end

      private

      def open_file
        File.open(path, "rb")
      rescue SystemCallError => error
        raise ConfigurationError.new("The archive #{Support::Echo.of(path)} cannot be read (#{error.class}).", "Correct the path, or its mode.")
      end

      def compare(file, said)
        return if file.stat.size == said.size && self.class.sha256(file) == said.sha256

        raise VerificationError.new("The archive #{Support::Echo.of(path)} is not the one that its manifest describes: it was cut off or changed.",
                                    "Make it again with `rake 'scalingo_staging_sync:dump[path]'`.")
      end
    end
  end
end

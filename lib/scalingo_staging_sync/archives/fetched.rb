# frozen_string_literal: true

require "fileutils"
require "openssl"
require "securerandom"

module ScalingoStagingSync
  module Archives
    # Fetches an archive into a file of its own, checks it on the way, and removes it at the end.
    class Fetched
      include Support::Discreet

      # @param place [Places::FromServer, Places::FromStore] where from
      # @param directory [String] where to
      def initialize(place, directory)
        @place = place
        @directory = directory
      end

      # @yieldparam path [String] the archive, which is the one that the manifest describes; it is there until the block ends
      # @return [Object] what the block returns
      # @raise [StoreError] when it cannot be fetched
      # @raise [VerificationError] when it is not the archive that the manifest describes
      # @raise [ConfigurationError] when the file cannot be written
      def open
        path = File.join(@directory, "staging_sync_pull_#{SecureRandom.hex(8)}.dump")
        write(path)
        yield path
      ensure
        FileUtils.rm_f(path) if path
      end

      private

      def write(path)
        digest = OpenSSL::Digest.new("SHA256")
        file = new_file(path)
        @place.each do |piece|
          digest << piece
          written { file.write(piece) }
        end
        written { file.close }
        compare(path, digest.hexdigest)
      ensure
        file&.close
      end

      def new_file(path)
        written do
          FileUtils.mkdir_p(@directory)
          File.open(path, File::WRONLY | File::CREAT | File::EXCL, 0o600).binmode
        end
      end

      # A place retries network failures itself; a full disk stays full.
      def written
        yield
      rescue SystemCallError => error
        raise ConfigurationError.new("The archive could not be written to the directory #{Support::Echo.of(@directory)} (#{error.class}).",
                                     "It needs room for #{Support::Figures.bytes(@place.manifest.size)}: correct config.temp_dir. " \
                                     "Nothing was touched.")
      end

      def compare(path, sum)
        manifest = @place.manifest
        return if File.size(path) == manifest.size && sum == manifest.sha256

        raise VerificationError.new("What came from #{@place.name} is not the archive that its sealed manifest describes.",
                                    "Run it again; if it stays so, publish the archive again. Nothing was touched.")
      end
    end
  end
end

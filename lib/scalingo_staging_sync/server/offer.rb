# frozen_string_literal: true

module ScalingoStagingSync
  class Server
    # The archive to hand out, if there is one.
    class Offer
      include Support::Discreet

      # @param config [Configuration] what is handed out
      def initialize(config)
        @config = config
      end

      # @return [Boolean] whether the server answers at all
      def open? = @config.server_enabled && (!production? || @config.server_in_production)

      # @return [InFile, ByLink, nil] the newest archive; nil if there is none
      # @raise [Error] when one is there and cannot be vouched for
      def newest = [published, in_file].compact.max_by { |found| found.manifest.made_at }

      # An archive on this machine.
      class InFile
        include Support::Discreet

        # @param archive [Archives::Local] it
        def initialize(archive)
          @archive = archive
        end

        # @return [nil] it is sent from here, and no link leads to it
        def link = nil

        # @return [Archives::Manifest] its manifest
        def manifest = @manifest ||= @archive.manifest

        # @return [Array(File, Archives::Manifest)] it, open, once it was compared with its manifest
        def open = @archive.open

        # @param spans [Array<Range>] some of its bytes
        # @yieldparam stretches [Array<Hash{String => Object}>] where the engine finds them until the block ends
        # @return [Object] what the block returns
        def stretches(spans)
          file, = self.open
          yield(spans.map { |span| { "path" => "/dev/fd/#{file.fileno}", "offset" => span.begin, "length" => span.size } })
        ensure
          file&.close
        end
      end

      # An archive in a store that others can reach by a signed link.
      class ByLink
        include Support::Discreet

        # Bytes that the store is asked for at once.
        PIECE = 1024 * 1024
        private_constant :PIECE

        # @param archive [Archives::Remote] it
        def initialize(archive)
          @archive = archive
        end

        # @return [String] a signed link that leads to it for some minutes
        def link = @archive.link

        # @return [Archives::Manifest] its manifest
        def manifest = @manifest ||= @archive.manifest

        # @param spans [Array<Range>] some of its bytes
        # @yieldparam stretches [Array<Hash{String => Object}>] where the engine finds them until the block ends
        # @return [Object] what the block returns
        # @raise [StoreError] when they cannot be fetched
        def stretches(spans)
          reader, writer = IO.pipe(binmode: true)
          fetcher = Thread.new { fetch(spans, writer) }
          result = yield([{ "path" => "/dev/fd/#{reader.fileno}" }])
          reader.close # it may need none of what is still to come
          fetcher.value
          result
        rescue ArchiveError
          reader.close
          fetcher.value # what could not be fetched is why
          raise
        ensure
          fetcher&.kill
          [reader, writer].each { |pipe| pipe&.close }
        end

        private

        def fetch(spans, writer)
          Thread.current.report_on_exception = false
          spans.each do |span|
            span.step(PIECE) { |first| writer.write(@archive.bytes(first...[first + PIECE, span.end].min)) }
          end
        rescue Errno::EPIPE
          nil
        ensure
          writer.close
        end
      end

      private

      def published
        remote = Archives::Store.of(@config)&.newest
        return unless remote

        local = remote.local
        local ? InFile.new(local) : ByLink.new(remote)
      end

      # Only what was published leaves production.
      def in_file
        return if @config.archive_file.nil? || production?

        archive = Archives::Local.new(@config.archive_file, config: @config)
        InFile.new(archive) if archive.there?
      end

      # What may be production counts as it.
      def production?
        Guard::Production.new(config: @config).validate!
        false
      rescue Support::EnvironmentValidator::ProductionEnvironmentError
        true
      end
    end
  end
end

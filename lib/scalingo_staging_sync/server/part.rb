# frozen_string_literal: true

module ScalingoStagingSync
  class Server
    # A part of an archive, made by the engine while it is read: its schema, or the rows of a table. It waits for its reader.
    class Part
      include Support::Discreet

      # Bytes that are read at once.
      PIECE = 64 * 1024

      # How many sizes are remembered: that of CSV is found by making it once without keeping it.
      REMEMBERED = 256
      private_constant :PIECE, :REMEMBERED

      @sizes = {}
      @lock = Mutex.new

      class << self
        # @api private
        def size_of(key)
          known = @lock.synchronize { @sizes[key] }
          known || yield.tap do |size|
            @lock.synchronize do
              @sizes.clear if @sizes.size >= REMEMBERED
              @sizes[key] = size
            end
          end
        end
      end

      # @param found [Offer::InFile, Offer::ByLink] the archive
      # @param table [Hash{String => Object}, nil] what its manifest says of a table; nil: the schema is wanted
      # @param format [Symbol] :copy or :csv
      # @param native [Module, nil] what does the work; nil: the native library
      def initialize(found, table = nil, format: :copy, native: nil)
        @found = found
        @table = table
        @format = format
        @native = native
      end

      # @return [Integer] its bytes
      # @raise [Error] when the archive cannot be read
      def size
        return @table["bytes"] if @table && @format == :copy

        self.class.size_of([@found.manifest.sha256, @table&.fetch("table"), @format]) { take(nil)[:bytes] }
      end

      # @yieldparam piece [String] the next bytes, which are another's after the block
      # @return [void]
      # @raise [Error] when the archive cannot be read to the end of this part
      def each
        reader, writer = IO.pipe(binmode: true)
        worker = working(writer)
        piece = +""
        yield piece while reader.read(PIECE, piece)
        worker.value
      ensure
        reader&.close # and the engine, which may wait for a reader, ends
        wait_for(worker) if worker
      end

      private

      # Where its end matters it was asked for already.
      def wait_for(worker)
        worker.join
      rescue Error
        nil
      end

      def working(writer)
        Thread.new do
          Thread.current.report_on_exception = false
          take("/dev/fd/#{writer.fileno}")
        ensure
          writer.close
        end
      end

      def take(to)
        @found.stretches(spans) { |from| native.extract({ "from" => from, "to" => to, "what" => what }) }
      end

      # What the engine needs to see: everything before the first block, and the block.
      def spans
        manifest = @found.manifest
        head = manifest.to_h["tables"].map { |table| table["offset"] }.min || manifest.size
        [0...head, (@table["offset"]...(@table["offset"] + @table["length"]) if @table)].compact
      end

      def what
        return "schema" unless @table

        (@format == :csv) ? { "csv" => @table["columns"] } : "copy"
      end

      def native = @native || Native
    end
  end
end

# frozen_string_literal: true

module ScalingoStagingSync
  class Report
    # The masked archive that a dump has written: how large, of which format, and where its tables lie. Of standard output no
    # SHA-256 is known.
    Archive = Data.define(:size, :sha256, :format_version, :compression, :order, :tables) do
      extend FromHash

      # @return [Hash{Symbol => Object}] the file's own facts
      def file = { size:, sha256:, format_version:, compression: }
    end
  end
end

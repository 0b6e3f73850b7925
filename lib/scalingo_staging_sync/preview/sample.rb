# frozen_string_literal: true

module ScalingoStagingSync
  module Preview
    # Some rows of a table before and after masking, and which of its columns are masked. They are production's own values.
    Sample = Data.define(:table, :columns, :masked, :before, :after) do
      extend Report::FromHash
      include Support::Discreet

      # @return [Array<Array(Array<String>, Array<String>)>] each row, before and after
      def rows = before.zip(after)

      # Ruby's `pp` asks data for its members.
      #
      # @param printer [PP] what prints
      # @return [void]
      def pretty_print(printer) = printer.text(inspect)
    end
  end
end

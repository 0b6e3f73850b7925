# frozen_string_literal: true

module ScalingoStagingSync
  class Report
    # An object of the backup that was not created, and why.
    LeftOut = Data.define(:kind, :name, :why) do
      extend FromHash

      # @return [String] it in a line
      def to_s = "#{kind} #{name}: #{why}"
    end
  end
end

# frozen_string_literal: true

module ScalingoStagingSync
  class Report
    # An object of the backup that was not created, and why. `refused` says whether the target would not have it, or what
    # it needs; else the plan leaves it out.
    LeftOut = Data.define(:kind, :name, :why, :refused) do
      extend FromHash

      # @return [Boolean] whether the target refused it
      def refused? = refused == true

      # @return [String] it in a line
      def to_s = "#{kind} #{name}: #{why}"
    end
  end
end

# frozen_string_literal: true

module ScalingoStagingSync
  module Preview
    # An extension that the target has not: whether the server could have it, the role may create it, which others it requires
    # that are missing too, and what needs it.
    Extension = Data.define(:name, :available, :allowed, :lacks, :needed_by) do
      extend Report::FromHash

      # @return [Boolean] whether a run would create it
      def obtainable? = available && allowed && lacks.empty?
    end
  end
end

# frozen_string_literal: true

module ScalingoStagingSync
  class Report
    # Builds a Data class from one of the engine's Hashes: its members are the Hash's keys.
    module FromHash
      # @param facts [Hash{Symbol => Object}] one part of what the engine returned
      # @return [Data] it as data; what is not in the Hash is nil
      def of(facts) = new(**members.to_h { |name| [name, facts[name]] })

      # @param list [Array<Hash{Symbol => Object}>, nil] such parts
      # @return [Array<Data>] each as data
      def all_of(list) = list.to_a.map { |facts| of(facts) }
    end
  end
end

# frozen_string_literal: true

module ScalingoStagingSync
  class Report
    # The findings about personal data, and about data that acts outside.
    class Findings
      include Enumerable

      # @param list [Array<Hash{Symbol => Object}>, nil] what the engine returned of it
      # @return [Findings] it as data
      def self.of(list) = new(Finding.all_of(list))

      # @param all [Array<Finding>] each
      def initialize(all)
        @all = all
      end

      # @yieldparam finding [Finding] each
      # @return [Enumerator, Array<Finding>]
      def each(&) = @all.each(&)

      # @return [Integer] how many there are
      def size = @all.size

      # @return [Array<Finding>] those that act outside
      def outside = select(&:outside?)

      # @return [Array<Finding>] the others
      def about_persons = reject(&:outside?)

      # @return [Array<Finding>] those that nothing stands between and staging
      def uncovered = select(&:uncovered?)
    end
  end
end

# frozen_string_literal: true

module ScalingoStagingSync
  class Report
    # A part of a run: when it began, in seconds from the run's beginning, and how long it took.
    Phase = Data.define(:name, :started, :seconds) do
      # @param list [Array<Hash{Symbol => Object}>, nil] the phases in their order, each with its :name and :seconds
      # @return [Array<Phase>] each with the time it began
      def self.all_of(list)
        began = 0.0
        list.to_a.map do |phase|
          new(name: phase[:name].to_s, started: began.round(3), seconds: phase[:seconds].round(3)).tap { began += phase[:seconds] }
        end
      end
    end
  end
end

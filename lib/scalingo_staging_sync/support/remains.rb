# frozen_string_literal: true

require "timeout"

module ScalingoStagingSync
  module Support
    # What a run that ended early has left in the target, for whoever is told of it.
    module Remains
      SENTENCES = {
        refused: "Nothing was touched.",
        other: "Another run is replacing the data, and this one has touched nothing.",
        untouched: "The target was not touched: its old data is still there.",
        ended: "The target holds no raw value of a masked column. It may be incomplete: " \
               "`rake scalingo_staging_sync:status` says so, and the next run starts clean.",
        incomplete: "The target is incomplete, and holds no raw value of a masked column. The next run starts clean.",
        unknown: "The state of the target could not be asked: `rake scalingo_staging_sync:status` says it."
      }.freeze
      # Seconds that the target may take to answer: a server that broke the run may well be silent.
      PATIENCE = 5

      private_constant :SENTENCES, :PATIENCE

      module_function

      # @param error [Exception] what ended the run
      # @param history [#state] what knows the target's state
      # @return [Symbol] :refused by the guard, and the target was not even asked; :other, because of another run, which
      #   is under way; :untouched; :incomplete; :unknown where the target cannot be asked
      def of(error, history: Database::History.new)
        return :refused if error.is_a?(EnvironmentValidator::ProductionEnvironmentError)
        return :unknown if error.is_a?(TargetConnectionError)

        state = Timeout.timeout(PATIENCE) { history.state }
        return :other if state == :syncing && error.is_a?(TargetBusyError)

        (state == :complete) ? :untouched : :incomplete
      rescue StandardError
        :unknown
      end

      # @param state [Symbol] as {of} says it
      # @return [String] it in a sentence or two
      def sentence(state) = SENTENCES.fetch(state)
    end
  end
end

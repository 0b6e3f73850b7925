# frozen_string_literal: true

require "timeout"

module ScalingoStagingSync
  module Services
    # What a run that ended early has left in the target, and the sentence that says it.
    module Remains
      SENTENCES = {
        refused: "Nothing was touched.",
        unreached: "Nothing was touched.",
        still: "Nothing was touched. The target is incomplete, as an earlier run has left it.",
        other: "Another run is replacing the data, and this one has touched nothing.",
        untouched: "The target was not touched: its old data is still there.",
        ended: "The target holds no raw value of a masked column. It may be incomplete: " \
               "`rake scalingo_staging_sync:status` says so, and the next run starts clean.",
        incomplete: "The target is incomplete, and holds no raw value of a masked column. The next run starts clean.",
        unknown: "The state of the target could not be read: `rake scalingo_staging_sync:status` says it."
      }.freeze
      # The phases of a run that change nothing in the target.
      HARMLESS_PHASES = %w[backup plan choice].freeze
      # Seconds that the target may take to answer: a server that broke the run may not answer at all.
      PATIENCE = 5

      private_constant :SENTENCES, :HARMLESS_PHASES, :PATIENCE

      module_function

      # @param error [Exception] what ended the run
      # @param touched [Boolean] whether the run may have begun to change the target
      # @param history [#state] what knows the target's state
      # @return [Symbol] :refused by the guard, and the target was not even asked; :other, because of another run, which
      #   is under way; :untouched; :unreached, the same of a target that cannot be asked; :incomplete; :still, because of
      #   an earlier run; :unknown where the target cannot be asked
      def of(error, touched: true, history: Database::History.new)
        return :refused if error.is_a?(Support::EnvironmentValidator::ProductionEnvironmentError)
        # The history is asked by way of ActiveRecord, which then may mean another database.
        return (touched ? :unknown : :unreached) if error.is_a?(TargetConnectionError) || Guard::TargetProblem.of_two

        state = Timeout.timeout(PATIENCE) { history.state }
        return :other if state == :syncing && (!touched || error.is_a?(TargetBusyError))

        return :untouched if state == :complete

        touched ? :incomplete : :still
      rescue StandardError
        touched ? :unknown : :unreached
      end

      # @param phase [String, Symbol] a phase of a run
      # @return [Boolean] whether the run may change the target in it
      def touches?(phase) = !HARMLESS_PHASES.include?(phase.to_s)

      # @param state [Symbol] as {of} says it
      # @return [String] it in a sentence or two
      def sentence(state) = SENTENCES.fetch(state)
    end
  end
end

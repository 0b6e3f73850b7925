# frozen_string_literal: true

module ScalingoStagingSync
  module Audit
    # The audit as one HTML page that asks nothing of any other server: for a screen, a phone and paper.
    class Page < Template
      # The parts in their order.
      PARTS = [Head, Findings, Outside, Leaks, Facts, Timeline, Tables, Settled, Lists].freeze
      private_constant :PARTS

      private

      def parts = PARTS.map { |part| part.new(document) }.select(&:any?)

      def stylesheet = File.read("#{path}/style.css", encoding: "UTF-8")
    end
  end
end

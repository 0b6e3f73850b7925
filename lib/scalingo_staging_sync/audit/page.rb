# frozen_string_literal: true

module ScalingoStagingSync
  module Audit
    # The audit as one HTML page that loads nothing from another server: for a screen, a phone and paper, in `config.locale`.
    class Page < Template
      # The parts in their order.
      PARTS = [Head, Tables, Masks, NotSeen, Outside, Findings, Technical].freeze
      private_constant :PARTS

      # @param document [Document] the audit
      def initialize(document)
        super(View.new(document))
      end

      private

      def parts = PARTS.map { |part| part.new(view) }.select(&:any?)

      def stylesheet = File.read("#{path}/style.css", encoding: "UTF-8")
    end
  end
end

# frozen_string_literal: true

module ScalingoStagingSync
  module Audit
    # What the page and the text share to say things: the view's parts under short names, and figures as the language has them.
    # A class that includes it has a `view`.
    module Wording
      private

      def document = view.document

      def run = document.run

      def words = view.words

      def bytes(number) = words.language.bytes(number)

      def seconds(number) = words.language.duration(number)

      def moment(time) = words.language.moment(time)

      # Whether any warning is quoted in another language than the page's.
      def untold? = run.warnings.any? { |warning| !words.quote(warning) }

      def colon = words.language.french? ? "\u00a0:" : ":"

      def joint = words.say("head.and")

      # What a mask makes of a column: what the tool calls it in words, and else as the report has it.
      def mask_name(mask) = words.quote(mask) || mask
    end
  end
end

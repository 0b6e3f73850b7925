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
    end
  end
end

# frozen_string_literal: true

module ScalingoStagingSync
  module Audit
    # What all parts of the page share: the document, the language, and what is derived from the document.
    class View
      # @return [Document] the audit's data
      attr_reader :document

      # @return [Words] the language
      attr_reader :words

      # @return [Personal] every personal column, and what happened to it
      attr_reader :personal

      # @return [Unseen] what was not looked at
      attr_reader :unseen

      # @return [Verdict] what may be claimed about the run
      attr_reader :verdict

      # @param document [Document] the audit
      def initialize(document)
        @document = document
        @words = Words.new(document.config.locale)
        @personal = Personal.new(document.run)
        @unseen = Unseen.new(document, personal)
        @verdict = Verdict.new(document, personal)
      end
    end
  end
end

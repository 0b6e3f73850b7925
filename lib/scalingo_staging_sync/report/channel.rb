# frozen_string_literal: true

module ScalingoStagingSync
  class Report
    # Personal data outside columns, such as large objects; `note`, a {Messages::Sentence}, says it.
    Channel = Data.define(:channel, :name, :kind, :count, :outcome, :note) do
      extend FromHash

      # @param facts [Hash{Symbol => Object}] as {Messages::EngineWords} words it
      # @return [Channel] it as data
      def self.of(facts) = super(facts.merge(note: Messages::Sentence.of(facts, :note)))
    end
  end
end

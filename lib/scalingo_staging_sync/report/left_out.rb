# frozen_string_literal: true

module ScalingoStagingSync
  class Report
    # An object of the backup that was not created, and why. `refused` says whether the target would not have it, or what
    # it needs; else the plan leaves it out. `why` is a {Messages::Sentence}.
    LeftOut = Data.define(:kind, :name, :why, :refused) do
      extend FromHash

      # @param facts [Hash{Symbol => Object}] as {Messages::EngineWords} words it
      # @return [LeftOut] it as data
      def self.of(facts) = super(facts.merge(why: Messages::Sentence.of(facts, :why)))

      # @return [Boolean] whether the target refused it
      def refused? = refused == true

      # @return [String] it in a line
      def to_s = "#{kind} #{name}: #{why}"
    end
  end
end

# frozen_string_literal: true

module ScalingoStagingSync
  module Testing
    # What the target answered to a check: which database it is, over which kind of connection (nil: not encrypted), and
    # what the role may do there.
    Examination = Data.define(:database, :role, :server_version, :tls, :privileges) do
      extend Report::FromHash

      # @param facts [Hash{Symbol => Object}] as the engine has it
      # @return [Examination] it
      def self.of(facts) = super(facts.merge(privileges: Privilege.all_of(facts[:privileges])))

      # @return [Array<Privilege>] what the role may not do
      def missing = privileges.reject(&:granted)
    end
  end
end

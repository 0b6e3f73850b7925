# frozen_string_literal: true

module ScalingoStagingSync
  module Preview
    # What a run would do, as data: the backup, what would happen to each table, and what the target has now. It would fail
    # where there is a problem.
    Plan = Data.define(:would_succeed, :problems, :warnings, :backup, :tables, :findings, :channels, :not_valid, :left_out, :target,
                       :server_check) do
      extend Report::FromHash

      # @param facts [Hash{Symbol => Object}] as {Services::DryRun#preview} returns it
      # @return [Plan] it as data
      def self.of(facts)
        lists = { problems: Problem, tables: Table, channels: Report::Channel, left_out: Report::LeftOut }
        super(facts.merge(lists.to_h { |name, part| [name, part.all_of(facts[name])] },
                          findings: Report::Findings.of(facts[:findings]),
                          warnings: facts[:warnings].to_a, not_valid: facts[:not_valid].to_a,
                          **{ backup: Report::Backup, target: Target, server_check: ServerCheck }
                            .to_h { |name, part| [name, facts[name] && part.of(facts[name])] }))
      end

      # @return [Boolean] whether a rule of any table is in SQL
      def sql? = tables.any? { |table| table.rules.any? }
    end
  end
end

# frozen_string_literal: true

module ScalingoStagingSync
  module Audit
    # Every column that is or looks personal, and what happened to it: those that were recognised, and those that a rule masks
    # although nothing recognised them.
    class Personal
      # A column. `fate`: :open (copied unmasked, without a rule), :withheld (emptied until it has one), :declared (in
      # config.pii_ignore), :absent (came without rows), :masked (by a rule, or automatically).
      Column = Data.define(:table, :name, :kind, :reason, :fate, :because, :rule) do
        # @return [Boolean] whether production's values are in staging
        def left? = %i[open declared].include?(fate)

        # @return [Boolean] whether it needs a rule
        def undecided? = %i[open withheld].include?(fate)
      end

      FATES = { "withheld" => :withheld, "masked" => :masked, "covered" => :masked, "ignored" => :declared }.freeze
      private_constant :FATES

      # @return [Array<Column>] each, by table
      attr_reader :columns

      # @return [Integer] values of masked columns that rules leave as they are
      attr_reader :kept_values

      # @param run [Report::Run] the run
      def initialize(run)
        @excluded = run.excluded.to_set
        @kept_values = run.tables.sum { |table| table.columns.sum(&:kept) }
        found = run.findings.about_persons.to_h { |finding| [[finding.table, finding.column], recognised(finding)] }
        run.tables.each { |table| table.columns.each { |column| found[[table.name, column.name]] ||= by_rule(table, column) } }
        @columns = found.values.sort_by { |column| [column.table.to_s, column.name.to_s] }
      end

      # @return [Hash{String => Array<Column>}] by table
      def by_table = @by_table ||= columns.group_by(&:table)

      # @param fates [Array<Symbol>] see {Column}
      # @return [Array<Column>] those with one of them
      def with(*fates) = columns.select { |column| fates.include?(column.fate) }

      private

      def recognised(finding)
        fate = FATES.fetch(finding.status, :open)
        fate = :absent if fate == :masked && @excluded.include?(finding.table)
        Column.new(table: finding.table, name: finding.column, kind: finding.kind, reason: finding.reason, fate:, because: finding.because,
                   rule: finding.rule)
      end

      def by_rule(table, column)
        Column.new(table: table.name, name: column.name, kind: nil, reason: nil, fate: :masked, because: nil, rule: nil)
      end
    end
  end
end

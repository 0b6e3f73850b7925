# frozen_string_literal: true

module ScalingoStagingSync
  module Database
    # The documented door to {PersonalData::ColumnScanner}, which finds the columns that look personal. It is a module because apps of
    # 0.1 include it.
    #
    # @example What of this app's database would need a rule
    #   ScalingoStagingSync::Database::PiiScanner.new.scan.each { |column| puts column.values_at(:table, :column, :kind).join(" ") }
    module PiiScanner
      # @return [PersonalData::ColumnScanner] a scanner, see {PersonalData::ColumnScanner#initialize}
      def self.new(...)
        PersonalData::ColumnScanner.new(...)
      end
    end
  end
end

# frozen_string_literal: true

module ScalingoStagingSync
  module Audit
    class Page
      # Every table: those with masked columns, each with what became of them, then the others.
      class Tables < Template
        # @return [Boolean] whether any table came
        def any? = run.tables.any?

        private

        def amount(table) = "#{table.rows_words}, #{bytes(table.bytes)}"
      end
    end
  end
end

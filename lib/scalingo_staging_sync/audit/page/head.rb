# frozen_string_literal: true

module ScalingoStagingSync
  module Audit
    class Page
      # Which app was copied where and when, whether it was verified, and the run in five figures.
      class Head < Template
        private

        def route = [document.origin, document.target_app].compact.map { |place| h(place) }.join(" → ")

        def failure
          return "the warnings and the leak check say why." if run.violations.zero?

          "#{count(run.violations)} values were not of their mask’s form."
        end

        def figures
          { "tables" => count(run.tables.size), "rows" => count(run.rows), "values masked" => count(run.masked_values),
            "tables without rows" => count(run.excluded.size), "duration" => seconds(document.duration) }
        end
      end
    end
  end
end

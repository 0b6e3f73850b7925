# frozen_string_literal: true

module ScalingoStagingSync
  # What is typed in a terminal, and what is shown there: words on rake's line, the question before a run, how far it is, and
  # plans, findings and masks as text.
  module Terminal; end
end

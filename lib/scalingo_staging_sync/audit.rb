# frozen_string_literal: true

module ScalingoStagingSync
  # The evidence of a finished run, as JSON under a seal, as text and as a page.
  module Audit; end
end

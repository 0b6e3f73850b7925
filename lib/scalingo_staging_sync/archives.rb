# frozen_string_literal: true

module ScalingoStagingSync
  # A masked archive as others get it: the file, the sealed manifest beside it that says what it is, and the store that it is
  # published to. Nothing here looks into an archive, or lets one pass that its manifest does not vouch for.
  module Archives; end
end

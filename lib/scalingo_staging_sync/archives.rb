# frozen_string_literal: true

module ScalingoStagingSync
  # A masked archive as others get it: the file, the sealed manifest beside it that describes it, and the store that it is
  # published to. Nothing here looks into an archive, or lets one pass without a manifest that vouches for it.
  module Archives; end
end

# frozen_string_literal: true

module ScalingoStagingSync
  # The engine, compiled from Rust: `run`, `anonymize`, `fetch` and `engine_version`. Its signatures stand in
  # `sig/scalingo_staging_sync/native.rbs`. Private to the gem: call the services instead.
  module Native
    NativeLoader.load
  end
end

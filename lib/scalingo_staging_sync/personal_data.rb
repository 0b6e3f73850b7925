# frozen_string_literal: true

module ScalingoStagingSync
  # Looking for personal data in a backup, a database or a schema.
  module PersonalData; end
end

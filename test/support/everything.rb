# frozen_string_literal: true

# Loads each of the gem's files that can be loaded without Rails and without the compiled library; by themselves they are
# loaded when they are first named.
module Everything
  LIBRARY = File.expand_path("../../lib/scalingo_staging_sync", __dir__)
  APART = %w[errors native railtie version].map { |name| "#{LIBRARY}/#{name}.rb" }.freeze

  def self.load
    loader = ScalingoStagingSync.const_get(:LOADER)
    (Dir["#{LIBRARY}/**/*.rb"] - APART).each { |file| loader.load_file(file) }
  end
end

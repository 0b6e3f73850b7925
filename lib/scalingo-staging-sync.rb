# frozen_string_literal: true

# The name under which Bundler requires the gem.
require_relative "scalingo_staging_sync"

# frozen_string_literal: true

module ScalingoStagingSync
  class Configuration
    # Where in the app's own code something was set.
    module Place
      # The gem's own files: the mistake is never there.
      OURS = File.expand_path("../..", __dir__)
      private_constant :OURS

      module_function

      # @param locations [Array<Thread::Backtrace::Location>, nil] a backtrace
      # @return [Thread::Backtrace::Location, nil] the app's line that has led here
      def here(locations = caller_locations)
        locations&.find { |location| !location.absolute_path.to_s.start_with?(OURS) && !location.path.start_with?("<internal:") }
      end

      # @param location [Thread::Backtrace::Location, nil] a line
      # @return [String, nil] its file, relative to the app's root, and its number
      def words(location)
        return unless location

        root = (defined?(Rails.root) && Rails.root) || Dir.pwd
        "#{location.path.delete_prefix("#{root}/")}:#{location.lineno}"
      end
    end
  end
end

# frozen_string_literal: true

module ScalingoStagingSync
  module Terminal
    # What the task `install` was given, as options of the generator: rake takes no options of a task's.
    module InstallOptions
      SIDES = %w[client server].freeze
      private_constant :SIDES

      module_function

      # @param side [String, nil] "client" or "server", where one of them is set up for masked archives
      # @param env_file [String, nil] where a client's variables go
      # @param pretend [Boolean] whether nothing is to be written
      # @return [Array<String>] the options
      # @raise [ConfigurationError] when the side is neither
      def read(side, env_file, pretend: false)
        side = side.to_s.strip.delete_prefix("--")
        unless side.empty? || SIDES.include?(side)
          raise ConfigurationError.new("The task install takes client or server, and not #{Support::Echo.inspect(side)}.",
                                       "Write `rake 'scalingo_staging_sync:install[client]'`. Nothing was written.")
        end

        [("--pretend" if pretend), ("--#{side}" unless side.empty?), *(["--env-file", env_file.strip] if env_file.to_s.strip != "")].compact
      end
    end
  end
end

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
      # @param cron [String, nil] when the run is to be scheduled in cron.json
      # @param pretend [Boolean] whether nothing is to be written
      # @return [Array<String>] the options
      # @raise [ConfigurationError] when the side is neither
      def read(side, env_file, cron: nil, pretend: false)
        side = side.to_s.strip.delete_prefix("--")
        unless side.empty? || SIDES.include?(side)
          raise ConfigurationError.new("The task install takes client or server, and not #{Support::Echo.inspect(side)}.",
                                       "Write `rake 'scalingo_staging_sync:install[client]'`. Nothing was written.")
        end

        values = { "--env-file" => env_file, "--cron" => cron }.transform_values { |value| value.to_s.strip }.reject { |_, value| value.empty? }
        [("--pretend" if pretend), ("--#{side}" unless side.empty?), *values.to_a.flatten].compact
      end
    end
  end
end

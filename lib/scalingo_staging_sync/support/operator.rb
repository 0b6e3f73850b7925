# frozen_string_literal: true

require "etc"
require "socket"

module ScalingoStagingSync
  module Support
    # Who does something, and with which of the gem's tasks: a user of the machine, not of the app.
    #
    # @!attribute [r] login
    #   @return [String, nil] the user of the process
    # @!attribute [r] host
    #   @return [String] the machine
    # @!attribute [r] container
    #   @return [String, nil] Scalingo's container, such as "one-off-4711"
    # @!attribute [r] task
    #   @return [String, nil] the gem's task on rake's line; nil outside of rake
    Operator = Data.define(:login, :host, :container, :task) do
      # @param environment [#[]] the environment variables
      # @return [Operator] who does something now
      def self.now(environment = ENV)
        new(login: login_of(environment), host: Socket.gethostname, container: environment["CONTAINER"], task: task_of_rake)
      end

      def self.login_of(environment)
        Etc.getpwuid&.name || environment["USER"]
      rescue ArgumentError
        nil # a container's user may have no name
      end
      private_class_method :login_of

      def self.task_of_rake
        return unless defined?(Rake.application)

        Rake.application.top_level_tasks.find { |word| word.start_with?("scalingo_staging_sync:") }&.slice(/\A[^\[]+/)
      end
      private_class_method :task_of_rake

      # @return [String] where: the container, else the machine
      def place = container || host
    end
  end
end

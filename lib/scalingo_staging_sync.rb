# frozen_string_literal: true

require "active_support"
require "zeitwerk"
require_relative "scalingo_staging_sync/version"
require_relative "scalingo_staging_sync/errors"

# Copies a production database on Scalingo into a staging app's database, with everything personal in it
# replaced while the rows stream past.
#
# This module holds the configuration; the work begins in {Services::Coordinator}.
#
# @example config/initializers/scalingo_staging_sync.rb
#   ScalingoStagingSync.configure do |config|
#     config.clone_source_scalingo_app_name = "my-app-production"
#     config.anonymization_tables = [{ table: "users", strategy: :user_anonymization }]
#   end
module ScalingoStagingSync
  LOADER = Zeitwerk::Loader.for_gem(warn_on_extra_files: false).tap do |loader|
    loader.ignore(
      "#{__dir__}/scalingo-staging-sync.rb",
      "#{__dir__}/generators",
      "#{__dir__}/tasks",
      "#{__dir__}/scalingo_staging_sync/errors.rb"
    )
    # Production eager-loads everything and needs none of this: each file is loaded at its first use.
    loader.do_not_eager_load(__dir__)
    loader.setup
  end
  private_constant :LOADER

  # The events of {on}.
  EVENTS = %i[before_sync after_sync failed].freeze

  class << self
    # Sets options. Each is described at its accessor in {Configuration}. A wrong one does not keep the app
    # from booting: it is logged here, and ends each task that would depend on it.
    #
    # @yieldparam config [Configuration] the configuration, as it stands
    # @return [Configuration] the same
    def configure(&)
      known = configuration.problems
      configuration.keeping_problems(&)
      return configuration if Terminal::CommandLine.refuses_problems? # which are said there

      (configuration.problems - known).each { |problem| configuration.logger.warn(problem) }
      configuration
    end

    # @return [Configuration] the configuration of this process
    def configuration
      @configuration ||= Configuration.new
    end

    # Forgets everything that was set, for tests.
    #
    # @return [Configuration] a new configuration with the defaults
    def reset_configuration!
      @configuration = Configuration.new
    end

    # Has a block called with every run: before it begins (nothing has been touched yet), after it has succeeded,
    # or when it has failed. What a block raises before or after fails the run; what one raises of a failed run is
    # logged.
    #
    # @param event [Symbol] :before_sync, :after_sync or :failed
    # @yieldparam report [Report] the run
    # @return [void]
    # @raise [ArgumentError] when there is no such event, or no block
    def on(event, &block)
      raise ArgumentError, "on(#{Support::Echo.inspect(event)}): the events are #{EVENTS.map(&:inspect).join(", ")}." unless EVENTS.include?(event)
      raise ArgumentError, "on(#{event.inspect}) needs a block." unless block

      (hooks[event] ||= []) << block
    end

    # @api private
    def hooks
      @hooks ||= {}
    end

    # What the data in the target is, for the app: :complete when it is whole, :syncing while a run replaces it,
    # :incomplete when a run failed half-way, :expired when it was taken out because of its age.
    #
    # @return [Symbol] one of the four states
    # @raise [ActiveRecord::ActiveRecordError] when the database cannot be asked
    def state
      Database::History.new.state
    end
  end

  Legacy.attach(LOADER)
end

# Log lines are made of the notifications, so they need a listener from the beginning.
ScalingoStagingSync::LogSubscriber.attach_to :scalingo_staging_sync

ScalingoStagingSync::Railtie if defined?(Rails::Railtie)

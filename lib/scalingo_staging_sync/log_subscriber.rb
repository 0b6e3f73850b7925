# frozen_string_literal: true

require "active_support"
require "active_support/deprecation" # before the next one, or the two require each other
require "active_support/log_subscriber"

module ScalingoStagingSync
  # Logs a run's progress, tagged, to `config.logger`: the lines are made of the events that go out through
  # ActiveSupport::Notifications, and of nothing else.
  class LogSubscriber < ActiveSupport::LogSubscriber
    # The events' names before `.scalingo_staging_sync`.
    EVENTS = %i[phase backup download plan table step finding warning message].freeze

    # @return [Logger] `config.logger`
    def logger
      ScalingoStagingSync.configuration.logger
    end

    EVENTS.each { |name| define_method(name) { |event| line(event.payload) } }

    private

    def line(payload)
      return unless payload[:message] && logger.public_send(:"#{payload[:level]}?")

      # The log may go to the terminal that the bars are on.
      Terminal::ProgressBars.aside { write(payload[:level], payload[:message]) }
    end

    # Many Rails loggers print no level, so a warning would look like any other line.
    def write(level, message)
      message = "Warning: #{message}" if level == :warn
      tag = Terminal::ProgressReporter::TAG
      if logger.respond_to?(:tagged)
        logger.tagged(tag) { logger.public_send(level, message) }
      else
        logger.public_send(level, "[#{tag}] #{message}")
      end
    end
  end
end

# frozen_string_literal: true

module ScalingoStagingSync
  module Support
    # What may be said of an exception that the app's own code raised (a migration, the seeds): its class, and
    # where. Its message may hold values of rows, which belong in no log; it stays with the exception, as the
    # `cause` of the gem's own.
    module FailureText
      module_function

      # @param error [Exception] what was raised
      # @param within [String] a part of the path of the app's own files
      # @return [String] such as "ActiveRecord::NotNullViolation at db/seeds.rb:12 (SQLSTATE 23502)"
      def of(error, within:)
        cause = innermost(error)
        place = error.backtrace&.find { |line| line.include?(within) }&.slice(/\A(.+?:\d+)/, 1)
        state = sqlstate(cause)
        "#{cause.class}#{" at #{place}" if place}#{" (SQLSTATE #{state})" if state}"
      end

      # @param error [Exception] an exception
      # @return [Exception] what began it
      def innermost(error)
        error = error.cause while error.cause
        error
      end

      # @param error [Exception] perhaps one of the pg gem's
      # @return [String, nil] PostgreSQL's five-character code
      def sqlstate(error)
        error.result&.error_field(PG::Result::PG_DIAG_SQLSTATE) if defined?(PG::Error) && error.is_a?(PG::Error)
      end
    end
  end
end

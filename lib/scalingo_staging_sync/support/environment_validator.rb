# frozen_string_literal: true

module ScalingoStagingSync
  module Support
    # The documented home of the guard's error. {Guard::Production} is what guards; this is a module because apps of 0.1
    # include it.
    module EnvironmentValidator
      # Something says that this is production. Nothing was touched.
      #
      # @note Run it in staging, or correct `RAILS_ENV`, `APP` or the patterns.
      class ProductionEnvironmentError < Error
        # @return [Array<String>] each reason, a sentence
        attr_reader :failures

        # @param what [String, Array<String>] the reasons, or the whole sentence
        # @param remedy [String] what to do about it
        # @param about [Hash{Symbol => Object}] what it is about, as {Error#initialize} takes it
        def initialize(what = [], remedy = "", **about)
          @failures = Array(what)
          super(sentence, remedy, **about)
        end

        private

        def sentence = "This looks like production, so nothing was touched: #{@failures.join(" ")}"
      end

      # The target's URL is not one of PostgreSQL's, or cannot be read, so its host is not known. Nothing was touched.
      #
      # @note Set `DATABASE_URL` to the staging database's URL.
      class TargetUrlError < ProductionEnvironmentError
        private

        def sentence = "#{@failures.join(" ")} Nothing was touched."
      end

      # @return [Guard::Production] a guard, for those who have always made one here
      def self.new(...)
        Guard::Production.new(...)
      end
    end
  end
end

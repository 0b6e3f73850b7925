# frozen_string_literal: true

module ScalingoStagingSync
  class Server
    # What anyone may know: the gem's version, whether staging's data is whole, and how old the newest archive is. It is asked
    # often, and so what it has found is believed for some seconds.
    class Health
      # Seconds for which an answer holds.
      REMEMBERED = 2
      private_constant :REMEMBERED

      def initialize
        @lock = Mutex.new
      end

      # @param offer [Offer] what there is to hand out
      # @return [Hash{Symbol => Object}] :version, :state ("unknown" where the database cannot be asked) and
      #   :archive_age_seconds (nil where there is no archive)
      def facts(offer)
        state, made_at = @lock.synchronize { @known = fresh? ? @known : ask(offer) }
        { version: VERSION, state:, archive_age_seconds: made_at && (Time.now - made_at).round }
      end

      private

      def fresh? = @asked_at && now - @asked_at < REMEMBERED

      def ask(offer)
        @asked_at = now
        [state, made_at(offer)]
      end

      def state
        ScalingoStagingSync.state
      rescue ActiveRecord::ActiveRecordError, LoadError
        :unknown
      end

      def made_at(offer)
        offer.newest&.manifest&.made_at
      rescue Error
        nil # of an archive that cannot be vouched for nothing is said
      end

      def now = Process.clock_gettime(Process::CLOCK_MONOTONIC)
    end
  end
end

# frozen_string_literal: true

module ScalingoStagingSync
  # Answers 503 with a short page while a run replaces the database, and after one that failed half-way, so that
  # no visitor sees a half-filled app. Optional.
  #
  # @example config/environments/staging.rb
  #   config.middleware.insert_before 0, ScalingoStagingSync::RackMiddleware, except: ["/health"]
  class RackMiddleware
    # Seconds for which an answer of the database is believed.
    REMEMBERED = 2

    # @param app [#call] the app
    # @param except [Array<String>] paths that are let through
    # @param state [#call] what returns the state
    # @param times [#call] what returns {Database::History::Times}
    def initialize(app, except: [], state: -> { ScalingoStagingSync.state }, times: -> { Database::History::Times.now })
      @app = app
      @except = except
      @state = state
      @times = times
      @lock = Mutex.new
      @asked_at = nil
      @known = :complete
      @known_times = nil
    end

    # @param env [Hash] Rack's environment
    # @return [Array] Rack's answer
    def call(env)
      return @app.call(env) if @except.include?(env["PATH_INFO"])

      state, times = known
      return @app.call(env) unless Support::MaintenancePage.for?(state)

      answer(state, times, env["HTTP_ACCEPT_LANGUAGE"])
    end

    private

    def answer(state, times, accepted)
      config = ScalingoStagingSync.configuration
      locale = Support::MaintenancePage.locale(accepted, config.locale)
      page = Support::MaintenancePage.new(state, app: config.target_app, since: times&.since, expected: times&.expected, locale:)
      [503, { "content-type" => "text/html; charset=utf-8", "content-language" => locale.to_s, "vary" => "accept-language",
              "retry-after" => page.retry_after.to_s, "cache-control" => "no-store" }, [page.to_s]]
    end

    # What cannot be asked stays as it was last known: a run ends this process's sessions, and a database that is
    # down is the app's own affair.
    def known
      @lock.synchronize do
        now = Process.clock_gettime(Process::CLOCK_MONOTONIC)
        unless @asked_at && now - @asked_at < REMEMBERED
          @asked_at = now
          ask
        end
        [@known, @known_times]
      end
    end

    def ask
      @known = @state.call
      @known_times = @times.call if Support::MaintenancePage.for?(@known)
    rescue StandardError
      nil
    end
  end
end

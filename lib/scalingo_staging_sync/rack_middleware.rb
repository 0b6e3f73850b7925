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

    PAGES = {
      syncing: ["This staging app's data is being replaced.", "Come back in a few minutes."],
      expired: ["This staging app's data was removed, because it had become too old.", "It comes back with the next synchronisation."],
      incomplete: ["This staging app's data is incomplete.", "The last synchronisation failed: run it again."]
    }.freeze
    private_constant :PAGES

    # @param app [#call] the app
    # @param except [Array<String>] paths that are let through
    # @param state [#call] what returns the state
    def initialize(app, except: [], state: -> { ScalingoStagingSync.state })
      @app = app
      @except = except
      @state = state
      @lock = Mutex.new
      @asked_at = nil
      @known = :complete
    end

    # @param env [Hash] Rack's environment
    # @return [Array] Rack's answer
    def call(env)
      page = PAGES[state] unless @except.include?(env["PATH_INFO"])
      return @app.call(env) unless page

      [503, { "content-type" => "text/html; charset=utf-8", "retry-after" => "60", "cache-control" => "no-store" },
       [html(*page)]]
    end

    private

    # What cannot be asked stays as it was last known: a run ends this process's sessions, and a database that is
    # down is the app's own affair.
    def state
      @lock.synchronize do
        now = Process.clock_gettime(Process::CLOCK_MONOTONIC)
        next @known if @asked_at && now - @asked_at < REMEMBERED

        @asked_at = now
        @known = @state.call
      rescue StandardError
        @known
      end
    end

    def html(title, text)
      <<~HTML
        <!doctype html>
        <html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
        <meta http-equiv="refresh" content="60"><meta name="color-scheme" content="light dark"><title>#{title}</title>
        <style>body{font:1.1rem/1.5 system-ui,sans-serif;max-width:32rem;margin:20vh auto;padding:0 1rem}</style></head>
        <body><h1>#{title}</h1><p>#{text}</p></body></html>
      HTML
    end
  end
end

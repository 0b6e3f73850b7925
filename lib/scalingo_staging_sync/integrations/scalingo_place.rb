# frozen_string_literal: true

require "active_support/core_ext/object/blank"

module ScalingoStagingSync
  module Integrations
    # Where the app that is filled is to be seen on Scalingo: its page in the dashboard, and the command that prints the
    # log of this container. Scalingo sets the variables APP, REGION_NAME and CONTAINER.
    class ScalingoPlace
      include Support::Discreet

      # The region of accounts that have not chosen another.
      REGION = "osc-fr1"

      # What app, region and container are called; anything else would not be a link, or not a command to paste.
      NAME = /\A[a-z0-9][a-z0-9-]*\z/i
      private_constant :NAME

      # @param environment [#[]] the environment variables
      def initialize(environment: ENV)
        @app, @region, @container = %w[APP REGION_NAME CONTAINER].map { |name| environment[name].to_s[NAME] }
        @region ||= REGION
      end

      # @return [String, nil] the app's page; nil outside Scalingo
      def link
        "https://dashboard.scalingo.com/apps/#{@region}/#{@app}" if @app
      end

      # @return [String, nil] the command that prints what this container has said; nil outside Scalingo
      def log
        "scalingo --region #{@region} --app #{@app} logs --lines 500#{" --filter #{@container}" if @container}" if @app
      end
    end
  end
end

# frozen_string_literal: true

require "json"
require "rack"

module ScalingoStagingSync
  # A Rack app that hands out the newest masked archive to those who have a token: mounted in staging, so that laptops and
  # review apps need no token of Scalingo's. It makes no archive; rows it reads of masked ones alone.
  #
  # It answers 404 to everything unless `config.server_enabled` is true, and in production unless
  # `config.server_in_production` is.
  #
  # @example config/routes.rb
  #   mount ScalingoStagingSync::Server.new => "/staging_sync" if defined?(ScalingoStagingSync::Server)
  class Server
    include Support::Discreet

    # What can be asked for, with the scope that a token needs for it.
    PATHS = { "/manifest" => "manifest", "/archive" => "archive", "/schema" => "archive", "/dump/:table" => "archive" }.freeze

    METHODS = %w[GET HEAD].freeze
    TYPES = { copy: "application/octet-stream", csv: "text/csv; header=present" }.freeze
    COMMON = { "cache-control" => "no-store", "x-content-type-options" => "nosniff" }.freeze
    private_constant :METHODS, :TYPES, :COMMON

    # @param config [Configuration, nil] what is handed out; nil: the configuration as it is at each request
    # @param pause [Float] seconds that an answer to a wrong token takes
    def initialize(config: nil, pause: Door::PAUSE)
      @config = config
      @door = Door.new(pause:)
      @sender = Sender.new
      @health = Health.new
    end

    # @param env [Hash] Rack's environment
    # @return [Array] Rack's answer
    def call(env)
      config = @config || ScalingoStagingSync.configuration
      offer = Offer.new(config)
      return refusal(404, "There is nothing here.") unless offer.open?

      request = Rack::Request.new(env)
      return health(request, offer) if request.path_info == "/health"

      @door.pass(request) { |token| answer(request, token, offer) }
    rescue ActiveRecord::ActiveRecordError, PrivilegeError
      refusal(503, "The database of this app cannot be asked now.", "retry-after" => "10")
    rescue Error => error
      config.logger.error("Nothing was handed out. #{error.message}")
      refusal(503, "The archive cannot be handed out: this app's log says why.", "retry-after" => "60")
    end

    private

    def answer(request, token, offer)
      path = Path.new(request)
      scope = PATHS[path.route]
      return refusal(404, "There is nothing here.") unless scope
      return refusal(405, "Only GET and HEAD are answered.", "allow" => METHODS.join(", ")) unless METHODS.include?(request.request_method)
      return refusal(403, "This token does not open it.") unless token.opens?(scope)

      found = offer.newest
      return refusal(404, "There is no masked archive yet.") unless found

      noted = Noted.new(token, request)
      case path.route
      when "/manifest" then manifest(request, found, noted)
      when "/archive" then archive(request, found, noted)
      when "/schema" then part(request, found, noted, Part.new(found), name: "schema.dump", type: "application/octet-stream")
      else dump(request, found, noted, path)
      end
    end

    def dump(request, found, noted, path)
      table = path.table_of(found.manifest)
      return refusal(404, "The archive has no rows of a table of this name; /manifest lists those there are.") unless table

      format = path.format
      return refusal(400, "The format is copy or csv.") unless format

      part(request, found, noted, Part.new(found, table, format:), name: "#{table["table"]}.#{format}", type: TYPES.fetch(format))
    end

    def part(request, found, noted, part, name:, type:)
      answer = PartAnswer.new(request, part, name:, type:, manifest: found.manifest, sender: @sender, noted:).to_a
      return refusal(503, "Too many parts of the archive are being sent.", "retry-after" => "5") unless answer

      answer.then { |status, headers, body| [status, COMMON.merge(headers), body] }
    end

    def manifest(request, found, noted)
      text = found.manifest.text
      headers = { "content-type" => "application/json", "etag" => %("#{found.manifest.sha256}"), "content-length" => text.bytesize.to_s }
      noted.at_once(200, request.head? ? 0 : text.bytesize)
      [200, COMMON.merge(headers), request.head? ? [] : [text]]
    end

    def archive(request, found, noted)
      link = found.link
      if link
        noted.at_once(302, 0)
        return [302, COMMON.merge("location" => link, "etag" => %("#{found.manifest.sha256}"), "content-length" => "0"), []]
      end

      file, manifest = found.open
      FileAnswer.new(request, file, manifest, sender: @sender, noted:).to_a.then { |status, headers, body| [status, COMMON.merge(headers), body] }
    end

    def health(request, offer)
      return refusal(405, "Only GET and HEAD are answered.", "allow" => METHODS.join(", ")) unless METHODS.include?(request.request_method)

      json(200, @health.facts(offer), head: request.head?)
    end

    def refusal(status, error, headers = {}) = json(status, { error: }, headers)

    def json(status, facts, headers = {}, head: false)
      text = "#{JSON.generate(facts)}\n"
      [status, COMMON.merge("content-type" => "application/json", "content-length" => text.bytesize.to_s).merge(headers), head ? [] : [text]]
    end
  end
end

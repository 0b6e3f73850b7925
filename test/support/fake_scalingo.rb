# frozen_string_literal: true

require "base64"
require "json"
require "securerandom"
require "time"
require "webrick"
require_relative "fake_scalingo/store"

# Scalingo's API as this gem uses it, over real HTTP: token exchange, addons, addon tokens, backups and the
# pre-signed download. It answers as the platform is documented to answer, errors included, checks every
# token, and writes down each request. It knows nothing of the gem.
#
#   fake = FakeScalingo.new(archive: "backup.tar.gz")
#   fake.urls                    # => { "auth" => …, "api" => …, "database" => … }
#   fake.answer(:list_backups, status: 429, headers: { "Retry-After" => "1" })   # the next call only
#   fake.requests.map(&:call)    # => [:exchange, :addons, …]
#   fake.stop
#
# The API and the store that serves the download are two servers on two ports, as they are two hosts at
# Scalingo's.
class FakeScalingo
  include Store

  # A request as it arrived. `authorization` is the header, or nil; `range` the first byte that was asked for;
  # `bytes` how many of a download's bytes were sent.
  Request = Struct.new(:call, :method, :path, :authorization, :range, :status, :bytes)

  # A backup. Each look at it takes the next of its statuses, the last one stays.
  Backup = Struct.new(:id, :created_at, :statuses, :size) do
    def status = statuses.first

    def look
      status.tap { statuses.shift if statuses.length > 1 }
    end
  end

  DEFAULT_BODIES = {
    400 => { error: "bad request", code: "bad_request" }.to_json,
    401 => { error: "unauthorized - invalid token" }.to_json,
    402 => { error: "payment required", url: "https://dashboard.example/billing" }.to_json,
    403 => { error: "forbidden", code: "forbidden" }.to_json,
    404 => { resource: "Database", error: "not found" }.to_json,
    409 => { error: "a backup is already running" }.to_json,
    422 => { errors: { database: ["is not ready"] } }.to_json,
    429 => "Retry later\n",
    500 => "<html><body>Internal Server Error</body></html>",
    503 => "upstream connect error"
  }.freeze

  POSTGRESQL = { id: "postgresql", name: "PostgreSQL" }.freeze
  DEDICATED = { id: "postgresql-ng", name: "PostgreSQL Dedicated Resources" }.freeze
  REDIS = { id: "redis", name: "Redis" }.freeze

  # An addon as the API lists it.
  def self.addon(id = "ad-#{SecureRandom.uuid}", provider: POSTGRESQL, plan: "postgresql-starter-512")
    { id:, app_id: "5f0c", resource_id: "shop_prod_1234", status: "running",
      plan: { id: "plan-1", name: plan }, addon_provider: provider }
  end

  attr_reader :app, :token, :addons, :backups, :delivery, :requests, :archive

  # archive:: the file that the store serves
  # app::     the name of the only app there is
  # token::   the API token that may be exchanged
  # addons::  as made by FakeScalingo.addon
  # backups:: of the first addon; by default a finished one of last night and an older one
  # new_backup_statuses:: what a backup that is asked for goes through
  # single_backup:: whether the undocumented GET /api/backups/{id} exists
  # token_lifetime:: seconds
  def initialize(archive: nil, app: "shop-production", token: "tk-us-#{SecureRandom.alphanumeric(32)}",
                 addons: [FakeScalingo.addon(provider: REDIS, plan: "redis-starter-256"), FakeScalingo.addon],
                 backups: nil, new_backup_statuses: %w[scheduled pending running done], single_backup: true,
                 token_lifetime: 3600, **delivery)
    @archive = archive
    @app = app
    @token = token
    @addons = addons
    @backups = backups || [backup(age: 30 * 3600), backup(age: 6 * 3600)]
    @new_backup_statuses = new_backup_statuses
    @single_backup = single_backup
    @token_lifetime = token_lifetime
    @delivery = Delivery.new(range: true, drops: [], piece: 64 * 1024, pause: 0, redirect: false, **delivery)
    @requests = []
    @answers = Hash.new { |hash, call| hash[call] = [] }
    @tokens = {}
    @links = {}
    @lock = Mutex.new
    @released = ConditionVariable.new
    @held = ConditionVariable.new
    @holding = 0
    start
  end

  # A backup for the list, `age` seconds old.
  def backup(age: 0, statuses: ["done"])
    Backup.new("bk-#{SecureRandom.hex(6)}", (Time.now.utc - age).round(3), statuses.dup,
               @archive ? File.size(@archive) : 0)
  end

  # Where its addresses say that it is: a proxy before one of its servers.
  attr_writer :api_url, :store_url

  # The port of one of its two servers, :api or :store.
  def port_of(server) = @servers.fetch(%i[api store].index(server)).config[:Port]

  # What SCALINGO_AUTH_URL, SCALINGO_API_URL and SCALINGO_DB_URL are to be, by the engine's names for them.
  def urls = %w[auth api database].to_h { |name| [name, @api_url] }

  # The engine's settings for a source that is this API.
  def source(**more)
    { "scalingo" => { "app" => app, "api_token" => token, "region" => "osc-fr1", "urls" => urls,
                      "poll_interval" => 0.05 }.merge(more.transform_keys(&:to_s)) }
  end

  # Has the next `times` requests of a call answered otherwise, after `after` ordinary ones. The calls:
  # exchange, regions, addons, addon_token, database, list_backups, create_backup, show_backup, archive, download.
  def answer(call, status:, body: DEFAULT_BODIES[status], headers: {}, times: 1, after: 0)
    @lock.synchronize do
      after.times { @answers[call] << nil }
      times.times { @answers[call] << { status:, body:, headers: } }
    end
  end

  # Lets a download that `hold_at` has stopped go on.
  def release
    @lock.synchronize do
      delivery.hold_at = nil
      @released.broadcast
    end
  end

  # Waits until a download stands still at `hold_at`.
  def wait_until_held(seconds = 60)
    deadline = now + seconds
    @lock.synchronize do
      while @holding.zero?
        raise "no download reached byte #{delivery.hold_at} within #{seconds} s" if now > deadline

        @held.wait(@lock, 0.2)
      end
    end
  end

  # The requests of one call.
  def requests_of(call) = @lock.synchronize { requests.select { |request| request.call == call } }

  # Stops both servers.
  def stop
    release
    @servers.each(&:shutdown)
    @threads.each(&:join)
  end

  private

  def now = Process.clock_gettime(Process::CLOCK_MONOTONIC)

  def start
    api = server
    store = server
    @api_url = "http://127.0.0.1:#{api.config[:Port]}"
    @store_url = "http://127.0.0.1:#{store.config[:Port]}"
    api.mount_proc("/") { |request, response| route(request, response) }
    store.mount_proc("/") { |request, response| deliver(request, response) }
    @servers = [api, store]
    @threads = @servers.map { |each| Thread.new { each.start } }
  end

  def server
    silent = WEBrick::Log.new(File::NULL, WEBrick::BasicLog::FATAL)
    WEBrick::HTTPServer.new(BindAddress: "127.0.0.1", Port: 0, Logger: silent, AccessLog: [], MaxClients: 200)
  end

  ROUTES = [
    ["POST", %r{\A/v1/tokens/exchange\z}, :exchange],
    ["GET", %r{\A/v1/regions\z}, :regions],
    ["GET", %r{\A/v1/apps/([^/]+)/addons\z}, :addons],
    ["POST", %r{\A/v1/apps/([^/]+)/addons/([^/]+)/token\z}, :addon_token],
    ["GET", %r{\A/api/databases/([^/]+)\z}, :database],
    ["GET", %r{\A/api/databases/([^/]+)/backups\z}, :list_backups],
    ["POST", %r{\A/api/databases/([^/]+)/backups\z}, :create_backup],
    ["GET", %r{\A/api/backups/([^/]+)\z}, :show_backup],
    ["GET", %r{\A/api/databases/([^/]+)/backups/([^/]+)/archive\z}, :archive]
  ].freeze

  # A request that ends here, with this status.
  class Refused < StandardError
    attr_reader :status, :body

    def initialize(status, body = DEFAULT_BODIES[status])
      @status = status
      @body = body
      super("refused with #{status}")
    end
  end

  def route(request, response)
    method, pattern, call = ROUTES.find { |verb, path, _| verb == request.request_method && path.match?(request.path) }
    entry = note(call || :unknown, request)
    scripted = next_answer(call)
    return scripted_answer(scripted, response, entry) if scripted
    raise Refused.new(404, { error: "not found" }.to_json) unless method

    status, body = @lock.synchronize { send(:"on_#{call}", request, *pattern.match(request.path).captures) }
    respond(response, entry, status, body.to_json)
  rescue Refused => error
    respond(response, entry, error.status, error.body)
  end

  def note(call, request)
    range = request["Range"]&.slice(/\Abytes=(\d+)-\z/, 1)&.to_i
    entry = Request.new(call, request.request_method, request.path, request["Authorization"], range, nil, 0)
    @lock.synchronize { requests << entry }
    entry
  end

  def next_answer(call) = @lock.synchronize { @answers[call].shift }

  def scripted_answer(answer, response, entry)
    answer[:headers].each { |name, value| response[name] = value }
    respond(response, entry, answer[:status], answer[:body])
  end

  def respond(response, entry, status, body)
    entry.status = status
    response.status = status
    response["Content-Type"] ||= body.to_s.start_with?("{") ? "application/json" : "text/plain"
    response.body = body.to_s
  end

  # --- the API's calls; each returns a status and what becomes JSON --------------------------------

  def on_exchange(request)
    expected = "Basic #{Base64.strict_encode64(":#{token}")}"
    raise Refused, 401 unless request["Authorization"] == expected

    [200, { token: issue(:account) }]
  end

  def on_regions(request)
    check(request, :account)
    [200, { regions: [{ name: "osc-fr1", display_name: "Paris", api: @api_url, dashboard: @api_url,
                        database_api: @api_url, ssh: "ssh.example:22", default: true }] }]
  end

  def on_addons(request, name)
    check(request, :account)
    find_app(name)
    [200, { addons: }]
  end

  def on_addon_token(request, name, id)
    check(request, :account)
    find_app(name)
    addon = find_addon(id)
    [200, { addon: addon.merge(token: issue(addon[:id])) }]
  end

  def on_database(request, id)
    addon = find_database(request, id)
    [200, { database: { id:, status: "running", type_name: addon[:addon_provider][:id], readable_version: "17.4.0-1",
                        features: [{ name: "force-ssl", status: "ACTIVATED" }] } }]
  end

  def on_list_backups(request, id)
    find_database(request, id)
    [200, { database_backups: backups.map { |each| describe(each, id) } }]
  end

  def on_create_backup(request, id)
    find_database(request, id)
    backup = backup(age: 0, statuses: @new_backup_statuses)
    backups.unshift(backup)
    [201, { database_backup: describe(backup, id) }]
  end

  def on_show_backup(request, id)
    raise Refused.new(404, { error: "not found" }.to_json) unless @single_backup

    check(request, *addons.map { |addon| addon[:id] })
    [200, { database_backup: describe(find_backup(id), addons.first[:id]) }]
  end

  def on_archive(request, id, backup_id)
    find_database(request, id)
    raise Refused.new(400, { error: "the backup is not done", code: "not_done" }.to_json) unless find_backup(backup_id).status == "done"

    link = SecureRandom.hex(16)
    @links[link] = { requests: 0, bytes: 0 }
    [200, { download_url: "#{@store_url}/backups/#{backup_id}.tar.gz?token=#{link}" }]
  end

  # A JSON Web Token in form: clients read its "exp".
  def issue(scope)
    encode = ->(part) { Base64.urlsafe_encode64(part.to_json, padding: false) }
    expires = Time.now.to_i + @token_lifetime
    jwt = [encode.({ alg: "HS256", typ: "JWT" }), encode.({ exp: expires, jti: SecureRandom.hex(8) }),
           SecureRandom.urlsafe_base64(24)].join(".")
    @tokens[jwt] = { scope:, expires: }
    jwt
  end

  def check(request, *scopes)
    granted = @tokens[request["Authorization"].to_s.delete_prefix("Bearer ")]
    raise Refused, 401 unless granted && scopes.include?(granted[:scope]) && granted[:expires] > Time.now.to_i
  end

  def find_app(name)
    raise Refused.new(404, { resource: "App", error: "not found" }.to_json) unless name == app
  end

  def find_addon(id)
    addons.find { |addon| addon[:id] == id } or raise Refused.new(404, { resource: "Addon", error: "not found" }.to_json)
  end

  def find_database(request, id)
    check(request, id)
    find_addon(id)
  end

  def find_backup(id)
    backups.find { |each| each.id == id } or raise Refused.new(404, { resource: "Backup", error: "not found" }.to_json)
  end

  def describe(backup, database)
    status = backup.look
    { id: backup.id, created_at: backup.created_at.iso8601(3), name: "#{backup.created_at.strftime("%Y%m%d%H%M%S")}_shop_prod_1234",
      started_at: (status == "scheduled") ? nil : backup.created_at.iso8601(3), method: "periodic",
      size: (status == "done") ? backup.size : nil, status:, database_id: database }
  end
end

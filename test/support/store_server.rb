# frozen_string_literal: true

require "fileutils"
require "webrick"

# A store of files that hands them out to those who have a signed link, as object stores do, and an Active Storage service of
# a Rails app that uploads to it.
class StoreServer
  attr_reader :root, :requests

  # The service `Linked` of an app. Its files lie in a folder that it shares with the server; a link to one has a signature
  # that the server wants. FAIL_UPLOAD makes the next uploads of a name fail, in the service of files, too.
  SERVICE = <<~'RUBY'
    require "active_storage/service/disk_service"
    require "digest"

    module ActiveStorage
      class Service::LinkedService < Service
        def initialize(root:, url:, **)
          @root = root
          @url = url
          @public = false
        end

        def upload(key, io, checksum: nil, **) = IO.copy_stream(io, place(key))
        def download(key) = File.binread(place(key))
        def download_chunk(key, range) = File.binread(place(key), range.size, range.begin)
        def exist?(key) = File.exist?(place(key))
        def delete(key) = File.exist?(place(key)) && File.delete(place(key))

        private

        def private_url(key, **) = "#{@url}/#{key.tr("/", "+")}?signature=hush-#{Digest::SHA256.hexdigest(key)[0, 16]}"
        def place(key) = File.join(@root, key.tr("/", "+"))
      end

      class Service::DiskService
        prepend(Module.new do
          def upload(key, io, **)
            raise "hush, the credentials" if ENV["FAIL_UPLOAD"] && key.end_with?(".dump")

            super
          end
        end)
      end
    end
  RUBY

  # Gives an app Active Storage and the service.
  def self.install(rails)
    rails.write("lib/active_storage/service/linked_service.rb", SERVICE)
    rails.write("config/application.rb", rails.read("config/application.rb").sub('require "active_record/railtie"', <<~RUBY))
      require "active_record/railtie"
      require "active_storage/engine"
      $LOAD_PATH.unshift(File.expand_path("../lib", __dir__))
      require "active_storage/service/linked_service"
    RUBY
    rails.write("Gemfile", rails.read("Gemfile").sub('gem "railties"', "gem \"railties\"\ngem \"activestorage\""))
    rails.write("config/environments/staging.rb", <<~RUBY)
      Rails.application.configure do
        config.enable_reloading = false
        config.log_level = ENV["VERBOSE_LOG"] ? :debug : :info
      end
    RUBY
  end

  # root:: the folder of the files
  def initialize(root)
    @root = root
    @requests = []
    FileUtils.mkdir_p(root)
    @server = WEBrick::HTTPServer.new(Port: 0, BindAddress: "127.0.0.1", Logger: WEBrick::Log.new(File::NULL), AccessLog: [])
    @server.mount_proc("/") { |request, response| serve(request, response) }
    @thread = Thread.new { @server.start }
  end

  def url = "http://127.0.0.1:#{@server.listeners.first.addr[1]}"

  def stop
    @server.shutdown
    @thread.join
  end

  private

  def serve(request, response)
    @requests << request
    key = request.path.delete_prefix("/")
    raise WEBrick::HTTPStatus::Forbidden unless request.query["signature"] == "hush-#{Digest::SHA256.hexdigest(key.tr("+", "/"))[0, 16]}"

    content = File.binread(File.join(@root, key))
    range = request["Range"].to_s[/\Abytes=(\d+)-\z/, 1]
    response.status = range ? 206 : 200
    response["Content-Range"] = "bytes #{range}-#{content.bytesize - 1}/#{content.bytesize}" if range
    response.body = range ? content.byteslice(range.to_i..) : content
  end
end

# frozen_string_literal: true

require "digest"
require "fileutils"
require "time"
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

  # Serves a file under a key, and returns the signed link to it.
  def link(key, file)
    FileUtils.cp(file, File.join(@root, key))
    "#{url}/#{key}?signature=#{signature(key)}"
  end

  # Has the next answers say no, or break off after so many bytes.
  attr_writer :refuse, :cut

  def stop
    @server.shutdown
    @thread.join
  end

  private

  def serve(request, response)
    @requests << request
    key = request.path.delete_prefix("/")
    raise WEBrick::HTTPStatus::Forbidden if @refuse || request.query["signature"] != signature(key)

    file = File.join(@root, key)
    content = File.binread(file)
    first, last = request["Range"].to_s.match(/\Abytes=(\d+)-(\d*)\z/)&.captures
    response["ETag"] = %("#{Digest::SHA256.hexdigest(content)[0, 32]}")
    response["Last-Modified"] = File.mtime(file).httpdate
    response.status = first ? 206 : 200
    last = last.to_s.empty? ? content.bytesize - 1 : last.to_i
    response["Content-Range"] = "bytes #{first}-#{last}/#{content.bytesize}" if first
    send_part(response, content.byteslice((first.to_i)..last))
  end

  def send_part(response, part)
    return response.body = part unless @cut && part.bytesize > @cut

    cut = @cut
    @cut = nil
    response["Content-Length"] = part.bytesize.to_s
    response.body = lambda do |socket|
      socket.write(part.byteslice(0, cut))
      socket.close
    end
  end

  def signature(key) = "hush-#{Digest::SHA256.hexdigest(key.tr("+", "/"))[0, 16]}"
end

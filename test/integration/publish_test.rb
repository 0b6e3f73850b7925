# frozen_string_literal: true

require_relative "integration_helper"
require_relative "../support/masked_archive"
require_relative "../support/store_server"
require_relative "../support/web_app"

# Publishing masked archives to Active Storage services of a real Rails app: one of files, and one that others reach by a
# signed link over HTTP.
class PublishTest < IntegrationTest
  KEY = "5f0c9ae17b3d42860e9b71c4d2a8f635"

  # One app for the file; each test has stores of its own.
  Scene = Struct.new(:rails, :staging, :store) do
    def drop
      store.stop
      staging.drop
    end
  end

  def scene
    Shared.made(:publish_scene) do
      directory = "#{Shared.directory}/publish"
      FileUtils.mkdir_p(directory)
      store = StoreServer.new("#{directory}/store")
      staging = Postgres.create_staging
      rails = RailsApp.new("#{directory}/app", database_url: staging.url, preloaded: true)
      StoreServer.install(rails)
      rails.write("config/storage.yml", <<~YAML)
        files: { service: Disk, root: "<%= ENV['FILES'] %>" }
        linked: { service: Linked, root: "#{store.root}", url: "#{store.url}" }
        open: { service: Disk, root: "<%= ENV['FILES'] %>", public: true }
      YAML
      rails.configure(<<~RUBY)
        config.anonymization_secret = #{KEY.inspect}
        config.publish_service = ENV["SERVICE"] || "files"
        config.publish_keep = 2
        config.server_enabled = true
        config.server_in_production = true
      RUBY
      Scene.new(rails, staging, store)
    end
  end

  def rails = scene.rails
  def files = @files ||= path("files").tap { |folder| FileUtils.mkdir_p(folder) }

  # A sealed archive of some bytes.
  def archive(name, content, **more)
    ScalingoStagingSync.configuration.anonymization_secret = KEY
    file(name, content).tap { |full| MaskedArchive.seal(full, tables: { "public.users" => 1 }, **more) }
  end

  def publish(file, environment = {}) = rails.rake("scalingo_staging_sync:publish[#{file}]", environment: { "FILES" => files }.merge(environment))

  def publish!(...)
    result = publish(...)
    assert result.success?, result.output
    result.output
  end

  # What lies in the store of files, by names without the folders in front.
  def stored = Dir["#{files}/**/*"].select { |path| File.file?(path) }.map { |path| path[%r{scalingo_staging_sync/(.+)}, 1] }.sort

  def pointer = JSON.parse(File.read(Dir["#{files}/**/newest.json"].first))

  def refused(file, error, environment = {})
    result = publish(file, environment)
    assert_equal 1, result.status.exitstatus, result.output
    assert_includes result.output, "ScalingoStagingSync::#{error}: "
    refute_match(/rake aborted|\.rb:\d+:in/, result.output)
    result.output
  end

  def test_an_archive_its_manifest_and_the_pointer_are_published_and_the_oldest_goes
    day = 86_400
    outputs = %w[one two three].map.with_index { |name, index| publish!(archive("#{name}.dump", name * 1000, made_at: Time.now - (day * (9 - index)))) }
    assert_match(/Published to the service files: 5\.0 kB of \d{4}-\d\d-\d\d \d\d:\d\d UTC, the newest of 2; 1 older archive removed\./, outputs.last)
    assert_equal 5, stored.size, stored.inspect
    assert_equal 2, pointer["archives"].size
    assert_equal [[5000, 3000], []], [pointer["archives"].map { |one| one["size"] }, pointer["strays"]]
    newest = Dir["#{files}/**/#{File.basename(pointer["archives"].first["key"])}"].first
    assert_equal ["three" * 1000, File.read(path("three.dump.json"))], [File.read(newest), File.read("#{newest}.json")]
    again = publish!(path("three.dump"))
    assert_match(/The service files has this archive already: 5\.0 kB of .* Nothing was sent\./, again)
    assert_equal 5, stored.size
    assert_includes rails.rake("scalingo_staging_sync:status").output, "publish three.dump: done"
  end

  def test_only_what_its_sealed_manifest_describes_is_published
    changed = archive("changed.dump", "x" * 100)
    File.write(changed, "y" * 100)
    refused(changed, "VerificationError")
    cut = archive("cut.dump", "x" * 100)
    File.truncate(cut, 99)
    refused(cut, "VerificationError")
    bare = file("bare.dump", "x")
    assert_includes refused(bare, "ConfigurationError"), "has no manifest"
    forged = archive("forged.dump", "x" * 100)
    File.write("#{forged}.json", File.read("#{forged}.json").sub('"findings": 0', '"findings": 1'))
    refused(forged, "VerificationError")
    failed = archive("failed.dump", "x" * 100, verification: { enabled: true, passed: false, violations: 3 })
    assert_includes refused(failed, "VerificationError"), "The checks of this archive failed"
    ENV["STAGING_SYNC_SEAL_KEY"] = "ab" * 32
    elsewhere = archive("elsewhere.dump", "x" * 100)
    ENV.delete("STAGING_SYNC_SEAL_KEY")
    refused(elsewhere, "VerificationError")
    assert_empty stored
  end

  def test_a_service_that_anyone_can_read_or_that_is_not_there_is_refused
    one = archive("one.dump", "x" * 100)
    assert_includes refused(one, "ConfigurationError", "SERVICE" => "open"), "is public: anyone could read"
    assert_includes refused(one, "ConfigurationError", "SERVICE" => "nowhere"), "no Active Storage service named nowhere"
    assert_includes refused("", "ConfigurationError"), "No archive is named."
    assert_empty stored
  end

  def test_a_service_that_fails_leaves_the_published_archive_and_is_said_without_its_message
    publish!(archive("one.dump", "x" * 100))
    before = pointer
    two = archive("two.dump", "y" * 200)
    folder = File.dirname(Dir["#{files}/**/newest.json"].first)
    output = refused(two, "StoreError", "FAIL_UPLOAD" => "two")
    assert_includes output, "The service files did not do what was asked of it (RuntimeError)."
    refute_includes output, "hush"
    assert_equal before["archives"], pointer["archives"]
    # What was on its way is known, and the next one removes it.
    stray = pointer["strays"].first
    File.write("#{folder}/#{File.basename(stray)}", "half")
    publish!(two)
    assert_equal [], pointer["strays"]
    refute_path_exists "#{folder}/#{File.basename(stray)}"
    assert_equal [200, 100], pointer["archives"].map { |one| one["size"] }
  end

  def test_a_pointer_that_was_changed_is_not_believed
    publish!(archive("one.dump", "x" * 100))
    file = Dir["#{files}/**/newest.json"].first
    File.write(file, File.read(file).sub('"size": 100', '"size": 101'))
    assert_includes refused(archive("two.dump", "y" * 200), "VerificationError"), "is not as it was written"
  end

  def test_two_at_once_do_not_publish
    staging = PG.connect(scene.staging.url)
    staging.exec("SELECT pg_advisory_lock(#{ScalingoStagingSync::Database::OwnSchema::PUBLISHING})")
    refused(archive("one.dump", "x" * 100), "TargetBusyError")
    assert_empty stored
  ensure
    staging.close
  end

  def token
    rails.rake("scalingo_staging_sync:token[t#{SecureRandom.hex(3)}]").output[/^STAGING_SYNC_TOKEN=(\w{64})$/, 1]
  end

  def test_the_server_sends_what_is_published_in_files
    publish!(archive("one.dump", "one" * 100))
    web = WebApp.new(rails, environment: { "FILES" => files })
    assert_equal [200, "one" * 100], web.curl("/archive", token: (first = token)).then { |answer| [answer.status, answer.body] }
    publish!(archive("two.dump", "two" * 100))
    assert_equal [200, "two" * 100], web.curl("/archive", token: first).then { |answer| [answer.status, answer.body] }
    assert_equal File.binread(path("two.dump.json")), web.curl("/manifest", token: first).body
  ensure
    web&.stop
  end

  def test_the_server_leads_to_what_is_published_elsewhere_and_logs_no_link
    publish!(archive("one.dump", "one" * 100), "SERVICE" => "linked")
    web = WebApp.new(rails, environment: { "SERVICE" => "linked", "VERBOSE_LOG" => "1" })
    answer = web.curl("/archive", token: (mine = token))
    assert_equal [302, ""], [answer.status, answer.body]
    assert_match(/\A#{Regexp.escape(scene.store.url)}\S+signature=hush-\w+\z/, answer.headers["location"])
    assert_equal [0, "one" * 100], web.curl("/archive", "-L", token: mine).then { |followed| [followed.exit, followed.body.split("\r\n\r\n").last] }
    assert_includes web.output, "Started GET"
    refute_includes web.output, "hush-"
  ensure
    web&.stop
  end

  # By the app's name, which the guard goes by.
  def test_in_production_nothing_is_published_and_what_is_published_is_handed_out
    publish!(archive("one.dump", "one" * 100))
    mine = token
    production = { "FILES" => files, "APP" => "shop-production" }
    refused(archive("two.dump", "two" * 100), "Support::EnvironmentValidator::ProductionEnvironmentError", production)
    web = WebApp.new(rails, environment: production)
    assert_equal [200, "one" * 100], web.curl("/archive", token: mine).then { |answer| [answer.status, answer.body] }
  ensure
    web&.stop
  end
end

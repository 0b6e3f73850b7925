# frozen_string_literal: true

require_relative "integration_helper"
require_relative "../support/store_server"

# A backup behind a pre-signed link: the app holds no token of Scalingo's, and the link is in no log.
class BackupLinkTest < IntegrationTest
  CONFIGURATION = <<~RUBY.freeze
    config.anonymization_tables = #{SHOP_RULES.map { |table, strategy| { table:, strategy: } }.inspect}
  RUBY

  def setup
    super
    @store = StoreServer.new(path("store"))
    later { @store.stop }
  end

  def app_with_link(archive = shop_archive, key: "backup.tar.gz")
    app, staging, fake = new_app
    link = @store.link(key, archive)
    app.environment.update("SCALINGO_API_TOKEN" => nil, "BACKUP_URL" => link)
    [app, staging.database, fake]
  end

  def refute_shown(result)
    refute_match(/hush-|signature|#{Regexp.escape(@store.url)}/, result.output)
    refute_match(/rake aborted|\.rb:\d+:in/, result.output)
  end

  def test_a_run_reads_it_without_a_token_and_resumes_where_it_broke_off
    app, database, fake = app_with_link(Shared.large_archive)
    @store.cut = 50_000
    result = app.rake("scalingo_staging_sync:run")
    assert result.success?, result.output
    assert_equal "3000", database.value("SELECT count(*) FROM users")
    assert_nothing_raw database, source: Shared.large_shop
    refute_shown result
    assert_empty fake.requests
    ranges = @store.requests.map { |request| request["Range"] }
    assert_equal "bytes=0-0", ranges.first
    assert_operator ranges.last[/\Abytes=(\d+)-\z/, 1].to_i, :>=, 50_000
    made = File.mtime("#{@store.root}/backup.tar.gz").utc.iso8601
    assert_equal "the link to 127.0.0.1|#{made}", database.value("SELECT concat_ws('|', source, backup_created_at) FROM scalingo_staging_sync.runs")
    status = app.rake("scalingo_staging_sync:status")
    assert_includes status.output.gsub(/\s+/, " "), "of the link to 127.0.0.1."
    refute_shown status
  end

  def test_pg_dumps_own_file_behind_a_link_is_read_and_planned
    app, database, = app_with_link(shop_dump, key: "backup.dump")
    assert_untouched(database) do
      [["run", { "DRY_RUN" => "1" }], ["check", {}], ["scan", {}]].each do |task, environment|
        result = app.rake("scalingo_staging_sync:#{task}", environment:)
        assert result.success?, result.output
        refute_shown result
      end
    end
  end

  def test_a_link_that_has_expired_ends_the_run_before_anything_is_touched
    app, database, = app_with_link
    @store.refuse = true
    assert_untouched(database) do
      result = app.rake("scalingo_staging_sync:run")
      assert_equal 1, result.status.exitstatus, result.output
      assert_includes result.output, "DownloadError: The link to the backup is of no use: the server answered 403, as when it has expired. " \
                                     "Have a new link made, set config.backup_url or BACKUP_URL to it, and run it again."
      refute_shown result
    end
  end

  def test_a_link_without_https_is_refused
    app, database, = app_with_link
    assert_untouched(database) do
      result = app.rake("scalingo_staging_sync:run", environment: { "BACKUP_URL" => "http://store.example.com/x?signature=hush-1" })
      assert_equal 1, result.status.exitstatus, result.output
      assert_includes result.output, "ConfigurationError: The link to the backup does not go by HTTPS"
      refute_shown result
    end
  end
end

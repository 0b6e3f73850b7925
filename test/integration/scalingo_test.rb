# frozen_string_literal: true

require_relative "integration_helper"

# The way from an app's name to the bytes of its backup, over real HTTP.
class ScalingoTest < IntegrationTest
  Api = ScalingoStagingSync::Integrations::ScalingoApiClient

  def test_the_newest_finished_backup_is_taken_and_no_secret_goes_to_the_store
    fake = fake_scalingo
    newest = fake.backup(age: 60, statuses: ["running"])
    wanted = fake.backup(age: 3600)
    fake.backups.unshift(fake.backup(age: 7200)).push(newest, wanted, fake.backup(age: 90, statuses: ["error"]))
    outcome = filled(fake)
    assert_equal wanted.id, outcome.events_of("backup_chosen").first[:id]
    assert_empty fake.requests_of(:create_backup)
    assert_equal [nil], fake.requests_of(:download).map(&:authorization).uniq
  end

  def test_an_old_backup_makes_it_ask_for_a_fresh_one_and_wait_for_it
    fake = fake_scalingo
    outcome = filled(fake, backup_max_age: 3600)
    assert_equal 1, fake.requests_of(:create_backup).length
    assert_equal fake.backups.first.id, outcome.events_of("backup_chosen").first[:id]
    refute_empty outcome.events_of("backup_pending")
  end

  def test_a_recent_backup_is_good_enough
    fake = fake_scalingo
    filled(fake, backup_max_age: 7 * 3600)
    assert_empty fake.requests_of(:create_backup)
  end

  def test_waiting_works_without_the_undocumented_call
    fake = fake_scalingo(single_backup: false)
    filled(fake, backup_max_age: 0)
    assert_equal 1, fake.requests_of(:create_backup).length
  end

  def test_a_fresh_backup_that_fails
    fake = fake_scalingo(new_backup_statuses: %w[scheduled running error])
    refused(Api::BackupError, fake, backup_max_age: 0)
  end

  def test_a_wrong_token
    refused(Api::AuthenticationError, fake_scalingo, api_token: "tk-us-wrong")
  end

  def test_401_from_the_api
    fake = fake_scalingo
    fake.answer(:addons, status: 401, times: 20)
    refused(Api::AuthenticationError, fake)
  end

  def test_status_403
    fake = fake_scalingo
    fake.answer(:addons, status: 403, times: 20)
    refused(Api::BackupError, fake)
  end

  def test_404_for_an_app_that_is_not_there
    error = refused(Api::BackupError, fake_scalingo, app: "shop-producton")
    assert_match(/shop-producton/, error.message)
  end

  def test_422_for_a_backup_that_cannot_be_made
    fake = fake_scalingo
    fake.answer(:create_backup, status: 422, times: 20)
    refused(Api::BackupError, fake, backup_max_age: 0)
  end

  def test_429_is_waited_out
    fake = fake_scalingo
    fake.answer(:list_backups, status: 429, headers: { "Retry-After" => "1" })
    fake.answer(:addons, status: 429)
    filled(fake)
    assert_equal 2, fake.requests_of(:addons).length
  end

  def test_429_that_asks_for_too_much_patience
    fake = fake_scalingo
    fake.answer(:list_backups, status: 429, headers: { "Retry-After" => "86400" }, times: 20)
    refused(Api::BackupError, fake)
  end

  def test_500_once_is_tried_again
    fake = fake_scalingo
    fake.answer(:archive, status: 500)
    filled(fake)
    assert_operator fake.requests_of(:archive).length, :>=, 2
  end

  def test_500_for_good
    fake = fake_scalingo
    fake.answer(:list_backups, status: 500, headers: { "Retry-After" => "86400" }, times: 50)
    refused(Api::BackupError, fake)
  end

  def test_no_postgresql_addon
    fake = fake_scalingo(addons: [FakeScalingo.addon(provider: FakeScalingo::REDIS)])
    refused(Api::AddonNotFoundError, fake)
  end

  def test_two_addons_and_the_one_that_is_configured
    addons = [FakeScalingo.addon("ad-1"), FakeScalingo.addon("ad-2")]
    fake = fake_scalingo(addons:)
    error = refused(Api::AddonNotFoundError, fake)
    assert_match(/ad-1.*ad-2/m, error.message)
    assert_match(/scalingo_addon_id/, error.message)
    filled(fake, addon_id: "ad-2")
  end

  def test_a_dedicated_database_has_no_backup_to_download
    fake = fake_scalingo(addons: [FakeScalingo.addon(provider: FakeScalingo::DEDICATED, plan: "postgresql-dr-starter-4096")])
    error = refused(Api::AddonNotFoundError, fake)
    assert_match(/[Dd]edicated/, error.message)
  end

  def test_no_finished_backup
    fake = fake_scalingo(backups: [])
    refused(Api::BackupNotFoundError, fake)
    fake.backups << fake.backup(statuses: ["error"])
    refused(Api::BackupNotFoundError, fake)
  end

  def test_a_dropped_connection_is_taken_up_where_it_broke
    fake = fake_scalingo(drops: [20_000, 0, 5000])
    outcome = filled(fake)
    refute_empty outcome.events_of("download_resumed")
    assert_includes fake.requests_of(:download).map(&:range), 20_000
  end

  def test_a_dropped_connection_to_a_store_without_range
    fake = fake_scalingo(drops: [20_000], range: false)
    filled(fake)
    assert_equal [200, 200], fake.requests_of(:download).map(&:status)
  end

  def test_an_expired_link_is_renewed
    fake = fake_scalingo(expire_after_bytes: 30_000)
    filled(fake)
    assert_operator fake.requests_of(:archive).length, :>=, 2
  end

  def test_a_redirected_download
    fake = fake_scalingo(redirect: true)
    filled(fake)
    assert_equal [nil], fake.requests_of(:download).map(&:authorization).uniq
  end

  def test_a_store_that_refuses_for_good
    fake = fake_scalingo
    fake.answer(:download, status: 403, body: "<Error/>", times: 50)
    refused(Api::DownloadError, fake)
  end

  def test_a_kept_archive_is_used_again
    fake = fake_scalingo
    2.times { filled(fake, keep_in: @directory) }
    assert_equal 1, fake.requests_of(:download).length
    kept = Dir.children(@directory).map { |name| path(name) }
    assert(kept.any? { |each| File.size(each) == File.size(shop_archive) })
    assert_equal [0o600], kept.map { |each| File.stat(each).mode & 0o777 }.uniq
    filled(fake, keep_in: @directory, force_download: true)
    assert_equal 2, fake.requests_of(:download).length
  end

  def test_nothing_is_kept_otherwise
    Dir.mktmpdir do |directory|
      staging = new_staging
      process = Engine.start(Engine.settings(source: fake_scalingo.source, target: staging.url, rules: SHOP_RULES),
                             environment: { "TMPDIR" => directory })
      assert process.wait.success?
      assert_empty Dir.children(directory)
    end
  end

  private

  # Fills a target from the fake, checks it, and returns the outcome.
  def filled(fake, **source)
    staging = new_staging
    outcome = run!(source: fake.source(**source), target: staging.url, rules: SHOP_RULES)
    assert_equal shop.counts, staging.database.counts
    outcome
  end

  def refused(error_class, fake, **source)
    target = new_database
    assert_untouched(target) do
      assert_run_fails error_class, source: fake.source(**source), target: target.url, rules: SHOP_RULES
    end
  end
end

# frozen_string_literal: true

require_relative "integration_helper"

# What can be wrong with the target, or happen to it meanwhile.
class TargetTest < IntegrationTest
  def test_a_target_that_cannot_be_reached
    server = TCPServer.new("127.0.0.1", 0)
    port = server.addr[1]
    server.close
    assert_run_fails ScalingoStagingSync::TargetConnectionError, source: shop_archive, rules: SHOP_RULES,
                                                                 target: "postgres://staging@127.0.0.1:#{port}/staging"
  end

  def test_a_wrong_password
    role = new_role_with_password
    target = new_database
    assert_untouched(target) do
      error = assert_run_fails ScalingoStagingSync::TargetConnectionError, source: shop_archive, rules: SHOP_RULES,
                                                                           target: target.url_as(role, "wrong-secret")
      refute_match(/wrong-secret/, error.message)
    end
  end

  def test_the_right_password_with_odd_characters
    role = new_role_with_password
    target = new_database
    target.exec("GRANT ALL ON DATABASE #{target.name} TO #{role}; GRANT CREATE ON SCHEMA public TO #{role}")
    run!(source: shop_archive, rules: SHOP_RULES, target: target.url_as(role, "p%40ss%2Fw%C3%A9rd%3A"))
  end

  def test_a_database_that_is_not_there
    assert_run_fails ScalingoStagingSync::TargetConnectionError, source: shop_archive, rules: SHOP_RULES,
                                                                 target: Postgres.url("no_such_database")
  end

  def test_encrypted_and_verified
    target = new_database
    url = target.url.sub("127.0.0.1", "localhost")
    certificate = ENV.fetch("TEST_PG_CA")
    run!(source: shop_archive, rules: SHOP_RULES, target: "#{url}?sslmode=require")
    run!(source: shop_archive, rules: SHOP_RULES, target: "#{url}?sslmode=verify-full&sslrootcert=#{certificate}")
  end

  def test_a_certificate_that_does_not_fit_is_refused
    target = new_database
    certificate = ENV.fetch("TEST_PG_CA")
    assert_untouched(target) do
      assert_run_fails ScalingoStagingSync::TargetConnectionError, source: shop_archive, rules: SHOP_RULES,
                                                                   target: "#{target.url}?sslmode=verify-full&sslrootcert=#{certificate}"
    end
  end

  def test_another_run_on_the_same_target_fails_at_once_and_the_first_goes_on
    staging = new_staging
    fake = fake_scalingo(archive: Shared.large_archive, hold_at: File.size(Shared.large_archive) / 2, piece: 8192)
    settings = Engine.settings(source: fake.source, target: staging.url, rules: SHOP_RULES)
    first = Engine.start(settings)
    fake.wait_until_held
    assert first.wait_for(/"event":"table_loaded"/), first.output

    error = assert_run_fails ScalingoStagingSync::TargetBusyError, source: shop_archive, target: staging.url, rules: SHOP_RULES
    assert_match(/run/, error.message)
    fake.release
    assert first.wait.success?, first.output
    assert_equal Shared.large_shop.counts, staging.database.counts
  end

  def test_sessions_of_the_role_are_ended_before_the_reset
    staging = new_staging
    staging.database.connect(staging.url) do |session|
      session.exec("BEGIN; CREATE TABLE half_done (id int)")
      run!(source: shop_archive, target: staging.url, rules: SHOP_RULES)
      assert_raises(PG::Error) { session.exec("COMMIT") }
    end
    assert_equal shop.counts, staging.database.counts
  end

  def test_sessions_may_be_left_alone_and_then_the_run_refuses_to_start
    staging = new_staging
    assert_untouched(staging.database) do
      staging.database.connect(staging.url) do
        assert_run_fails ScalingoStagingSync::TargetBusyError, source: shop_archive, target: staging.url, rules: SHOP_RULES,
                                                               target_options: { terminate_connections: false }
      end
    end
  end

  def test_a_lock_that_another_session_holds_is_waited_for_and_its_holder_named
    staging = new_staging
    run!(source: shop_archive, target: staging.url, rules: SHOP_RULES)
    before = staging.database.canonical_dump
    staging.database.connect do |superuser|
      superuser.exec("SET application_name = 'nightly report'; BEGIN; LOCK TABLE public.users IN ACCESS SHARE MODE")
      error = assert_run_fails ScalingoStagingSync::LockTimeoutError, source: shop_archive, target: staging.url, rules: SHOP_RULES,
                                                                      target_options: { lock_timeout: 0.3, retry_attempts: 1 }
      assert_match(/nightly report|postgres|#{superuser.backend_pid}/, error.message)
      superuser.exec("ROLLBACK")
    end
    assert_equal before, staging.database.canonical_dump
  end

  def test_a_worker_that_keeps_reconnecting_and_writing_does_not_break_the_run
    staging = new_staging
    fake = fake_scalingo(archive: Shared.large_archive, piece: 4096, pause: 0.01)
    writer = Writer.new(staging.url)
    outcome = Engine.run(Engine.settings(source: fake.source, target: staging.url, rules: SHOP_RULES))
    attempts = writer.stop
    assert_nil outcome.error
    assert_operator attempts, :>, 5
    assert_equal Shared.large_shop.counts.except("public.categories"), staging.database.counts.except("public.categories")
    assert_equal Shared.large_shop.value("SELECT count(*) FROM categories"),
                 staging.database.value("SELECT count(*) FROM categories WHERE name NOT LIKE 'written%'")
  end

  # A worker process as Rails apps have them: when its connection is ended it makes another, and writes again.
  class Writer
    def initialize(url)
      @attempts = 0
      @thread = Thread.new do
        until @stopping
          begin
            connection = PG.connect(url)
            10.times do
              @attempts += 1
              connection.exec("INSERT INTO categories (name) VALUES ('written ' || clock_timestamp()); UPDATE users SET updated_at = now() WHERE id = 1")
            end
          rescue PG::Error
            sleep 0.01
          ensure
            connection&.close
          end
        end
      end
    end

    # Stops it and returns how often it tried to write.
    def stop
      @stopping = true
      @thread.join
      @attempts
    end
  end

  private

  # Of the name for which the test cluster asks for a password in every version; the engine's own tests, which may
  # have run in the same cluster, have one of it too. Made before the database, and so removed after it.
  def new_role_with_password
    Postgres.exec("DROP ROLE IF EXISTS pw_user; CREATE ROLE pw_user LOGIN PASSWORD 'p@ss/wérd:'")
    later { Postgres.exec("DROP ROLE pw_user") }
    "pw_user"
  end
end

# frozen_string_literal: true

require_relative "../test_helper"
require "scalingo_staging_sync"
require_relative "../support/engine"
require_relative "../support/fake_scalingo"
require_relative "../support/postgres"
require_relative "../support/rails_app"

# Tests of the whole engine through its Ruby binding, with real archives and a real PostgreSQL. Each test makes its
# own databases and removes them; what is expensive to make (the shop's archive) is made once per process.
class IntegrationTest < Minitest::Test
  SHOP_SQL = File.expand_path("../../demo/production.sql", __dir__)
  SHOP_USERS = 400

  SHOP_RULES = {
    "users" => :user_anonymization, "phone_numbers" => :phone_anonymization, "emails" => :email_anonymization,
    "payment_methods" => :payment_anonymization, "addresses" => :address_anonymization
  }.freeze

  # The columns of the shop that SHOP_RULES mask, by table.
  SHOP_MASKED = {
    "public.users" => %w[email email_md5 first_name last_name full_name credit_card_last_4 iban_last4 stripe_customer_id
                         google_token facebook_token apple_id birth_date birth_place billing_extra zendesk_user_id
                         address_line1 address_line2 postal_code city greeting],
    "public.emails" => %w[email],
    "public.phone_numbers" => %w[phone_number],
    "public.payment_methods" => %w[card_last4],
    "public.addresses" => %w[address_line1 address_line2 postal_code city]
  }.freeze

  # Things that live as long as the process, made when first asked for.
  module Shared
    @made = {}
    @directory = Dir.mktmpdir("staging-sync-tests")
    Minitest.after_run do
      @made.each_value { |thing| thing.drop if thing.respond_to?(:drop) }
      FileUtils.remove_entry(@directory)
    end

    class << self
      attr_reader :directory

      # What the block makes, once in the process.
      def made(name) = @made[name] ||= yield

      # The archive of a database of which the statements make everything, once in the process; the database is dropped.
      def archive_of(name, sql)
        made(name) do
          production = Postgres.create_database(name.to_s)
          production.exec(sql)
          production.dump("#{directory}/#{name}.dump").tap { production.drop }
        end
      end

      # The shop's production database; nothing may write to it.
      def shop = @made[:shop] ||= Postgres.create_database("shop").tap { |db| db.load_sql(SHOP_SQL, users: SHOP_USERS) }

      # Its archive in pg_dump's custom format.
      def shop_dump = @made[:shop_dump] ||= shop.dump("#{directory}/shop.dump")

      # The same, packed as Scalingo packs it.
      def shop_archive = @made[:shop_archive] ||= Postgres.pack(shop_dump, directory:)

      # A larger shop, for tests that stop a run half-way.
      def large_shop = @made[:large_shop] ||= Postgres.create_database("large_shop").tap { |db| db.load_sql(SHOP_SQL, users: 3000) }

      # Its archive, some hundred kilobytes.
      def large_archive
        @made[:large_archive] ||= Postgres.pack(large_shop.dump("#{directory}/large.dump"), directory:, name: "large")
      end
    end
  end

  def setup
    @cleaning = []
    @directory = Dir.mktmpdir("staging-sync-test")
    later { FileUtils.remove_entry(@directory) }
  end

  def teardown
    @cleaning.reverse_each(&:call)
  end

  private

  # What is to be cleaned up after the test, last one first.
  def later(&block) = @cleaning << block

  def shop = Shared.shop
  def shop_dump = Shared.shop_dump
  def shop_archive = Shared.shop_archive

  # A path in the test's own directory.
  def path(name) = File.join(@directory, name)

  # A file in it.
  def file(name, content) = path(name).tap { |full| File.binwrite(full, content) }

  def new_database(prefix = "target")
    Postgres.create_database(prefix).tap { |database| later { database.drop } }
  end

  # A database and its role with Scalingo's grants. Production's trusted extension is there, as the platform makes it.
  def new_staging(**options)
    Postgres.create_staging(**options).tap { |staging| later { staging.drop } }
  end

  def fake_scalingo(archive: shop_archive, **options)
    FakeScalingo.new(archive:, **options).tap { |fake| later { fake.stop } }
  end

  # A Rails app with the generator's initializer, its staging database and the API it reads from.
  #
  # configuration:: what the app configures; by default the test class's own
  # generate::      whether it has the initializer
  # fake_options::  for the API, see FakeScalingo
  def new_app(configuration: self.class::CONFIGURATION, generate: true, **fake_options)
    staging = new_staging
    fake = fake_scalingo(**fake_options)
    app = RailsApp.new(path("app-#{fake.object_id}"), database_url: staging.url, environment: RailsApp.variables_for(fake), preloaded: true)
    app.generated if generate
    app.configure(configuration) if configuration
    [app, staging, fake]
  end

  # Runs the engine and expects success.
  def run!(**settings, &)
    outcome = Engine.run(Engine.settings(**settings), &)
    raise outcome.error if outcome.error

    outcome
  end

  # Runs the engine and expects an error of exactly this class; returns it.
  def assert_run_fails(error_class, **settings)
    outcome = Engine.run(Engine.settings(**settings))
    refute_nil outcome.error, "expected #{error_class}, but the run succeeded"
    assert_instance_of error_class, outcome.error, outcome.error.message
    assert_well_worded outcome.error
    outcome.error
  end

  # Says what happened and what to do, and holds no secret and no URL.
  def assert_well_worded(error)
    refute_empty error.what
    refute_empty error.remedy
    refute_match(%r{tk-us-|token=|postgres(ql)?://|https?://127}, error.message)
  end

  # Yields, and expects the database to be afterwards what it was before. Something lies in it, so that emptying it
  # would be seen.
  def assert_untouched(database)
    database.exec(<<~SQL)
      CREATE TABLE public.kept (id serial PRIMARY KEY, note text);
      INSERT INTO public.kept (note) SELECT 'row ' || n FROM generate_series(1, 10) AS n;
      SELECT lo_from_bytea(0, 'kept');
    SQL
    before = database.canonical_dump
    result = yield
    assert_equal before, database.canonical_dump, "the target is not what it was before the run"
    result
  end

  # Two texts of many lines, with a message that shows where they part.
  def assert_same_text(expected, actual, message)
    return pass if expected == actual

    left = expected.lines
    right = actual.lines
    missing = (left.tally.to_a - right.tally.to_a).first(15).map { |line, _| "- #{line}" }
    added = (right.tally.to_a - left.tally.to_a).first(15).map { |line, _| "+ #{line}" }
    flunk "#{message}:\n#{missing.join}#{added.join}"
  end

  # No value of a masked column of the shop is what it was, by the primary key.
  def assert_nothing_raw(target, source: shop)
    SHOP_MASKED.each do |table, columns|
      next unless target.value("SELECT to_regclass('#{table}')")

      columns.each do |column|
        raw = source.values("SELECT DISTINCT #{column}::text FROM #{table} WHERE #{column} IS NOT NULL")
        now = target.values("SELECT DISTINCT #{column}::text FROM #{table} WHERE #{column} IS NOT NULL")
        assert_empty raw & now, "#{table}.#{column} holds raw values"
      end
    end
  end
end

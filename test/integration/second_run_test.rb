# frozen_string_literal: true

require_relative "integration_helper"

# A run into its own result, as staging's role: it finds what the first has made, and leaves the same. Archives as a
# superuser's target takes them are run twice in RestoreEqualityTest.
class SecondRunTest < IntegrationTest
  ARCHIVES = {
    "the shop" => IntegrationTest::SHOP_SQL,
    "every kind of object" => File.expand_path("every_kind.sql", __dir__),
    "the plan's tests" => File.expand_path("../../ext/engine/tests/plan_everything.sql", __dir__)
  }.freeze

  ARCHIVES.each do |name, file|
    define_method("test_the_archive_of_#{name.tr(" '", "__")}_leaves_the_same_the_second_time") do
      production = new_database("production")
      production.load_sql(file, users: SHOP_USERS)
      archive = production.dump(path("archive.dump"))
      staging = new_staging(before: extensions_of(production))
      dumps = Array.new(2) do
        run!(source: archive, target: staging.url)
        staging.database.canonical_dump
      end
      assert_same_text(*dumps, "the second run left something else")
    end
  end

  private

  # As the platform has them, which lets its users create none.
  def extensions_of(production)
    sql = "SELECT format('CREATE EXTENSION IF NOT EXISTS %I SCHEMA %I;', extname, nspname) FROM pg_extension e JOIN pg_namespace n ON n.oid = extnamespace " \
          "WHERE nspname IN ('public', 'pg_catalog')"
    production.values(sql).join
  end
end

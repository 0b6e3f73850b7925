# frozen_string_literal: true

require "test_helper"
require "active_record"

class DatabaseUrlTest < Minitest::Test
  def test_a_place_is_a_database_and_its_hosts
    { "postgis://u:p@a,b/shop" => "shop on a, b", "postgres:///shop" => "shop on this machine", "postgres://a" => "the role's own on a" }
      .each { |url, place| assert_equal place, ScalingoStagingSync::Database::Url.parse(url).place }
  end

  def test_an_empty_url_of_active_record_is_none
    assert_equal "postgres://h/shop", ScalingoStagingSync::Database::Url.from_active_record(url: "", host: "h", database: "shop")
  end

  # Ruby's own error has the URL with its password in it.
  def test_a_url_that_active_record_cannot_read_is_none_and_its_error_goes_no_further
    cannot = -> { raise URI::InvalidURIError, "bad URI(is not URI?): postgres://u:hush word@h/shop" }
    ActiveRecord::Base.stub(:connection_db_config, cannot) do
      assert_nil ScalingoStagingSync::EngineSettings.active_record_url
      refute_predicate ScalingoStagingSync::Database::RailsState, :active_record?
      problem = ScalingoStagingSync::Guard::TargetProblem.of_adapter
      assert_equal "ActiveRecord cannot read the URL of #{ENV["DATABASE_URL"].to_s.empty? ? "config/database.yml" : "DATABASE_URL"}.", problem.first
      refute_includes problem.join, "hush"
    end
  end

  DatabaseUrl = ScalingoStagingSync::Database::Url

  def test_it_reads_what_libpq_reads
    {
      "postgres://u:p@Host.example.com:31000/db?sslmode=prefer" => [["host.example.com"], [31_000], "db"],
      "postgresql://host/db" => [["host"], [], "db"],
      "postgis://u:p%40ss@host/my%20db" => [["host"], [], "my db"],
      "POSTGRES://u:p?s#s@host/db" => [["host"], [], "db"], "postgres://u:12?ss@host/db" => [["host"], [], "db"],
      "postgres://a:1,b:2/db" => [%w[a b], [1, 2], "db"],
      "postgres://[::1]:5432/db" => [["::1"], [5432], "db"],
      "postgres:///db?host=/tmp&port=5433" => [["/tmp"], [5433], "db"],
      "postgres://innocent/db?host=prod.example.com&hostaddr=10.0.0.1" => [%w[innocent prod.example.com 10.0.0.1], [], "db"],
      "postgres://%70rod/db" => [["prod"], [], "db"],
      "postgres://host?dbname=other" => [["host"], [], "other"],
      "postgres://" => [[], [], nil]
    }.each do |text, (hosts, ports, database)|
      url = DatabaseUrl.parse(text)
      assert_equal [hosts, ports, database], [url.hosts, url.ports, url.database], text
    end
  end

  def test_it_refuses_everything_else
    ["", "mysql://h/d", "postgres:h", "host=x dbname=y", "postgres://h:p:q/d", "postgres://h%zz/d", "postgres://u:p%zz@h/d",
     "postgres://h:x/d", "postgres://u:12/34@h/d",
     "postgres://u:p@ss@h/d", "postgres://u:p\xFF@h/d"].each { |text| assert_nil DatabaseUrl.parse(text), text }
  end

  def test_it_makes_a_url_of_an_active_record_configuration
    {
      { host: "h", port: 5433, username: "u", password: "p@/:?#", database: "my db", sslmode: "require" } =>
        "postgres://u:p%40%2F%3A%3F%23@h:5433/my%20db?sslmode=require",
      { database: "app" } => "postgres:///app",
      { host: "/var/run/postgresql", database: "app" } => "postgres:///app?host=%2Fvar%2Frun%2Fpostgresql",
      { host: "db.example", hostaddr: "10.0.0.1", database: "app" } => "postgres://db.example/app?hostaddr=10.0.0.1",
      { host: "::1", database: "app", username: "u" } => "postgres://u@[::1]/app",
      { url: "postgres://x/y", database: "y" } => "postgres://x/y"
    }.each { |settings, url| assert_equal url, DatabaseUrl.from_active_record(settings) }
  end

  def test_two_spellings_of_one_database_are_the_same
    one = DatabaseUrl.parse("postgres://u:p@HOST/db")
    assert one.same_database?(DatabaseUrl.parse("postgres://host:5432/db?sslmode=require"))
    refute one.same_database?(DatabaseUrl.parse("postgres://host:5433/db"))
    refute one.same_database?(DatabaseUrl.parse("postgres://host/other"))
  end

  def test_inspecting_shows_no_password
    refute_includes DatabaseUrl.parse("postgres://u:hush@host/db").inspect, "hush"
  end
end

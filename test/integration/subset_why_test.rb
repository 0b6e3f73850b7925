# frozen_string_literal: true

require_relative "integration_helper"

# Why a row comes, of tables in partitions, of those that come whole or without rows, and of rows that the backup has not.
class SubsetWhyTest < IntegrationTest
  PRODUCTION = <<~SQL
    CREATE TABLE users (id bigint PRIMARY KEY, email text);
    CREATE TABLE visits (id bigint NOT NULL, user_id bigint REFERENCES users, PRIMARY KEY (id)) PARTITION BY HASH (id);
    CREATE TABLE visits_0 PARTITION OF visits FOR VALUES WITH (MODULUS 2, REMAINDER 0);
    CREATE TABLE visits_1 PARTITION OF visits FOR VALUES WITH (MODULUS 2, REMAINDER 1);
    CREATE TABLE calls (id bigint NOT NULL, day date) PARTITION BY RANGE (day);
    CREATE TABLE calls_old PARTITION OF calls FOR VALUES FROM ('2020-01-01') TO ('2024-01-01');
    CREATE TABLE calls_new PARTITION OF calls FOR VALUES FROM ('2024-01-01') TO ('2030-01-01');
    ALTER TABLE calls_old ADD PRIMARY KEY (id); ALTER TABLE calls_new ADD PRIMARY KEY (id);
    CREATE TABLE tokens (id uuid PRIMARY KEY); CREATE TABLE codes (code text PRIMARY KEY);
    CREATE TABLE logs (id bigint PRIMARY KEY); CREATE TABLE admins (id bigint PRIMARY KEY); CREATE TABLE pairs (a int, b int, PRIMARY KEY (a, b));
    CREATE SCHEMA other; CREATE TABLE other.logs (id bigint PRIMARY KEY);
    INSERT INTO users SELECT n, 'user' || n || '@real.example' FROM generate_series(1, 20) n;
    INSERT INTO visits SELECT n, n FROM generate_series(1, 20) n;
    INSERT INTO calls SELECT n, date '2023-12-25' + n FROM generate_series(1, 20) n;
    INSERT INTO tokens VALUES ('0f0e0d0c-0000-4000-8000-00000000abcd'); INSERT INTO codes VALUES (E'a\\\\b'), ('007');
    INSERT INTO logs VALUES (1); INSERT INTO other.logs VALUES (2); INSERT INTO admins VALUES (1);
  SQL

  def archive = Shared.archive_of(:why_archive, PRODUCTION)

  CUT = { "tables" => [{ "table" => "users", "option" => "subset", "where" => "id <= 3" }], "others" => "follow" }.freeze

  def why(table, id, **)
    settings = Engine.settings(source: archive, target: new_database.url, options: { subset: CUT, exclude_tables: ["other.logs"], keep_tables: ["admins"], ** })
    ScalingoStagingSync::Native.why(settings, table, id) { nil }.map { |reason| reason.values_at(:what, :table, :key).compact.map(&:to_s) }
  end

  def test_a_row_of_a_partitioned_table_is_found_by_the_name_of_the_whole_and_of_its_partition_alone
    follows = [%w[follows public.visits]]
    missing = [["missing", "public.visits", "5"], %w[not_kept public.users]]
    assert_equal [follows, missing], [why("visits", "2"), why("visits", "5")]
    home = %w[visits_0 visits_1].partition { |name| why(name, "2") == follows }
    assert_equal [1, 1], home.map(&:size)
    assert_equal [["unknown", "public.#{home.last.first}"]], why(home.last.first, "2")
    five = %w[visits_0 visits_1].map { |name| why(name, "5") }
    assert_equal 1, five.count(missing)
    assert_equal [["unknown", "public.visits"]], why("visits", "99")
  end

  def test_a_row_of_a_table_that_comes_whole_is_looked_for
    assert_equal [[%w[whole public.calls_old]], [%w[unknown public.calls_old]]], [why("calls_old", "2"), why("calls_old", "19")]
    assert_equal [[%w[whole public.logs]], [%w[unknown public.logs]]], [why("public.logs", "1"), why("public.logs", "2")]
    whole = { subset: nil }
    assert_equal [[%w[whole public.visits]], [%w[unknown public.visits]]], [why("visits", "2", **whole), why("visits", "99", **whole)]
    assert_equal [%w[unknown public.users]], why("users", "99", **whole)
  end

  def test_a_key_is_found_however_it_is_spelt
    assert_equal [%w[whole public.tokens]], why("tokens", "{0F0E0D0C-0000-4000-8000-00000000ABCD}")
    assert_equal [%w[whole public.codes]], why("codes", "a\\b")
    assert_equal [[%w[whole public.codes]], [%w[unknown public.codes]]], [why("codes", "007"), why("codes", "7")]
    assert_equal [%w[kept public.users]], why("users", " 03 ")
  end

  ORGS = <<~SQL
    CREATE TABLE orgs (id bigint PRIMARY KEY); CREATE TABLE people (id bigint PRIMARY KEY, org_id bigint NOT NULL REFERENCES orgs);
    CREATE TABLE notes (id bigint PRIMARY KEY, org_id bigint REFERENCES orgs);
    INSERT INTO orgs SELECT generate_series(1, 3); INSERT INTO people VALUES (1, 1), (2, 3), (3, 2); INSERT INTO notes VALUES (1, 2);
  SQL

  def test_a_row_whose_counterpart_came_back_for_others_is_not_said_to_be_refused_by_a_rule
    source = Shared.archive_of(:why_orgs_archive, ORGS)
    tables = [{ "table" => "orgs", "option" => "subset", "where" => "id = 1" }, { "table" => "notes", "option" => "subset", "keep" => "all" }]
    settings = Engine.settings(source:, target: new_database.url, options: { subset: { "tables" => tables, "others" => "follow" } })
    reasons = ScalingoStagingSync::Native.why(settings, "people", "3") { nil }
    assert_equal [%w[brought_back public.people 2], %w[needed public.orgs 2], %w[whole public.notes]], (reasons.map { |reason| reason.values_at(:what, :table, :key).compact.map(&:to_s) })
  end

  # A key, another spelling of it, and a value of its type that no row has.
  SPELT = {
    "char(6)" => ["ab", "ab  ", "abc"], "citext" => %w[Abc aBC Ab], "numeric" => %w[1.0 1.000 1.5], "float8" => %w[0 -0 1.50], "real" => %w[NaN nan 0],
    "interval" => ["1 day", "24:00:00", "25:00:00"], "text COLLATE ci" => %w[Abc aBC Ab], "timestamptz" => ["2024-01-01 00:00:00+00", "2024-01-01T01:00+01", "2024-01-02"],
    "boolean" => %w[t yes f], "inet" => ["10.0.0.1", "10.0.0.1/32", "10.0.0.2"], "price" => %w[1.0 1 2], "integer[]" => ["{1,2}", "{ 1, 02 }", "{1}"], "mood" => %w[glad glad sad]
  }.freeze

  def spelt_archive
    tables = SPELT.map.with_index { |(type, (key, _)), at| "CREATE TABLE k#{at} (note text, id #{type} PRIMARY KEY); INSERT INTO k#{at} VALUES (E'a\\tb', '#{key}');" }
    Shared.archive_of(:why_spelt_archive, <<~SQL)
      CREATE EXTENSION citext; CREATE DOMAIN price AS numeric; CREATE TYPE mood AS ENUM ('glad', 'sad');
      CREATE COLLATION ci (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
      #{tables.join}
    SQL
  end

  def answers(table, *ids, **options)
    settings = Engine.settings(source: spelt_archive, target: (@target ||= new_database).url, options:)
    ids.map { |id| ScalingoStagingSync::Native.why(settings, table, id) { nil }.map { |reason| reason[:what].to_s } }
  end

  def test_a_key_is_compared_as_postgresql_compares_values_of_its_type_with_a_rule_and_without
    SPELT.each_value.with_index do |(key, other, missing), at|
      cut = { subset: { "tables" => [{ "table" => "k#{at}", "option" => "subset", "where" => "note = ''" }], "others" => "follow" } }
      assert_equal [%w[whole], %w[whole], %w[unknown]], answers("k#{at}", key, other, missing), SPELT.keys[at]
      assert_equal [%w[not_kept], %w[unknown]], answers("k#{at}", other, missing, **cut), SPELT.keys[at]
    end
  end

  def test_what_is_no_value_of_the_keys_type_is_said_to_be_none
    { "numeric" => "abc", "interval" => "soon", "timestamptz" => "2024-13-01", "inet" => "10.0.0" }.each do |type, id|
      error = assert_raises(ScalingoStagingSync::PlanError) { answers("k#{SPELT.keys.index(type)}", id) }
      assert_match(/\Apublic\.k\d+\.id is of the type .*, and what stands for the row's key is no value of that type\. Write the key/, error.message)
      refute_includes error.message, id
    end
    assert_match(/users\.id is of the type bigint/, assert_raises(ScalingoStagingSync::PlanError) { why("users", "one") }.message)
    assert_match(/tokens\.id is of the type uuid/, assert_raises(ScalingoStagingSync::PlanError) { why("tokens", "one") }.message)
  end

  def test_a_row_of_a_table_without_rows_or_of_stagings_own_is_answered_for
    assert_equal [%w[without_rows other.logs]], why("other.logs", "2")
    assert_equal [%w[stays public.admins]], why("admins", "1")
  end

  def test_a_name_that_fits_no_table_or_two_and_a_table_whose_rows_cannot_be_named_are_refused
    { %w[logs 1] => /logs is both other\.logs and public\.logs\. Write the schema, too/, %w[vists 1] => /no table vists\. Did you mean "public\.visits"/,
      %w[pairs 1] => /public\.pairs has no primary key of one column/, %w[calls 1] => /public\.calls has no primary key of one column/ }.each do |(table, id), expected|
      error = assert_raises(ScalingoStagingSync::PlanError) { why(table, id) }
      assert_match expected, error.message
    end
  end
end

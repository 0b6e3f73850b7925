# frozen_string_literal: true

require_relative "integration_helper"

# Unique indexes that see a part of a masked value: pseudonyms that differ may be alike there, which is known before the
# target is touched.
class UniquePartsTest < IntegrationTest
  ORGANISATIONS = <<~SQL
    CREATE TABLE orgs (id int PRIMARY KEY, contact_email text, last_name text, phone text);
    INSERT INTO orgs SELECT n, 'hello@org' || n || '.example', chr(65 + n / 26) || chr(65 + n % 26) || 'son', '06' || (10000000 + n * 7) FROM generate_series(1, 200) AS n;
  SQL

  MASK = { "scan" => true, "policy" => "mask", "sample_rows" => 1000 }.freeze

  DOMAIN = "CREATE UNIQUE INDEX orgs_domain ON orgs (split_part(contact_email, '@', 2));"

  def test_a_mask_that_makes_a_part_one_is_refused_before_anything_is_touched
    {
      DOMAIN => { contact_email: "email" },
      "CREATE UNIQUE INDEX orgs_start ON orgs (\"left\"(last_name, 2));" => { last_name: "hash" },
      "CREATE UNIQUE INDEX orgs_end ON orgs (\"right\"(phone, 4));" => { phone: "token" },
      "ALTER TABLE orgs ADD domain text GENERATED ALWAYS AS (lower(split_part(contact_email, '@', 2))) STORED UNIQUE;" => { contact_email: "email" }
    }.each do |index, columns|
      archive = source(ORGANISATIONS + index)
      staging = new_staging
      error = assert_untouched(staging.database) do
        assert_run_fails ScalingoStagingSync::PlanError, source: archive, target: staging.url, masking_options: rule(columns)
      end
      assert_match(/is under a unique index over .*and its mask gives different values the same there/, error.what, index)
      assert_includes dry_run(archive, staging.url, masking_options: rule(columns))[:problems].first[:what], "unique index over"
    end
  end

  def test_a_mask_that_keeps_the_part_goes_through
    staging = filled(ORGANISATIONS + DOMAIN, masking_options: rule(contact_email: { mask: "email", keep_domain: true }))
    assert_equal "200", staging.value("SELECT count(DISTINCT split_part(contact_email, '@', 2)) FROM orgs")
    assert_equal "0", staging.value("SELECT count(*) FROM orgs WHERE contact_email LIKE 'hello%'")
    refute_nil staging.value("SELECT to_regclass('orgs_domain')")
  end

  def test_a_part_as_long_as_a_pseudonym_is_as_distinct
    staging = filled("#{ORGANISATIONS}CREATE UNIQUE INDEX long_start ON orgs (\"left\"(last_name, 20));", masking_options: rule(last_name: "hash"))
    refute_nil staging.value("SELECT to_regclass('long_start')")
  end

  def test_the_policy_takes_a_mask_that_the_index_bears_or_says_why_there_is_none
    staging = filled(ORGANISATIONS + DOMAIN, options: { pii: MASK })
    assert_equal "200", staging.value("SELECT count(*) FROM orgs WHERE contact_email IS NULL")
    refute_nil staging.value("SELECT to_regclass('orgs_domain')")

    archive = source("#{ORGANISATIONS}ALTER TABLE orgs ALTER contact_email SET NOT NULL;#{DOMAIN}")
    target = new_staging
    error = assert_untouched(target.database) do
      assert_run_fails ScalingoStagingSync::PersonalDataError, source: archive, target: target.url, options: { pii: MASK }
    end
    assert_includes error.what, "no mask keeps its values apart where the unique index over split_part(contact_email"
  end

  def test_an_index_that_stays_out_asks_nothing
    staging = filled(ORGANISATIONS + DOMAIN, masking_options: rule(contact_email: "email"), options: { exclude_objects: ["INDEX orgs_domain"] })
    assert_nil staging.value("SELECT to_regclass('orgs_domain')")
    assert_equal "200", staging.value("SELECT count(*) FROM orgs")
  end

  def test_of_a_function_that_is_not_known_the_plan_says_that_it_is_not
    index = "CREATE FUNCTION tail(text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT $1'; CREATE UNIQUE INDEX tails ON orgs (tail(contact_email));"
    plan = dry_run(source(ORGANISATIONS + index), new_staging.url, masking_options: rule(contact_email: "email"))
    assert(plan[:warnings].any? { |warning| warning.match?(/contact_email is under a unique index over .*tail.*: whether masked values stay distinct/) }, plan[:warnings].inspect)
    assert plan[:would_succeed]
  end

  DOCUMENTS = <<~SQL
    CREATE TABLE profiles (id int PRIMARY KEY, data jsonb NOT NULL);
    INSERT INTO profiles SELECT n, jsonb_build_object('email', 'j' || n || '@corp.example', 'name', 'Nora Quill', 'slug', 's' || n) FROM generate_series(1, 100) AS n;
  SQL

  def test_a_document_is_masked_beside_the_path_of_an_index_and_at_it_where_values_stay_distinct
    [%w[email email], %w[slug slug]].each do |key, path|
      index = "CREATE UNIQUE INDEX by_key ON profiles ((data ->> '#{key}'));"
      columns = { data: { mask: "json", paths: { "$.email" => "email", "$.name" => "name" } } }
      staging = filled(DOCUMENTS + index, masking_options: rule(columns, table: "profiles"))
      refute_nil staging.value("SELECT to_regclass('by_key')"), path
      assert_equal "100", staging.value("SELECT count(DISTINCT data ->> '#{key}') FROM profiles")
      assert_equal "0", staging.value("SELECT count(*) FROM profiles WHERE data ->> 'email' LIKE 'j%corp.example'")
    end
  end

  def test_a_document_whose_indexed_path_loses_its_distinctness_is_refused
    archive = source("#{DOCUMENTS}CREATE UNIQUE INDEX by_slug ON profiles (lower(data ->> 'slug'));")
    columns = { data: { mask: "json", paths: { "$.slug" => "last_name" } } }
    error = assert_run_fails(ScalingoStagingSync::PlanError, source: archive, target: new_staging.url, masking_options: rule(columns, table: "profiles"))
    assert_includes error.what, "unique index over"
  end

  def test_a_document_that_is_unique_as_a_whole_is_still_refused
    archive = source("#{DOCUMENTS}CREATE UNIQUE INDEX whole ON profiles (data);")
    columns = { data: { mask: "json", paths: { "$.slug" => "last_name" } } }
    assert_run_fails(ScalingoStagingSync::PlanError, source: archive, target: new_staging.url, masking_options: rule(columns, table: "profiles"))
  end

  private

  def rule(columns = nil, table: "orgs", **more)
    columns ||= more
    { rules: [{ "table" => table, "columns" => JSON.parse(JSON.generate(columns)) }], allow_unmasked_copy: true }
  end

  def source(sql)
    database = new_database("parts")
    database.exec(sql)
    database.dump(path("#{database.name}.dump"))
  end

  def filled(sql, **)
    staging = new_staging
    run!(source: source(sql), target: staging.url, **)
    staging.database
  end

  def dry_run(archive, url, **)
    ScalingoStagingSync::Native.plan(Engine.settings(source: archive, target: url, **)) { |_| nil }
  end
end

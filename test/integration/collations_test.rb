# frozen_string_literal: true

require_relative "integration_helper"

# Columns under a collation that takes different values for equal: PostgreSQL has neither regular expressions nor LIKE there.
class CollationsTest < IntegrationTest
  SQL = <<~SQL
    CREATE COLLATION ci (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
    CREATE DOMAIN address AS text COLLATE ci;
    CREATE TABLE users (id int PRIMARY KEY, email text COLLATE ci UNIQUE, login address, name text COLLATE ci, phone varchar(20) COLLATE ci,
                        city text COLLATE ci, note text COLLATE ci, reference char(12) COLLATE ci);
    INSERT INTO users SELECT n, 'Ada' || n || '@Corp.example', 'Ada' || n || '@Corp.example', 'Nora Quill ' || n, '06' || (10000000 + n), 'Paris', 'call ' || n, 'R' || n
      FROM generate_series(1, 30) AS n;
    INSERT INTO users VALUES (31, 'staff@team.example', '', '', '', '', '', '');
    CREATE TABLE visits (id int PRIMARY KEY, email text COLLATE ci, plain text);
    INSERT INTO visits SELECT n, 'aDA' || n || '@cORP.example', 'ADA' || n || '@corp.example' FROM generate_series(1, 30) AS n;
  SQL

  MASK = { "scan" => true, "policy" => "mask", "sample_rows" => 1000 }.freeze

  RULES = [
    { "table" => "users", "keep" => { "email" => ["*@team.example"] },
      "columns" => { "email" => "email", "login" => "email", "name" => "name", "phone" => "phone", "city" => "city", "note" => "redact",
                     "reference" => "token" } },
    { "table" => "visits", "columns" => { "email" => "email", "plain" => { "mask" => "static", "value" => "x" } } }
  ].freeze

  def test_every_mask_is_verified_under_one
    target = new_database
    outcome = run!(source: archive, target: target.url, masking_options: { rules: RULES })
    assert outcome.report[:verified], outcome.warnings.join("\n")
    assert_equal "staff@team.example", target.value("SELECT email FROM users WHERE id = 31")
    assert_equal "0", target.value("SELECT count(*) FROM users WHERE email COLLATE \"C\" LIKE '%Corp%' OR login COLLATE \"C\" LIKE '%Corp%'")
  end

  def test_what_the_collation_takes_for_equal_gets_one_pseudonym
    target = new_database
    run!(source: archive, target: target.url, masking_options: { rules: RULES })
    joined = "SELECT count(*) FROM users u JOIN visits v ON v.id = u.id AND v.email COLLATE \"C\" = u.email AND u.login COLLATE \"C\" = u.email"
    assert_equal "30", target.value(joined)
  end

  def test_a_database_that_is_there_is_masked_alike
    target = new_database
    target.exec(SQL)
    settings = Engine.settings(source: archive, target: target.url, masking_options: { rules: RULES })
    report = ScalingoStagingSync::Native.anonymize(settings) { |_| nil }
    assert report[:verified]
    assert_equal "30", target.value("SELECT count(*) FROM users u JOIN visits v ON v.id = u.id AND v.email COLLATE \"C\" = u.email AND u.login COLLATE \"C\" = u.email")
  end

  def test_the_policy_masks_and_verifies_them
    target = new_database
    outcome = run!(source: archive, target: target.url, options: { pii: MASK })
    assert outcome.report[:verified]
    assert_equal "0", target.value("SELECT count(*) FROM users WHERE email COLLATE \"C\" LIKE '%orp.%'")
  end

  private

  def archive = Shared.archive_of(:collations, SQL)
end

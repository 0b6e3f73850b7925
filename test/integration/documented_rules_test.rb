# frozen_string_literal: true

require_relative "integration_helper"

# The examples of rules in SQL that the documentation gives, as it gives them, and what it says of how they run.
class DocumentedRulesTest < IntegrationTest
  STRATEGIES = ScalingoStagingSync::Database::AnonymizationStrategies

  CLINIC = <<~SQL
    CREATE TABLE patients (id bigint PRIMARY KEY, patient_name text, name text, ssn text NOT NULL, dob date, medical_record_number text,
      date_of_birth date, diagnosis text, insurance_number text);
    CREATE TABLE medical_records (LIKE patients INCLUDING ALL);
    INSERT INTO patients SELECT n, 'RAW', 'RAW', 'RAW', date '1970-01-01' + n, 'RAW', date '1970-01-01' + n, 'RAW', 'RAW' FROM generate_series(1, 40) n;
    INSERT INTO medical_records SELECT * FROM patients;
    CREATE TABLE customers (id bigint PRIMARY KEY, email text, phone text, personal_data text, gdpr_consent boolean, anonymized_at timestamptz);
    INSERT INTO customers SELECT n, 'RAW', 'RAW', 'RAW', n % 2 = 0 FROM generate_series(1, 40) n;
    CREATE TABLE api_keys (id bigint PRIMARY KEY, key text, key_hash text, secret text);
    INSERT INTO api_keys SELECT n, 'RAW', 'RAW', 'RAW' FROM generate_series(1, 40) n;
    CREATE TABLE sessions (id bigint PRIMARY KEY, updated_at timestamp);
    INSERT INTO sessions SELECT n, now() - n * interval '1 hour' FROM generate_series(0, 39) n;
    CREATE TABLE orders (id bigint PRIMARY KEY, customer_notes text, created_at timestamptz);
    INSERT INTO orders SELECT n, 'RAW', now() - n * interval '1 month' FROM generate_series(1, 40) n;
    CREATE TABLE transactions (id bigint PRIMARY KEY, amount double precision, account_id bigint, reference_number text);
    INSERT INTO transactions SELECT n, -n, n, 'RAW' FROM generate_series(1, 40) n;
    CREATE TABLE bank_accounts (id bigint PRIMARY KEY, account_number text, routing_number text);
    INSERT INTO bank_accounts SELECT n, 'RAW', 'RAW' FROM generate_series(1, 40) n;
    CREATE TABLE comments (id bigint PRIMARY KEY, email text, created_at timestamp);
    INSERT INTO comments SELECT n, 'raw' || n || '@mail.example', now() - n * interval '10 days' FROM generate_series(1, 40) n;
    CREATE TABLE accounts (id bigint PRIMARY KEY, slug text NOT NULL, name text);
    CREATE TABLE users (id bigint PRIMARY KEY, account_id bigint REFERENCES accounts (id), email text, first_name text, api_token text, note text);
    CREATE TABLE profiles (id bigint PRIMARY KEY, user_id bigint UNIQUE REFERENCES users (id), nickname text);
    INSERT INTO accounts SELECT n, 'slug' || n, 'RAW' FROM generate_series(1, 5) n;
    INSERT INTO users SELECT n, 1 + n % 5, 'RAW', 'RAW', 'RAW', 'RAW' FROM generate_series(1, 40) n;
    INSERT INTO profiles SELECT n, 41 - n, 'nick' || n FROM generate_series(1, 30) n;
    CREATE SCHEMA helpers;
    CREATE FUNCTION helpers.title(number bigint) RETURNS text LANGUAGE sql STABLE AS $$ SELECT name FROM accounts WHERE id = number $$;
    CREATE SEQUENCE helpers.arrived;
    -- Returns when it has been called twice, by whomever.
    CREATE FUNCTION helpers.meet() RETURNS text LANGUAGE plpgsql AS $$
      BEGIN
        PERFORM nextval('helpers.arrived');
        FOR attempt IN 1..1500 LOOP
          IF (SELECT last_value FROM helpers.arrived) >= 2 THEN
            RETURN 'met';
          END IF;
          PERFORM pg_sleep(0.01);
        END LOOP;
        RETURN 'alone';
      END $$;
  SQL

  def self.archive
    @archive ||= begin
      database = Postgres.create_database("documented")
      database.exec(CLINIC)
      database.dump("#{Shared.directory}/documented.dump")
    ensure
      database&.drop
    end
  end

  def teardown
    STRATEGIES.reset!
    super
  end

  def test_the_documented_strategies_of_ones_own
    STRATEGIES.register_strategy(:hipaa_patient) do |table, condition|
      query = <<~SQL.gsub(/\s+/, " ").strip
        UPDATE #{table}
        SET
          patient_name = 'Patient ' || id,
          ssn = 'XXX-XX-XXXX',
          medical_record_number = 'MRN' || LPAD(id::text, 8, '0'),
          date_of_birth = DATE '1990-01-01',
          diagnosis = 'REDACTED',
          insurance_number = NULL
      SQL
      query += " WHERE #{condition}" if condition
      query
    end
    STRATEGIES.register_strategy(:gdpr_anonymization) do |table, _condition|
      "UPDATE #{table} SET personal_data = NULL, gdpr_consent = false, anonymized_at = NOW() WHERE gdpr_consent = true"
    end
    target = loaded([{ table: "patients", strategy: :hipaa_patient, condition: "id > 10" },
                     { table: "medical_records", strategy: :hipaa_patient }, { table: "customers", strategy: :gdpr_anonymization }])
    masked = "patient_name = 'Patient ' || id AND ssn = 'XXX-XX-XXXX' AND medical_record_number = 'MRN' || lpad(id::text, 8, '0') " \
             "AND date_of_birth = '1990-01-01' AND diagnosis = 'REDACTED' AND insurance_number IS NULL AND name = 'RAW'"
    assert_equal [30, 40, 20], [count(target, "patients WHERE id > 10 AND #{masked}"), count(target, "medical_records WHERE #{masked}"),
                                count(target, "customers WHERE personal_data IS NULL AND NOT gdpr_consent AND anonymized_at IS NOT NULL")]
  end

  def test_the_documented_queries_and_conditions
    target = loaded([{ table: "api_keys", query: "UPDATE api_keys SET key_hash = NULL, secret = NULL" },
                     { table: "api_keys", query: "UPDATE api_keys SET key = MD5(RANDOM()::text)" },
                     { table: "orders", query: "UPDATE orders SET customer_notes = 'REDACTED'", condition: "created_at < NOW() - INTERVAL '1 year'" },
                     { table: "sessions", query: "DELETE FROM sessions WHERE updated_at < NOW() - INTERVAL '1 day'" },
                     { table: "transactions", query: "UPDATE transactions SET amount = ROUND(RANDOM() * 1000), account_id = NULL, " \
                                                     "reference_number = 'REF' || id" },
                     { table: "comments", strategy: :email_anonymization, condition: "created_at < NOW() - INTERVAL '90 days'" }])
    assert_equal 40, count(target, "api_keys WHERE key ~ '^[0-9a-f]{32}$' AND key_hash IS NULL AND secret IS NULL")
    assert_equal 29, count(target, "orders WHERE customer_notes = 'REDACTED'")
    assert_equal 24, count(target, "sessions")
    assert_equal 40, count(target, "transactions WHERE amount >= 0 AND account_id IS NULL AND reference_number = 'REF' || id")
    assert_equal [32, 8], [count(target, "comments WHERE email LIKE '%@demo.example.com'"), count(target, "comments WHERE email LIKE 'raw%'")]
  end

  def test_the_documented_rules_by_column_with_and_without_a_join
    target = loaded([], { "patients" => { "name" => "CONCAT('Patient ', id)", "ssn" => "'XXX-XX-XXXX'", "dob" => "DATE '1990-01-01'",
                                          "medical_record_number" => "CONCAT('MRN', LPAD(id::text, 8, '0'))" },
                          "bank_accounts" => { "account_number" => "CONCAT('****', RIGHT(id::text, 4))", "routing_number" => "'021000021'" },
                          "customers" => { "email" => "CONCAT('customer', id, '@demo.test')", "phone" => "'555-0100'" },
                          "users" => { "email" => "CONCAT('user', id, '@', accounts.slug, '.demo')", "first_name" => "profiles.nickname",
                                       "api_token" => "NULL" } })
    assert_equal 40,
                 count(target,
                       "patients WHERE name = 'Patient ' || id AND dob = '1990-01-01' AND medical_record_number = 'MRN' || lpad(id::text, 8, '0')")
    assert_equal 40, count(target, "bank_accounts WHERE account_number = '****' || right(id::text, 4) AND routing_number = '021000021'")
    assert_equal 40, count(target, "customers WHERE email = 'customer' || id || '@demo.test' AND phone = '555-0100'")
    assert_equal 40, count(target, "users u WHERE email = (SELECT 'user' || u.id || '@' || slug || '.demo' FROM accounts a WHERE a.id = account_id) " \
                                   "AND api_token IS NULL")
    assert_equal [30, 10], [count(target, "users WHERE first_name = 'nick' || (41 - id)"), count(target, "users WHERE first_name IS NULL")]
  end

  def test_a_join_by_hand_means_the_ruled_tables_columns_by_names_without_a_table
    target = loaded([{ table: "users", query: "UPDATE users SET note = slug || '/' || id FROM accounts a WHERE a.id = account_id" },
                     { table: "profiles", query: "DELETE FROM profiles USING users u WHERE u.id = user_id AND id <= 10" }])
    assert_equal 40, count(target, "users WHERE note = 'slug' || account_id || '/' || id")
    assert_equal 20, count(target, "profiles WHERE id > 10")
  end

  def test_a_table_that_only_a_function_reads_is_found_masked_when_reads_names_it
    target = loaded([{ table: "accounts", query: "UPDATE accounts SET name = 'Account ' || id" },
                     { table: "users", query: "UPDATE users SET note = helpers.title(account_id)", reads: ["accounts"] }])
    assert_equal 40, count(target, "users WHERE note = 'Account ' || account_id")
  end

  # A function without its schema is found as the app would find it.
  def test_statements_run_with_the_roles_own_search_path
    role = Postgres.create_role("searcher", "SUPERUSER")
    later { Postgres.exec("DROP ROLE #{role}") }
    target = new_database
    Postgres.exec("ALTER ROLE #{role} SET search_path = public, helpers")
    entries = [{ table: "users", query: "UPDATE users SET note = coalesce(title(account_id), 'none') || id", reads: ["accounts"] }]
    run!(source: self.class.archive, target: target.url_as(role), masking_options: masking(entries))
    assert_equal 40, count(target, "users WHERE note = 'RAW' || id")
    Postgres.exec("ALTER ROLE #{role} RESET search_path")
    error = assert_run_fails(ScalingoStagingSync::PlanError, source: self.class.archive, target: target.url_as(role),
                                                             masking_options: masking(entries))
    assert_match(/42883, near `title\(account_id/, error.message)
    assert_equal 40, count(target, "users WHERE note = 'RAW' || id"), "a refused run has touched the data"
  end

  # Each waits for the other.
  def test_independent_rules_run_at_the_same_time_and_those_that_name_one_another_in_order
    meet = "CASE WHEN id = 1 THEN helpers.meet() ELSE 'x' END"
    independent = [{ table: "customers", query: "UPDATE customers SET email = #{meet}" },
                   { table: "api_keys", query: "UPDATE api_keys SET key = #{meet}" }]
    target = loaded(independent, target_options: { parallel_connections: 2 })
    assert_equal %w[met met], [target.value("SELECT email FROM customers WHERE id = 1"), target.value("SELECT key FROM api_keys WHERE id = 1")]
    ordered = [{ table: "accounts", query: "UPDATE accounts SET name = 'one'" },
               { table: "users", query: "UPDATE users SET note = (SELECT name FROM accounts a WHERE a.id = account_id)" },
               { table: "accounts", query: "UPDATE accounts SET slug = (SELECT max(note) FROM users u WHERE u.account_id = accounts.id) || id" }]
    target = loaded(ordered)
    assert_equal [40, 5], [count(target, "users WHERE note = 'one'"), count(target, "accounts WHERE slug = 'one' || id")]
  end

  def test_a_rule_that_would_see_a_column_raw_is_warned_of
    entries = [{ table: "users", query: "UPDATE users SET note = 'of ' || (SELECT name FROM accounts a WHERE a.id = account_id)" },
               { table: "accounts", query: "UPDATE accounts SET name = 'one'" }]
    outcome = run!(source: self.class.archive, target: new_database.url, masking_options: masking(entries))
    assert_equal 1, outcome.warnings.grep(/reads public\.accounts\.name before .* masks it/).size
    outcome = run!(source: self.class.archive, target: new_database.url, masking_options: masking(entries.reverse))
    assert_empty outcome.warnings.grep(/before/)
  end

  private

  def masking(entries, rules = {})
    config = ScalingoStagingSync::Configuration.new
    config.anonymization_secret = SECRET
    config.anonymization_tables = entries
    config.anonymization_rules = rules
    ScalingoStagingSync::Secret.reveal(ScalingoStagingSync::EngineSettings.new(config).masking)
  end

  def loaded(entries, rules = {}, **options)
    new_database.tap do |target|
      outcome = run!(source: self.class.archive, target: target.url, masking_options: masking(entries, rules), **options)
      assert outcome.report[:verified]
    end
  end

  def count(database, from) = Integer(database.value("SELECT count(*) FROM #{from}"))
end

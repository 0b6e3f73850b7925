# frozen_string_literal: true

require_relative "integration_helper"
require_relative "../support/foreign_archive"

# Rules that only SQL can express, on a backup made by another cluster, so that everything raw that is found in this
# one's files was left there by a run. Every value that a rule covers holds the word RAW and a number.
class SqlRulesTest < IntegrationTest
  include ForeignArchive::Assertions

  CLINIC = <<~SQL
    CREATE TABLE public.accounts (id bigint PRIMARY KEY, slug text NOT NULL, company_name text);
    CREATE TABLE public.users (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      account_id bigint REFERENCES public.accounts (id) ON DELETE CASCADE, email text NOT NULL, api_token text,
      phone character varying(20), length integer GENERATED ALWAYS AS (length(email)) STORED,
      created_at timestamp without time zone NOT NULL);
    CREATE UNIQUE INDEX users_email ON public.users (email);
    CREATE TABLE public.api_keys (id serial PRIMARY KEY, user_id bigint NOT NULL REFERENCES public.users (id) ON DELETE CASCADE,
      key text);
    CREATE TABLE public.orders (id bigint PRIMARY KEY, customer_notes text, note text, created_at timestamp without time zone NOT NULL);
    CREATE TABLE public.sessions (id bigint PRIMARY KEY, user_id bigint REFERENCES public.users (id) ON DELETE SET NULL,
      data text, updated_at timestamp without time zone);
    CREATE TABLE public.patients (id bigint PRIMARY KEY, patient_name text, ssn text, active boolean);
    CREATE TABLE public.visits (id bigint NOT NULL, on_day date NOT NULL, remark text) PARTITION BY RANGE (on_day);
    CREATE TABLE public.visits_old PARTITION OF public.visits FOR VALUES FROM (MINVALUE) TO ('2025-01-01');
    CREATE TABLE public.visits_new (remark text, on_day date NOT NULL, id bigint NOT NULL);
    ALTER TABLE public.visits ATTACH PARTITION public.visits_new FOR VALUES FROM ('2025-01-01') TO (MAXVALUE);
    CREATE TABLE public.plain (id bigint PRIMARY KEY, word text);
    INSERT INTO public.accounts SELECT n, 'slug' || n, 'RAW company ' || n FROM generate_series(1, 40) n;
    INSERT INTO public.users (account_id, email, api_token, phone, created_at)
      SELECT nullif(n % 41, 0), 'RAW.' || n || '@mail.example', CASE WHEN n % 3 > 0 THEN 'RAW token ' || n END,
             'RAW ' || n, timestamp '2020-01-01' + n * interval '1 day' FROM generate_series(1, 900) n;
    INSERT INTO public.api_keys (user_id, key) SELECT n, 'RAW key ' || n FROM generate_series(1, 900) n;
    INSERT INTO public.orders SELECT n, 'RAW notes ' || n, 'kept ' || n, timestamp '2020-01-01' + n * interval '1 day'
      FROM generate_series(1, 2000) n;
    INSERT INTO public.sessions SELECT n, n, 'RAW session ' || n, timestamp '2020-01-01' + n * interval '1 day'
      FROM generate_series(1, 500) n;
    INSERT INTO public.patients SELECT n, 'RAW name ' || n, 'RAW ssn ' || n, n % 2 = 0 FROM generate_series(1, 300) n;
    INSERT INTO public.visits SELECT n, date '2024-06-01' + n, 'RAW remark ' || n FROM generate_series(1, 400) n;
    INSERT INTO public.plain SELECT n, 'word ' || n FROM generate_series(1, 50) n;
  SQL

  # SQL rules as the engine takes them. `columns` become pairs.
  def self.query(table, sql, **more) = { "table" => table, "query" => sql, **more.transform_keys(&:to_s) }

  def self.expressions(table, columns, **more)
    { "table" => table, "columns" => columns.to_a, **more.transform_keys(&:to_s) }
  end

  ALL = [
    query("accounts", "UPDATE public.accounts SET company_name = 'Company ' || accounts.id WHERE slug <> ' WHERE '"),
    query("api_keys", "UPDATE api_keys SET key = MD5(RANDOM()::text)"),
    query("orders", "UPDATE orders o SET customer_notes = 'REDACTED'", condition: "created_at < timestamp '2024-01-01' OR id > 0"),
    query("sessions", "DELETE FROM sessions WHERE user_id > 100", condition: "updated_at IS NOT NULL"),
    query("sessions", "UPDATE sessions SET data = '{}'"),
    query("patients", "UPDATE patients SET patient_name = 'Patient ' || id, ssn = 'XXX'", strategy: "hipaa"),
    query("visits", "UPDATE visits SET remark = 'Visit of ' || on_day::text"),
    expressions("users", { "email" => "CONCAT('user', id, '@', accounts.slug, '.demo')", "api_token" => "NULL",
                           "phone" => "'555-0100'" })
  ].freeze

  def self.archive(word = "RAW") = ForeignArchive.make(CLINIC, word)

  def test_every_kind_of_rule_does_what_it_says
    target = loaded(ALL, source: self.class.archive("zebra"))
    assert_equal "Company 7", target.value("SELECT company_name FROM accounts WHERE id = 7")
    assert_equal 0, count(target, "api_keys WHERE key !~ '^[0-9a-f]{32}$'")
    assert_equal 0, count(target, "orders WHERE customer_notes <> 'REDACTED'")
    assert_equal 100, count(target, "sessions WHERE data = '{}'")
    assert_equal 100, count(target, "sessions")
    assert_equal "Patient 12,XXX,true", target.value("SELECT concat_ws(',', patient_name, ssn, active::text) FROM patients WHERE id = 12")
    assert_equal 400, count(target, "visits WHERE remark = 'Visit of ' || on_day")
    assert_operator count(target, "ONLY visits_new"), :>, 100
    assert_equal "user3@slug3.demo", target.value("SELECT email FROM users WHERE id = 3")
    # A row that has no account is masked, too.
    assert_equal "user41@.demo", target.value("SELECT email FROM users WHERE id = 41")
    assert_equal 900, count(target, "users WHERE api_token IS NULL AND phone = '555-0100' AND length = length(email)")
    assert_equal 2000, count(target, "orders WHERE note = 'kept ' || id")
    assert_nothing_raw_on_disk(/zebra/n)
  end

  def test_one_connection_of_a_restricted_role_is_enough
    staging = new_staging
    outcome = run!(source: self.class.archive, target: staging.url, masking_options: { sql_rules: ALL, allow_unmasked_copy: false },
                   target_options: { parallel_connections: 1 })
    assert outcome.report[:verified]
    assert_equal 0, count(staging.database, "users WHERE email LIKE 'RAW%'")
  end

  def test_a_condition_restricts_a_rule_to_its_rows
    target = loaded([self.class.query("orders", "UPDATE orders SET customer_notes = note || ' WHERE ' || id",
                                      condition: "created_at < timestamp '2022-01-01' AND id IN (SELECT id FROM plain)")])
    assert_equal 50, count(target, "orders WHERE customer_notes = note || ' WHERE ' || id")
    assert_equal 1950, count(target, "orders WHERE customer_notes = 'RAW notes ' || id")
  end

  def test_a_condition_on_a_strategy_leaves_the_other_rows_alone
    target = new_database
    condition = "email NOT LIKE '%5@%' AND id IN (SELECT user_id FROM api_keys WHERE id < 500)"
    outcome = run!(source: self.class.archive, target: target.url, masking_options: {
                     rules: [{ "table" => "users", "strategy" => "email_anonymization", "condition" => condition }],
                     sql_rules: [self.class.query("users", "UPDATE users SET phone = 'none'")], allow_unmasked_copy: false
                   })
    assert outcome.report[:verified]
    assert_equal 0, count(target, "users WHERE id < 500 AND id % 10 <> 5 AND email !~ '^[0-9a-z]+@demo\\.example\\.com$'")
    assert_equal 0, count(target, "users WHERE (id >= 500 OR id % 10 = 5) AND email <> 'RAW.' || id || '@mail.example'")
    assert_equal 900, count(target, "users WHERE phone = 'none' AND length = length(email)")
    unconditional = new_database
    run!(source: self.class.archive, target: unconditional.url, rules: { "users" => :email_anonymization })
    # The two ways give the same bytes.
    sql = "SELECT string_agg(id || email, ',' ORDER BY id) FROM users WHERE id < 500 AND id % 10 <> 5"
    assert_equal unconditional.value(sql), target.value(sql)
  end

  # The parser rewrites each statement, so what it writes must mean the same.
  def test_literals_of_every_kind_reach_the_server_as_they_were_written
    literals = ["'it''s'", "E'a\\\\n\\n\\t\\x41\\101\\'c'", "$q$it's $1 \\ WHERE$q$", "'back\\slash\\n'", "U&'d\\0061t\\+01F600'",
                "'é😀 مرحبا'", "('{\"a\": [1, 2]}'::jsonb #>> '{a,0}')", "(DATE '2024-01-31' + INTERVAL '1 month 2 days')::text",
                "(ARRAY['a', 'b'])[2]", "LPAD(7::text, 8, '0')", "('x' ~ '^\\w$')::text", "(CASE WHEN 1 IN (2, 3) THEN 'a' ELSE 'b' END)",
                "substring('Thomas' from '...$')", "overlay('Txxxxas' placing 'hom' from 2 for 4)", "trim(both 'x' from 'xTomxx')",
                "position('om' in 'Thomas')::text", "extract(year from date '2020-02-03')::text", "to_char(-1.5e3, 'FM9999.0')",
                "(NULL IS NOT DISTINCT FROM NULL)::text", "(timestamp '2024-03-10 02:30' AT TIME ZONE 'UTC')::text", "(1 BETWEEN 0 AND 2)::text",
                "(-2 ^ 2)::text", "(2 + 3 * 4 - (5 - 6))::text", "encode('\\xdeadbeef'::bytea, 'hex')", "format('%s-%I', 'a', 'B c')"]
    expression = "concat_ws('|', #{literals.join(", ")}, id)"
    target = loaded([self.class.query("plain", "UPDATE plain SET word = #{expression}")])
    assert_equal 0, count(target, "plain WHERE word IS DISTINCT FROM #{expression}")
    assert_equal 50, count(target, "plain WHERE word LIKE 'it''s|%'")
  end

  def test_the_report_names_what_sql_changed
    target = new_database
    outcome = run!(source: self.class.archive, target: target.url,
                   masking_options: { sql_rules: [self.class.query("patients", "UPDATE patients SET ssn = 'XXX' WHERE id > 100")],
                                      allow_unmasked_copy: false })
    column = outcome.report[:tables].find { |table| table[:table] == "public.patients" }[:columns].first
    assert_equal ["ssn", 200], column.values_at(:name, :masked)
    assert_match(/query: "UPDATE patients/, column[:mask])
  end

  def test_rules_see_other_tables_masked
    rules = [self.class.query("patients", "UPDATE patients SET patient_name = 'Patient ' || id"),
             self.class.query("orders",
                              "UPDATE orders SET customer_notes = (SELECT patient_name FROM public.patients p WHERE p.id = orders.id % 300 + 1)")]
    target = loaded(rules)
    assert_equal "Patient 8", target.value("SELECT customer_notes FROM orders WHERE id = 7")
  end

  def test_deleting_follows_the_archives_own_foreign_keys
    target = loaded([self.class.query("users", "DELETE FROM users WHERE id > 400")])
    assert_equal 400, count(target, "users")
    assert_equal 400, count(target, "api_keys")
    assert_equal 100, count(target, "sessions WHERE user_id IS NULL")
    assert_equal 0, count(target, "pg_constraint WHERE contype = 'f' AND NOT convalidated")
  end

  def test_another_session_never_sees_a_raw_value
    target = new_database
    columns = %w[accounts.company_name users.email api_keys.key orders.customer_notes patients.ssn visits.remark]
    assert_never_seen(target, columns, "RAW") do
      run!(source: self.class.archive, target: target.url, masking_options: { sql_rules: ALL, allow_unmasked_copy: false })
    end
  end

  def test_a_failure_in_the_middle_leaves_every_such_table_empty_and_nothing_raw
    target = new_database
    error = assert_run_fails(ScalingoStagingSync::RestoreError, source: self.class.archive("okapi"), target: target.url,
                                                                masking_options: broken(rollback_on_error: true))
    assert_match(/patients/, error.message)
    %w[patients orders].each { |table| assert_equal 0, count(target, table) if target.value("SELECT to_regclass('#{table}')") }
    assert_nothing_raw_on_disk(/okapi (notes|name|ssn)/n)
  end

  def test_without_rollback_the_others_go_on_and_the_error_names_what_is_empty
    target = new_database
    error = assert_run_fails(ScalingoStagingSync::RestoreError, source: self.class.archive("gecko"), target: target.url,
                                                                masking_options: broken(rollback_on_error: false))
    assert_match(/these tables are empty: public\.patients/, error.message)
    assert_equal 0, count(target, "patients")
    assert_equal 2000, count(target, "orders WHERE customer_notes = 'REDACTED'")
    assert_equal 50, count(target, "plain")
    assert_nothing_raw_on_disk(/gecko (notes|name|ssn)/n)
  end

  def test_an_expression_that_changes_nothing_is_found_out
    rules = [self.class.expressions("patients", { "ssn" => "upper(ssn)", "patient_name" => "patient_name || ''" })]
    target = new_database
    error = assert_run_fails(ScalingoStagingSync::VerificationError, source: self.class.archive, target: target.url,
                                                                     masking_options: { sql_rules: rules, allow_unmasked_copy: false })
    assert_match(/300 rows of public\.patients still hold in patient_name/, error.message)
    assert_equal 0, count(target, "patients")
  end

  def test_everything_that_is_wrong_is_reported_at_once_with_the_target_untouched
    rules = [
      self.class.query("userz", "UPDATE userz SET a = 1"),
      self.class.query("orders", "UPDATE orders SET customer_note = 'x'"),
      self.class.query("api_keys", "UPDATE users SET email = 'x'"),
      self.class.query("sessions", "TRUNCATE sessions"),
      self.class.query("patients", "UPDATE patients SET ssn = 'x' WHERE (", condition: nil),
      self.class.query("accounts", "UPDATE accounts SET slug = NULL"),
      self.class.query("visits", "UPDATE visits SET remark = 'x'", condition: "id = 1 id = 2"),
      self.class.expressions("users", { "length" => "1", "phone" => "orders.note" }),
      self.class.query("users", "UPDATE users SET email = (SELECT word FROM plane WHERE id = 1)", reads: ["nothing"])
    ]
    error = refused(rules, ScalingoStagingSync::PlanError)
    [/userz/, /customer_note\b.*customer_notes/, /it changes public\.users/, /UPDATE or a DELETE/, /its SQL cannot be read/,
     /accounts\.slug is NOT NULL/, /its condition is not an SQL condition/, /length is generated/,
     /no foreign key between public\.users and public\.orders/, /plane.*plain/, /nothing/].each { |expected| assert_match expected, error.message }
  end

  def test_a_column_masked_twice_is_an_error_that_names_both_rules
    rules = [self.class.query("users", "UPDATE users SET email = 'x' || id"), self.class.expressions("users", { "email" => "'y' || id" })]
    error = refused(rules, ScalingoStagingSync::PlanError)
    assert_match(/query: .*anonymization_rules\["users"\] both mask the column public\.users\.email/m, error.message)
    error = refused(rules.first(1), ScalingoStagingSync::PlanError, rules: { "users" => :user_anonymization })
    assert_match(/:user_anonymization.*query: .*both mask the column/m, error.message)
  end

  def test_what_only_the_server_can_refuse_is_refused_before_anything_is_lost
    rules = [self.class.query("orders", "UPDATE orders SET customer_notes = no_such_function(id)"),
             self.class.query("patients", "UPDATE patients SET active = 'REDACTED'::date")]
    error = refused(rules, ScalingoStagingSync::PlanError)
    assert_match(/no_such_function/, error.message)
    assert_match(/active/, error.message)
  end

  private

  def loaded(rules, source: self.class.archive, **options)
    target = new_database
    outcome = run!(source:, target: target.url,
                   masking_options: { sql_rules: rules, allow_unmasked_copy: false }, **options)
    assert outcome.report[:verified]
    target
  end

  def refused(sql_rules, error_class, rules: {})
    target = new_database
    assert_untouched(target) do
      assert_run_fails error_class, source: self.class.archive, target: target.url, rules:,
                                    masking_options: { sql_rules:, allow_unmasked_copy: false }
    end
  end

  # The rule for patients fails at some row, when others have been changed.
  def broken(**options)
    { sql_rules: [self.class.query("orders", "UPDATE orders SET customer_notes = 'REDACTED'"),
                  self.class.query("patients", "UPDATE patients SET ssn = (1 / (id - 250))::text, patient_name = 'x'")],
      allow_unmasked_copy: false, **options }
  end
end

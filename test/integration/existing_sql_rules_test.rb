# frozen_string_literal: true

require_relative "integration_helper"
require_relative "../support/trouble"

# Rules in SQL on a database that is already there. Every value that a rule covers holds the word RAW and a number.
class ExistingSqlRulesTest < IntegrationTest
  PRACTICE = Trouble::COUNTER + Trouble::FUNCTION + <<~SQL
    CREATE TABLE public.accounts (id bigint PRIMARY KEY, slug text NOT NULL, company text);
    CREATE TABLE public.contacts (id bigint PRIMARY KEY, email text);
    CREATE TABLE public.users (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      account_id bigint REFERENCES public.accounts (id), email text NOT NULL, phone text, seen date NOT NULL,
      length integer GENERATED ALWAYS AS (length(email)) STORED);
    CREATE UNIQUE INDEX users_email ON public.users (email);
    CREATE TABLE public.api_keys (id serial PRIMARY KEY, user_id bigint NOT NULL REFERENCES public.users (id) ON DELETE CASCADE, key text);
    CREATE TABLE public.key_uses (id bigint PRIMARY KEY, key_id integer NOT NULL REFERENCES public.api_keys (id) ON DELETE CASCADE
      DEFERRABLE INITIALLY DEFERRED, remark text);
    CREATE TABLE public.sessions (id bigint PRIMARY KEY, user_id bigint REFERENCES public.users (id) ON DELETE SET NULL, data text);
    CREATE TABLE public.visits (id bigint NOT NULL, on_day date NOT NULL, remark text) PARTITION BY RANGE (on_day);
    CREATE TABLE public.visits_old PARTITION OF public.visits FOR VALUES FROM (MINVALUE) TO ('2025-01-01');
    CREATE TABLE public.visits_new (remark text, on_day date NOT NULL, id bigint NOT NULL);
    ALTER TABLE public.visits ATTACH PARTITION public.visits_new FOR VALUES FROM ('2025-01-01') TO (MAXVALUE);
    CREATE TABLE public.letters (id bigint PRIMARY KEY, contact_id bigint, body text);
    CREATE TABLE public.patients (id bigint PRIMARY KEY, name text, ssn text);
    INSERT INTO public.accounts SELECT n, 'slug' || n, 'RAW company ' || n FROM generate_series(1, 20) n;
    INSERT INTO public.contacts SELECT n, 'RAW.' || n || '@mail.example' FROM generate_series(1, 100) n;
    INSERT INTO public.users (account_id, email, phone, seen)
      SELECT nullif(n % 21, 0), 'RAW.' || n || '@mail.example', 'RAW ' || n, date '2020-01-01' + n FROM generate_series(1, 500) n;
    INSERT INTO public.api_keys (user_id, key) SELECT n, 'RAW key ' || n FROM generate_series(1, 500) n;
    INSERT INTO public.key_uses SELECT n, n, 'use ' || n FROM generate_series(1, 500) n;
    INSERT INTO public.sessions SELECT n, n, 'RAW session ' || n FROM generate_series(1, 500) n;
    INSERT INTO public.visits SELECT n, date '2024-06-01' + n, 'RAW remark ' || n FROM generate_series(1, 400) n;
    INSERT INTO public.letters SELECT n, 1 + n % 100, 'RAW letter ' || n FROM generate_series(1, 200) n;
    INSERT INTO public.patients SELECT n, 'RAW name ' || n, 'RAW ssn ' || n FROM generate_series(1, 300) n;
  SQL

  def self.query(table, sql, **more) = { "table" => table, "query" => sql, **more.transform_keys(&:to_s) }

  # A strategy in flight; the same under a condition; expressions with a join; statements; a DELETE with what follows
  # from it; a partitioned table; a sub-select on a table that is masked in flight; a strategy of the team's own.
  RULES = [{ "table" => "contacts", "strategy" => "email_anonymization" },
           { "table" => "users", "strategy" => "email_anonymization", "condition" => "id % 10 <> 5" }].freeze

  SQL_RULES = [
    query("accounts", "UPDATE accounts SET company = 'Company ' || id"),
    query("users", "DELETE FROM users WHERE seen < date '2020-04-01'"),
    { "table" => "users", "columns" => [["phone", "CONCAT('+', accounts.slug, id)"]] },
    query("api_keys", "UPDATE api_keys SET key = 'key ' || id"),
    query("sessions", "UPDATE sessions SET data = 'none'", condition: "id > 10 AND data <> ' WHERE '"),
    query("visits", "UPDATE visits SET remark = 'Visit of ' || on_day::text"),
    query("letters", "UPDATE letters SET body = 'To ' || (SELECT email FROM contacts c WHERE c.id = letters.contact_id)"),
    query("patients", "UPDATE patients SET name = 'Patient ' || id, ssn = 'XXX'", strategy: "hipaa")
  ].freeze

  class << self
    # Nothing may write to it.
    def practice
      @practice ||= Postgres.create_database("practice").tap do |database|
        Minitest.after_run { database.drop }
        database.exec(PRACTICE)
      end
    end

    def dump = @dump ||= practice.dump("#{IntegrationTest::Shared.directory}/practice.dump")
  end

  def test_every_kind_of_rule_does_what_it_does_in_a_run
    expected = new_database("expected")
    run!(source: self.class.dump, target: expected.url, masking_options: masking)
    target = raw_copy
    report = anonymize!(target)
    assert report[:verified]
    assert_same_text expected.canonical_dump, target.canonical_dump, "masking in place gives other rows than a run"
    assert_equal "To #{target.value("SELECT email FROM contacts WHERE id = 8")}", target.value("SELECT body FROM letters WHERE id = 7")
    assert_equal 410, count(target, "users")
    assert_equal 410, count(target, "key_uses")
    assert_equal 90, count(target, "sessions WHERE user_id IS NULL")
    raw = { "users" => "email LIKE 'RAW%' AND id % 10 <> 5", "accounts" => "company LIKE 'RAW%'", "visits" => "remark LIKE 'RAW%'",
            "api_keys" => "key LIKE 'RAW%'", "patients" => "name LIKE 'RAW%' OR ssn LIKE 'RAW%'" }
    raw.each { |table, condition| assert_equal 0, count(target, "#{table} WHERE #{condition}"), table }
  end

  def test_the_report_says_what_each_rule_changed
    tables = anonymize!(raw_copy)[:tables].to_h { |table| [table[:table], table] }
    assert_equal 410, tables["public.users"][:rows]
    changed = tables["public.users"][:columns].map { |column| column.values_at(:name, :masked) }
    assert_equal [["email", 450], ["phone", 410]], changed.sort
    assert_equal 400, tables.values_at("public.visits_old", "public.visits_new").sum { |table| table[:rows] }
    assert_match(/strategy: :hipaa/, tables["public.patients"][:columns].first[:mask])
  end

  def test_no_raw_row_stays_in_the_tables_files
    target = raw_copy
    tables = %w[accounts api_keys sessions visits_old visits_new letters patients contacts]
    raw = /RAW (company|key|remark|letter|name|ssn) \d|RAW session [1-9]\d\d|RAW\.\d+@/n
    assert_match raw, files_of(target, tables)
    anonymize!(target, rules: RULES.first(1))
    refute_match raw, files_of(target, tables)
  end

  def test_keys_triggers_and_rules_come_back_as_they_were
    target = raw_copy
    target.exec(<<~SQL)
      CREATE FUNCTION shout() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'written to'; END $$;
      CREATE TRIGGER row_loud BEFORE INSERT OR UPDATE OR DELETE ON visits FOR EACH ROW EXECUTE FUNCTION shout();
      CREATE TRIGGER all_loud AFTER INSERT OR TRUNCATE ON visits FOR EACH STATEMENT EXECUTE FUNCTION shout();
      CREATE TRIGGER loud BEFORE INSERT OR UPDATE OR DELETE ON users FOR EACH ROW EXECUTE FUNCTION shout();
      ALTER TABLE users ENABLE ALWAYS TRIGGER loud;
      CREATE TRIGGER quiet BEFORE INSERT ON patients FOR EACH ROW EXECUTE FUNCTION shout();
      ALTER TABLE patients DISABLE TRIGGER quiet;
      CREATE TRIGGER child BEFORE DELETE OR UPDATE ON sessions FOR EACH ROW EXECUTE FUNCTION shout();
      CREATE RULE ignore AS ON INSERT TO accounts DO INSTEAD NOTHING;
    SQL
    before = schema(target)
    anonymize!(target)
    assert_same_text before, schema(target), "something of the schema has changed"
    assert_equal 20, count(target, "accounts WHERE company LIKE 'Company %'")
    assert_equal 0, count(target, "pg_constraint WHERE contype = 'f' AND NOT convalidated")
  end

  def test_the_owner_of_the_tables_may_do_it
    role = Postgres.create_role("owner")
    later { Postgres.exec("DROP ROLE #{role}") }
    database = Postgres.create_database("owned", owner: role)
    later { database.drop }
    Postgres.run("pg_restore", "--no-owner", "--no-privileges", "--exit-on-error", "-d", database.url_as(role), self.class.dump)
    anonymize!(database, url: database.url_as(role))
    assert_equal 0, count(database, "patients WHERE name LIKE 'RAW%'")
  end

  # A table at a time: a statement that locks several in another order than masking does may meet a deadlock.
  def test_another_session_sees_all_of_a_table_masked_or_nothing
    target = raw_copy
    looks = { "patients" => "name LIKE 'RAW%' OR ssn LIKE 'RAW%'", "accounts" => "company LIKE 'RAW%'", "visits" => "remark LIKE 'RAW%'" }
    seen = looks.to_h { |table, _| [table, []] }
    stop = false
    watcher = Thread.new do
      target.connect do |connection|
        until stop
          looks.each do |table, raw|
            found = connection.exec("SELECT count(*) FILTER (WHERE #{raw}), count(*) FROM #{table}").values.first
            seen[table] << found.map(&:to_i)
          end
        end
      end
    end
    sleep 0.01 while watcher.alive? && seen.values.any?(&:empty?)
    anonymize!(target, target_options: { terminate_connections: false }, url: owner_url(target))
    wanted = seen["visits"].size + 2
    sleep 0.01 while watcher.alive? && seen["visits"].size < wanted
    stop = true
    watcher.join
    assert_equal({ "patients" => [[300, 300], [0, 300]], "accounts" => [[20, 20], [0, 20]], "visits" => [[400, 400], [0, 400]] },
                 seen.transform_values(&:uniq))
  end

  # Each is its own failure in the middle: a check that masked rows do not meet, an error in a statement, a rule that
  # changes nothing, and a lost connection.
  FAILURES = {
    "a_check" => [ScalingoStagingSync::RestoreError, "UPDATE patients SET name = 'forbidden', ssn = 'x'"],
    "a_statement" => [ScalingoStagingSync::RestoreError, "UPDATE patients SET name = (1 / (id - 250))::text"],
    "an_unchanged_value" => [ScalingoStagingSync::VerificationError, "UPDATE patients SET name = name || ''"],
    "a_lost_connection" => [ScalingoStagingSync::TargetConnectionError, "UPDATE patients SET name = trouble(name, 'lost', 1, 9)"]
  }.freeze

  FAILURES.each do |name, (error_class, query)|
    define_method(:"test_after_#{name}_every_table_is_as_it_was") do
      target = raw_copy
      target.exec("ALTER TABLE patients ADD CHECK (name <> 'forbidden')")
      before = target.canonical_dump("--exclude-schema=counter")
      error = refused(target, sql_rules: [*SQL_RULES.first(5), self.class.query("patients", query)])
      assert_instance_of error_class, error
      assert_same_text before, target.canonical_dump("--exclude-schema=counter"), "a failed run changed something"
    end
  end

  def test_without_rollback_the_others_are_masked_and_what_failed_is_named
    target = raw_copy
    error = refused(target, sql_rules: [*SQL_RULES.first(7), self.class.query("patients", FAILURES["a_statement"].last)],
                            rollback_on_error: false)
    assert_match(/1 of \d+ tables could not be masked and hold what they held: public\.patients\./, error.message)
    assert_equal 300, count(target, "patients WHERE name = 'RAW name ' || id")
    assert_equal [0, 0, 0], [count(target, "accounts WHERE company LIKE 'RAW%'"), count(target, "letters WHERE body LIKE 'RAW%'"),
                             count(target, "visits WHERE remark LIKE 'RAW%'")]
  end

  # Else letters would hold raw addresses under a rule that has succeeded.
  def test_a_rule_does_not_run_when_a_table_that_it_reads_could_not_be_masked
    target = raw_copy
    target.exec("ALTER TABLE contacts ADD CHECK (email LIKE '%mail.example')")
    error = refused(target, rollback_on_error: false)
    assert_match(/2 of \d+ tables .*: public\.contacts, public\.letters\./, error.message)
    assert_equal 200, count(target, "letters WHERE body LIKE 'RAW letter %'")
    assert_equal 0, count(target, "patients WHERE name LIKE 'RAW%'")
  end

  def test_what_may_pass_is_tried_again_and_only_as_often_as_configured
    target = raw_copy
    rule = ->(last) { [self.class.query("patients", "UPDATE patients SET ssn = CASE WHEN id = 1 THEN trouble(ssn, '40001', 1, #{last}) END")] }
    anonymize!(target, sql_rules: rule.(2))
    assert_equal 3, Integer(target.value("SELECT last_value FROM counter.tries"))
    target = raw_copy
    error = refused(target, sql_rules: rule.(99), target_options: { retry_attempts: 2 })
    assert_instance_of ScalingoStagingSync::LockTimeoutError, error
    assert_match(/tried 3 times/, error.message)
    assert_equal 3, Integer(target.value("SELECT last_value FROM counter.tries"))
  end

  def test_wrong_rules_touch_nothing
    target = raw_copy
    before = target.canonical_dump
    wrong = { "UPDATE patients SET nam = 'x'" => /has no column nam\. Did you mean name/, "UPDATE patients SET name = no_such(id)" => /no_such/ }
    wrong.each do |query, expected|
      error = refused(target, sql_rules: [self.class.query("patients", query)])
      assert_instance_of ScalingoStagingSync::PlanError, error
      assert_match expected, error.message
    end
    assert_same_text before, target.canonical_dump, "a refused run changed something"
  end

  def test_a_key_without_an_action_comes_back_not_valid_with_a_warning
    target = raw_copy
    target.exec("ALTER TABLE sessions DROP CONSTRAINT sessions_user_id_fkey, ADD CONSTRAINT bare FOREIGN KEY (user_id) REFERENCES users (id)")
    report = anonymize!(target, rules: [], sql_rules: [SQL_RULES[1]])
    assert_equal "f", target.value("SELECT convalidated FROM pg_constraint WHERE conname = 'bare'")
    assert(report[:warnings].any? { |warning| warning.include?("bare of public.sessions is put back NOT VALID") }, report[:warnings].inspect)
    assert_equal 500, count(target, "sessions WHERE user_id = id")
  end

  private

  def raw_copy = new_database.restore(self.class.dump)

  def masking(rules: RULES, sql_rules: SQL_RULES, rollback_on_error: true)
    { rules:, sql_rules:, allow_unmasked_copy: false, rollback_on_error: }
  end

  def anonymize!(target, url: target.url, target_options: {}, **)
    ScalingoStagingSync::Native.anonymize(Engine.settings(source: File::NULL, target: url, target_options:, masking_options: masking(**)))
  end

  def refused(target, **)
    assert_raises(ScalingoStagingSync::Error) { anonymize!(target, **) }.tap { |error| assert_well_worded error }
  end

  # A role with the superuser's rights but another name, whose sessions the test's own are not.
  def owner_url(target)
    role = Postgres.create_role("masker", "SUPERUSER")
    later { Postgres.exec("DROP ROLE #{role}") }
    target.url_as(role)
  end

  def schema(target) = target.canonical_dump("--schema-only")

  def count(target, from) = Integer(target.value("SELECT count(*) FROM #{from}"))

  # The bytes of the tables' files.
  def files_of(database, tables)
    database.exec("CHECKPOINT")
    paths = tables.map { |table| database.value("SELECT pg_relation_filepath('#{table}')") }
    paths.map { |relative| File.binread(File.join(ENV.fetch("TEST_PG_DATA"), relative)) }.join.b
  end
end

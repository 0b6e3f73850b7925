# frozen_string_literal: true

require_relative "integration_helper"

# Personal data that no rule covers: found by names and by values, and what each policy does about it.
class PersonalDataTest < IntegrationTest
  # Tables with a column that its name gives away, one that only its values do, and one of neither.
  PEOPLE = <<~SQL
    CREATE TABLE public.customers (id bigint PRIMARY KEY, email text NOT NULL, col_a text, color text);
    INSERT INTO public.customers
      SELECT n, 'ada' || n || '@people.example', 'bob' || n || '@people.example', 'red' FROM generate_series(1, 300) AS n;
    CREATE TABLE public.colors (id bigint PRIMARY KEY, hex text);
    INSERT INTO public.colors SELECT n, '#00ff0' || n % 10 FROM generate_series(1, 50) AS n;
    CREATE TABLE public.imports (id bigint PRIMARY KEY, customer_id bigint REFERENCES public.customers, col_b text);
    INSERT INTO public.imports SELECT n, n, 'see ' || 'eve' || n || '@people.example' FROM generate_series(1, 100) AS n;
  SQL

  def test_a_run_that_warns_copies_and_reports_with_the_rule_to_paste
    outcome = sync(PEOPLE, policy: "warn")
    assert_equal 300, @target.value("SELECT count(*) FROM customers WHERE email LIKE '%@people.example'").to_i
    assert_equal({ "customers.email" => "uncovered", "customers.col_a" => "uncovered", "imports.col_b" => "uncovered" }, statuses(outcome))
    advice = outcome.warnings.find { |warning| warning.include?("config.anonymization_tables += [") }
    assert_includes advice, "col_a: :email, # email"
    assert_includes advice, %({ table: "imports", columns: {\n    col_b: :scrub # free_text)
    refute_match(/people\.example/, advice)
  end

  def test_a_finding_says_how_it_was_found
    outcome = sync(PEOPLE, policy: "warn")
    email = finding(outcome, "customers.email")
    assert_equal %w[email contact both], email.values_at(:kind, :heading, :found_by).map(&:to_s)
    assert_equal [300, 300, 1.0], email.values_at(:values, :count, :share)
    assert_equal "content", finding(outcome, "customers.col_a")[:found_by].to_s
    assert_operator finding(outcome, "customers.col_a")[:confidence], :>=, 0.9
    assert_equal '{ table: "customers", columns: { col_a: :email } }', finding(outcome, "customers.col_a")[:rule]
  end

  def test_failing_by_name_leaves_the_target_untouched_and_lists_every_rule
    target = new_database
    error = assert_untouched(target) do
      refused(PEOPLE, target:, policy: "fail")
    end
    assert_includes error.what, "public.customers.email: email"
    assert_includes error.remedy, "email: :email"
    refute_includes error.what, "col_a"
  end

  def test_failing_by_content_leaves_those_tables_empty_and_the_others_loaded
    target = new_database
    rules = [{ "table" => "customers", "columns" => { "email" => "email" } }]
    error = refused(PEOPLE, target:, policy: "fail", rules:)
    %w[public.customers.col_a public.imports.col_b].each { |column| assert_includes error.what, column }
    refute_includes error.what, "customers.email"
    assert_includes error.remedy, "col_a: :email"
    assert_equal %w[0 0 50],
                 target.values("SELECT count(*) FROM customers UNION ALL SELECT count(*) FROM imports UNION ALL SELECT count(*) FROM colors")
    assert_equal "incomplete", target.value("SELECT status FROM scalingo_staging_sync.state")
  end

  def test_masking_needs_no_rule
    outcome = sync(PEOPLE, policy: "mask")
    assert_equal %w[masked masked masked], statuses(outcome).values
    left = @target.value("SELECT count(*) FROM (SELECT email || coalesce(col_a, '') FROM customers UNION ALL SELECT col_b FROM imports) AS every (text) " \
                         "WHERE text LIKE '%people.example%'")
    assert_equal "0", left
    assert_equal "300", @target.value("SELECT count(*) FROM customers WHERE color = 'red' AND col_a LIKE '%@demo.example.com'")
    assert_equal true, outcome.report[:verified]
    column = outcome.report[:tables].find { |table| table[:table] == "public.customers" }[:columns].find { |one| one[:name] == "col_a" }
    assert_equal 300, column[:masked]
  end

  def test_the_same_value_gets_the_same_pseudonym_by_itself_as_by_a_rule
    sync(PEOPLE, policy: "mask")
    by_itself = @target.values("SELECT email FROM customers ORDER BY id")
    sync(PEOPLE, policy: "warn", rules: [{ "table" => "customers", "columns" => { "email" => "email" } }])
    assert_equal by_itself, @target.values("SELECT email FROM customers ORDER BY id")
  end

  def test_a_column_that_is_ignored_stays_with_its_reason
    outcome = sync(PEOPLE, policy: "mask", ignore: [{ "column" => "customers.*", "reason" => "invented people" }])
    ignored = finding(outcome, "customers.email")
    assert_equal ["ignored", "invented people"], [ignored[:status].to_s, ignored[:because]]
    assert_equal "300", @target.value("SELECT count(*) FROM customers WHERE email LIKE '%@people.example'")
    assert_equal "masked", statuses(outcome)["imports.col_b"]
  end

  def test_rules_of_every_kind_cover_and_a_delete_does_not
    rules = [{ "table" => "customers", "columns" => { "col_a" => "email" } }]
    sql = [{ "table" => "customers", "query" => "UPDATE customers SET email = 'x' || id || '@demo.test'" },
           { "table" => "imports", "query" => "DELETE FROM imports WHERE id > 90" }]
    outcome = sync(PEOPLE, policy: "warn", rules:, masking: { "sql_rules" => sql })
    assert_equal({ "customers.email" => "covered", "customers.col_a" => "covered", "imports.col_b" => "uncovered" }, statuses(outcome))
    assert_includes finding(outcome, "customers.col_a")[:because], "col_a"
    outcome = sync(PEOPLE, policy: "warn", exclude: %w[customers imports])
    assert_equal %w[covered exclude_tables], finding(outcome, "customers.email").values_at(:status, :because).map(&:to_s)
  end

  def test_partitions_are_judged_through_their_root_and_masked_alike
    sql = <<~SQL
      CREATE TABLE public.visits (id bigint, visitor_email text, note text, day date NOT NULL) PARTITION BY RANGE (day);
      CREATE TABLE public.visits_1 PARTITION OF public.visits FOR VALUES FROM ('2025-01-01') TO ('2025-02-01');
      CREATE TABLE public.visits_2 PARTITION OF public.visits DEFAULT;
      INSERT INTO public.visits SELECT n, 'ada' || n || '@people.example', 'call 06 12 34 56 ' || n % 90 + 10, date '2025-01-01' + n FROM generate_series(1, 60) AS n;
    SQL
    outcome = sync(sql, policy: "mask")
    assert_equal({ "visits.visitor_email" => "masked", "visits.note" => "masked" }, statuses(outcome))
    assert_equal "0", @target.value("SELECT count(*) FROM visits WHERE visitor_email LIKE '%people%' OR note LIKE '%06 12 34 56%'")
  end

  def test_a_key_whose_other_side_is_not_masked_the_same_way_is_reported_with_advice
    sql = <<~SQL
      CREATE TABLE public.members (email text PRIMARY KEY);
      CREATE TABLE public.things (id bigint PRIMARY KEY, label text REFERENCES public.members);
      INSERT INTO public.members SELECT 'ada' || n || '@people.example' FROM generate_series(1, 50) AS n;
      INSERT INTO public.things SELECT n, 'ada' || n || '@people.example' FROM generate_series(1, 50) AS n;
    SQL
    error = assert_untouched(target = new_database) { refused(sql, target:, policy: "mask") }
    assert_match(/members\.email.*foreign key.*things\.label/, error.what)
    same = sql.sub("label text", "member_email text")
    outcome = sync(same, policy: "mask")
    assert_equal %w[masked masked], statuses(outcome).values
    assert_equal "50", @target.value("SELECT count(*) FROM things JOIN members ON members.email = things.member_email")
  end

  def test_masks_respect_not_null_unique_and_types
    sql = <<~SQL
      CREATE TYPE public.sex AS ENUM ('x', 'y');
      CREATE TABLE public.patients (
        id bigint PRIMARY KEY, first_name varchar(8) NOT NULL UNIQUE, gender public.sex NOT NULL, birth_date date NOT NULL,
        salary numeric(8,2) NOT NULL, phone varchar(14) NOT NULL, ip inet NOT NULL, medical_history jsonb NOT NULL,
        allergies text[] NOT NULL, photo bytea NOT NULL, iban char(27), home_location point NOT NULL);
      INSERT INTO public.patients SELECT n, 'Ada' || n, 'y', '1990-03-02', 1234.5, '06 12 34 56 ' || n + 10, '82.64.1.2',
        '{"email": "ada@people.example"}', '{nuts}', '\\xff00', 'FR1420041010050500013M02606', '(1,2)' FROM generate_series(1, 40) AS n;
    SQL
    outcome = sync(sql, policy: "mask")
    assert_empty statuses(outcome).reject { |_, status| status == "masked" }
    row = @target.exec("SELECT * FROM patients WHERE id = 7").first
    refute_includes row.values.join(" "), "ada@people"
    refute_equal "Ada7", row["first_name"]
    assert_equal "40", @target.value("SELECT count(DISTINCT first_name) FROM patients")
    assert_equal true, outcome.report[:verified]
  end

  def test_every_row_is_looked_at_when_asked_for
    sql = <<~SQL
      CREATE TABLE public.notices (id bigint PRIMARY KEY, col_a text);
      INSERT INTO public.notices SELECT n, CASE WHEN n > 15000 THEN 'eve' || n || '@people.example' ELSE 'red' END FROM generate_series(1, 30000) AS n;
      CREATE TABLE public.colors (id bigint PRIMARY KEY, hex text);
      INSERT INTO public.colors SELECT n, 'red' FROM generate_series(1, 50) AS n;
    SQL
    assert_empty statuses(sync(sql, policy: "warn", sample_rows: 100))
    found = finding(sync(sql, policy: "warn", sample_rows: nil), "notices.col_a")
    assert_equal [30_000, 15_000], found.values_at(:values, :count)
    target = new_database
    error = refused(sql, target:, policy: "mask", sample_rows: nil)
    assert_includes error.what, "after the first rows"
    assert_equal "0", target.value("SELECT count(*) FROM notices")
    assert_equal "50", target.value("SELECT count(*) FROM colors")
  end

  def test_without_a_scan_nothing_is_looked_for
    outcome = sync(PEOPLE, policy: "fail", scan: false)
    assert_empty outcome.report[:findings]
  end

  def test_the_dry_run_shows_what_is_uncovered_and_fails_where_a_run_would
    planned = ScalingoStagingSync::Native.plan(personal(PEOPLE, new_database, policy: "fail"))
    assert_equal false, planned[:would_succeed]
    assert_equal ["PersonalDataError"], planned[:problems].map { |problem| problem[:error] }
    assert_equal %w[email], planned[:findings].map { |one| one[:column] }
    assert_equal true, ScalingoStagingSync::Native.plan(personal(PEOPLE, new_database, policy: "mask"))[:would_succeed]
  end

  def test_without_a_rule_the_policy_that_refuses_lists_the_columns_and_not_the_missing_rule
    settings = personal(PEOPLE, new_database, policy: "fail")
    settings["masking"]["allow_unmasked_copy"] = false
    planned = ScalingoStagingSync::Native.plan(settings)
    assert_equal ["PersonalDataError"], planned[:problems].map { |problem| problem[:error] }
    assert_includes planned[:problems].first[:what], "email"
    settings["pii"]["policy"] = "warn"
    assert_equal ["ConfigurationError"], ScalingoStagingSync::Native.plan(settings)[:problems].map { |problem| problem[:error] }
  end

  def test_own_patterns_replace_what_is_known_of_names
    asked = nil
    settings = personal(PEOPLE, target = new_database, policy: "warn", own_patterns: true)
    report = ScalingoStagingSync::Native.run(settings) do |event|
      next unless event[:event].to_s == "columns"

      asked = event[:columns]
      ScalingoStagingSync::PersonalData::OwnPatterns.new({ medical: /\bhex\b/ }).answer(asked)
    end
    assert_includes asked, %w[customers email]
    found = report[:findings].to_h { |one| ["#{one[:table]}.#{one[:column]}", one[:heading].to_s] }
    assert_equal "medical", found["public.colors.hex"]
    assert_equal 300, target.value("SELECT count(*) FROM customers").to_i
  end

  def test_a_database_that_is_already_there_is_masked_by_itself
    database = new_database
    database.exec(PEOPLE)
    report = ScalingoStagingSync::Native.anonymize(personal(nil, database, policy: "mask"))
    assert_equal %w[masked], report[:findings].map { |one| one[:status].to_s }.uniq
    assert_equal "0", database.value("SELECT count(*) FROM customers WHERE email LIKE '%people%' OR col_a LIKE '%people%'")
    before = database.canonical_dump
    error = assert_raises(ScalingoStagingSync::PersonalDataError) { ScalingoStagingSync::Native.anonymize(personal(nil, database, policy: "fail")) }
    assert_well_worded error
    assert_equal before, database.canonical_dump
  end

  private

  def personal(sql, target, policy:, rules: [], exclude: [], masking: {}, **pii)
    settings = Engine.settings(source: sql ? dump_of(sql) : File::NULL, target: target.url, exclude:, masking_options: { rules: }.merge(masking))
    settings["masking"]["allow_unmasked_copy"] = true
    settings.merge("pii" => { "scan" => true, "policy" => policy, "sample_rows" => 1000 }.merge(pii.transform_keys(&:to_s)))
  end

  def dump_of(sql)
    @dumps ||= {}
    @dumps[sql] ||= new_database("source").then do |source|
      source.exec(sql)
      source.dump(path("personal_#{@dumps.size}.dump"))
    end
  end

  def sync(sql, **options)
    @target = new_database
    outcome = Engine.run(personal(sql, @target, **options))
    raise outcome.error if outcome.error

    outcome
  end

  def refused(sql, target:, **options)
    outcome = Engine.run(personal(sql, target, **options))
    assert_instance_of ScalingoStagingSync::PersonalDataError, outcome.error
    assert_well_worded outcome.error
    refute_match(/people\.example/, outcome.error.message)
    outcome.error
  end

  def statuses(outcome)
    outcome.report[:findings].to_h { |one| ["#{one[:table].delete_prefix("public.")}.#{one[:column]}", one[:status].to_s] }
  end

  def finding(outcome, column)
    outcome.report[:findings].find { |one| "#{one[:table]}.#{one[:column]}" == "public.#{column}" } || flunk("nothing was found of #{column}")
  end
end

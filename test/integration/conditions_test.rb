# frozen_string_literal: true

require_relative "integration_helper"
require_relative "../support/foreign_archive"

# A condition beside columns and `keep`, and rules on tables that hang together: heirs, partitions, namesakes. Every raw
# value that a rule covers holds the word RAW; rows that no condition covers hold none.
class ConditionsTest < IntegrationTest
  include ForeignArchive::Assertions

  OLD = 300 # of 400 rows, those that the conditions cover

  PEOPLE = <<~SQL.freeze
    CREATE TABLE people (id bigint PRIMARY KEY, email text UNIQUE NOT NULL, name text, phone varchar(30) UNIQUE, note text,
      settings jsonb, code varchar(12), login text, tags text[], ref uuid UNIQUE, born date, vip boolean NOT NULL,
      shout text GENERATED ALWAYS AS (upper(email)) STORED);
    INSERT INTO people SELECT n, word || '.' || n || '@mail.example', CASE WHEN n % 7 > 0 THEN word || ' name ' || n END,
      '06' || (10000000 + n), 'Write to ' || word || '.' || n || '@mail.example or call 06' || (10000000 + n),
      jsonb_build_object('contact', jsonb_build_object('email', word || '.' || n || '@mail.example'), 'n', n),
      'AB' || n, word || n, ARRAY[word || '.' || n || '@mail.example', NULL], md5(n::text)::uuid, date '1990-01-01' + n, n % 2 = 0
    FROM (SELECT n, CASE WHEN n <= #{OLD} THEN 'RAW' ELSE 'young' END AS word FROM generate_series(1, 400) n) AS people;
    UPDATE people SET email = 'boss.' || id || '@OurCompany.example' WHERE id IN (5, 6, 399);

    CREATE TABLE notes (id bigint NOT NULL, body text, author text);
    CREATE TABLE long_notes (pages int, appendix text) INHERITS (notes);
    CREATE TABLE old_notes (author text, body text, id bigint NOT NULL);
    ALTER TABLE old_notes INHERIT notes;
    INSERT INTO notes SELECT n, 'RAW body ' || n, 'RAW author ' || n FROM generate_series(1, 100) n;
    INSERT INTO long_notes SELECT n, 'RAW body ' || n, 'RAW author ' || n, 7, 'RAW appendix ' || n FROM generate_series(101, 200) n;
    INSERT INTO old_notes SELECT 'RAW author ' || n, 'RAW body ' || n, n FROM generate_series(201, 300) n;

    CREATE TABLE visits (id bigint NOT NULL, on_day date NOT NULL, remark text, mail text) PARTITION BY RANGE (on_day);
    CREATE TABLE visits_old PARTITION OF visits FOR VALUES FROM (MINVALUE) TO ('2025-01-01');
    CREATE TABLE visits_new (mail text, remark text, on_day date NOT NULL, id bigint NOT NULL);
    ALTER TABLE visits ATTACH PARTITION visits_new FOR VALUES FROM ('2025-01-01') TO (MAXVALUE);
    INSERT INTO visits SELECT n, date '2024-06-01' + n, 'RAW remark ' || n, 'RAW.' || n || '@mail.example' FROM generate_series(1, 400) n;

    CREATE SCHEMA tenant;
    CREATE TABLE tenant.notes (id bigint PRIMARY KEY, body text);
    INSERT INTO tenant.notes SELECT n, 'RAW tenant ' || n FROM generate_series(1, 50) n;
  SQL

  COLUMNS = {
    email: :email, name: :name, phone: { mask: :phone, country: "FR" }, note: :scrub, code: :token, ref: :uuid, born: :birth_date,
    settings: { mask: :json, paths: { "$.contact.email" => :email } }, login: { mask: :template, template: "user-{id}@x.test" },
    tags: { mask: :array, of: :email }
  }.freeze
  KEEP = { email: ["*@ourcompany.example"] }.freeze
  CONDITION = "id <= #{OLD}".freeze

  def self.archive(word = "RAW") = ForeignArchive.make(PEOPLE, word)

  # What is masked everywhere, to compare with.
  def self.everywhere
    @everywhere ||= Postgres.create_database("everywhere").tap do |database|
      Minitest.after_run { database.drop }
      outcome = Engine.run(Engine.settings(source: archive, target: database.url,
                                           masking_options: masking([{ table: "people", columns: COLUMNS, keep: KEEP }])))
      raise outcome.error if outcome.error
    end
  end

  # What the configuration makes of the entries and rules.
  def self.masking(entries, rules = {}, **options)
    config = ScalingoStagingSync::Configuration.new
    config.anonymization_secret = SECRET
    config.anonymization_tables = entries
    config.anonymization_rules = rules
    ScalingoStagingSync::EngineSettings.new(config).masking.merge(options.transform_keys(&:to_s))
  end

  def test_covered_rows_are_masked_as_they_are_without_a_condition_and_the_others_stay
    target, report = loaded([{ table: "people", columns: COLUMNS, keep: KEEP, condition: CONDITION }])
    columns = "id, email, name, phone, note, code, ref, born, settings, login, tags, vip, shout"
    rows = "SELECT array_agg(row(#{columns})::text ORDER BY id) FROM people WHERE id"
    assert_equal self.class.everywhere.value("#{rows} <= #{OLD}"), target.value("#{rows} <= #{OLD}")
    assert_equal 99, count(target, "people WHERE id > #{OLD} AND email = 'young.' || id || '@mail.example' AND login = 'young' || id " \
                                   "AND settings #>> '{contact,email}' = email AND tags[1] = email AND note LIKE '%' || email || '%'")
    assert_equal 3, count(target, "people WHERE email LIKE 'boss.%@OurCompany.example'")
    email = column(report, "public.people", "email")
    assert_equal [OLD - 2, 102, 0, 0], email.values_at(:masked, :kept, :nulls, :violations)
    name = column(report, "public.people", "name")
    assert_equal [258, 85, 57, 0], name.values_at(:masked, :kept, :nulls, :violations)
    assert_match(/, under a condition\z/, name[:mask])
  end

  def test_a_strategy_takes_keep_and_a_condition
    target, report = loaded([{ table: "people", strategy: :email_anonymization, keep: KEEP, condition: "vip" }])
    assert_equal 199, count(target, "people WHERE vip AND email LIKE '%@demo.example.com'")
    assert_equal 201, count(target, "people WHERE email NOT LIKE '%@demo.example.com'")
    assert_equal [199, 201], column(report, "public.people", "email").values_at(:masked, :kept)
  end

  def test_each_condition_sees_what_the_row_held_whatever_is_masked_beside_it
    target, = loaded([{ table: "people", columns: { email: :email }, condition: "email LIKE 'RAW%' AND note LIKE '%06%'" },
                      { table: "people", columns: { name: :name }, condition: "people.email LIKE 'RAW%'" },
                      { table: "people", columns: { phone: :phone }, condition: "public.people.note LIKE 'Write to RAW%'" },
                      { table: "people", columns: { note: :scrub } }])
    assert_equal 0,
                 count(target,
                       "people WHERE id <= #{OLD} AND id NOT IN (5, 6) AND (email LIKE 'RAW%' OR name LIKE 'RAW%' OR note LIKE '%mail.example%')")
    assert_equal 100, count(target, "people WHERE id > #{OLD} AND phone = '06' || (10000000 + id) AND (name IS NULL OR name LIKE 'young%')")
    assert_equal 0, count(target, "people WHERE id <= #{OLD} AND phone = '06' || (10000000 + id)")
    assert_equal 0, count(target, "people WHERE note LIKE '%mail.example%'")
  end

  def test_a_condition_may_read_another_table_and_a_rule_in_sql_sees_what_it_made
    target, = loaded([{ table: "people", columns: { email: :email }, condition: "id IN (SELECT id FROM tenant.notes)" },
                      { table: "people", query: "UPDATE people SET login = email" }])
    assert_equal 48, count(target, "people WHERE id <= 50 AND email LIKE '%@demo.example.com' AND id NOT IN (5, 6)")
    assert_equal 400, count(target, "people WHERE login = email")
    assert_equal 350, count(target, "people WHERE email NOT LIKE '%@demo.example.com'")
  end

  def test_a_rule_in_sql_on_a_parent_covers_its_children_and_only_does_not
    target, = loaded([{ table: "public.notes", query: "UPDATE public.notes SET body = 'Note ' || id, author = author || '!'; " \
                                                      "UPDATE ONLY notes n SET author = 'nobody'", condition: "id > 50" },
                      { table: "long_notes", columns: { appendix: :redact }, condition: "pages = 7" }])
    assert_equal [50, 50, 100, 100], [count(target, "ONLY notes WHERE body = 'Note ' || id AND author = 'nobody'"),
                                      count(target, "ONLY notes WHERE body = 'RAW body ' || id AND author = 'RAW author ' || id"),
                                      count(target, "long_notes WHERE body = 'Note ' || id AND author LIKE '%!' AND appendix NOT LIKE 'RAW%'"),
                                      count(target, "old_notes WHERE body = 'Note ' || id AND author = 'RAW author ' || id || '!'")]
  end

  def test_columns_under_a_condition_on_a_parent_cover_its_children
    target, report = loaded([{ table: "public.notes", columns: { author: :name }, condition: "notes.id % 2 = 0" }])
    assert_equal 150, count(target, "notes WHERE id % 2 = 1 AND author = 'RAW author ' || id")
    assert_equal 0, count(target, "notes WHERE id % 2 = 0 AND author LIKE 'RAW%'")
    %w[notes long_notes old_notes].each do |table|
      assert_equal [50, 50], column(report, "public.#{table}", "author").values_at(:masked, :kept), table
    end
  end

  def test_a_delete_on_a_parent_takes_its_childrens_rows
    target, = loaded([{ table: "public.notes", query: "DELETE FROM public.notes WHERE id % 100 < 50" }])
    assert_equal [50, 50, 50], %w[notes long_notes old_notes].map { |table| count(target, "ONLY #{table}") }
  end

  def test_rules_on_a_partitioned_table_and_on_one_partition_combine
    target, = loaded([{ table: "visits", query: "UPDATE visits SET remark = 'Visit ' || id" },
                      { table: "visits_new", columns: { mail: :email }, condition: "id % 2 = 0" }])
    assert_equal 400, count(target, "visits WHERE remark = 'Visit ' || id")
    assert_equal 0, count(target, "visits_new WHERE id % 2 = 0 AND mail LIKE 'RAW%'")
    assert_equal 0, count(target, "visits_new WHERE id % 2 = 1 AND mail NOT LIKE 'RAW%'")
    assert_equal 0, count(target, "visits_old WHERE mail NOT LIKE 'RAW%'")
  end

  def test_columns_under_a_condition_on_a_partitioned_table_cover_its_partitions
    target, = loaded([{ table: "visits", columns: { mail: :email, remark: :redact }, condition: "on_day < date '2025-02-01'" }])
    assert_equal 0, count(target, "visits WHERE on_day < date '2025-02-01' AND (mail LIKE 'RAW%' OR remark LIKE 'RAW%')")
    assert_equal 0, count(target, "visits WHERE on_day >= date '2025-02-01' AND (mail NOT LIKE 'RAW%' OR remark NOT LIKE 'RAW%')")
  end

  def test_two_tables_of_one_name_have_each_their_own_rule
    target, = loaded([{ table: "tenant.notes", query: "UPDATE tenant.notes SET body = 'Tenant ' || notes.id" },
                      { table: "public.notes", query: "UPDATE public.notes SET body = (SELECT body FROM tenant.notes t WHERE t.id = notes.id)",
                        condition: "id <= 50" }])
    assert_equal 50, count(target, "tenant.notes WHERE body = 'Tenant ' || id")
    assert_equal 50, count(target, "public.notes WHERE body = 'Tenant ' || id")
  end

  EVERYTHING = [
    { table: "people", columns: COLUMNS, keep: KEEP, condition: CONDITION },
    { table: "public.notes", query: "UPDATE notes SET body = 'x', author = 'y'" },
    { table: "long_notes", columns: { appendix: :redact }, condition: "id > 0" },
    { table: "visits", columns: { mail: :email }, condition: "id > 0" },
    { table: "visits", query: "UPDATE visits SET remark = ''" },
    { table: "tenant.notes", columns: { body: :text }, condition: "id IN (SELECT id FROM people)" }
  ].freeze
  WATCHED = %w[people.email people.name people.note people.settings people.login people.tags people.shout notes.body notes.author
               long_notes.appendix visits.mail visits.remark tenant.notes.body].freeze

  def test_no_other_session_ever_sees_a_raw_value_and_none_is_left_on_disk
    target = new_database
    assert_never_seen(target, WATCHED, "heron") do
      run!(source: self.class.archive("heron"), target: target.url, masking_options: self.class.masking(EVERYTHING))
    end
    assert_equal 300, count(target, "notes WHERE body = 'x'")
    assert_nothing_raw_on_disk(/heron/n)
  end

  def test_nor_after_a_failure_in_the_middle
    target = new_database
    broken = { table: "people", query: "UPDATE people SET vip = (1 / (id - 350)) > 0" }
    assert_never_seen(target, WATCHED, "bittern") do
      error = assert_run_fails(ScalingoStagingSync::RestoreError, source: self.class.archive("bittern"), target: target.url,
                                                                  masking_options: self.class.masking([*EVERYTHING, broken]))
      assert_match(/public\.people/, error.message)
    end
    assert_equal 0, count(target, "people")
    assert_nothing_raw_on_disk(/bittern/n)
  end

  # Masking a database that is already there does what a run does.
  def test_in_place_the_same_rules_do_the_same
    delete = { table: "public.notes", query: "DELETE FROM public.notes WHERE id % 100 = 7" }
    entries = [*EVERYTHING, delete, { table: "long_notes", query: "UPDATE ONLY long_notes SET pages = id" }]
    expected, = loaded(entries)
    target = new_database.restore(self.class.archive)
    report = ScalingoStagingSync::Native.anonymize(Engine.settings(source: File::NULL, target: target.url,
                                                                   masking_options: self.class.masking(entries)))
    assert report[:verified]
    assert_same_text expected.canonical_dump, target.canonical_dump, "masking in place gives other rows than a run"
    assert_equal [OLD - 2, 102], column(report, "public.people", "email").values_at(:masked, :kept)
    assert_equal [99, 99, 99], %w[notes long_notes old_notes].map { |table| count(target, "ONLY #{table} WHERE body = 'x'") }
    assert_equal 0, count(target, "visits WHERE mail LIKE 'RAW%' OR remark <> ''")
  end

  def test_every_wrong_rule_is_reported_at_once_with_the_target_untouched
    ScalingoStagingSync::Database::AnonymizationStrategies.register_strategy(:of_the_clinic) do |table, where|
      "UPDATE #{table} SET patient = 1 WHERE #{where}"
    end
    entries = [
      { table: "peeple", columns: { email: :email }, condition: "id > 1" },
      { table: "people", columns: { emial: :email }, condition: "id > 1" },
      { table: "people", columns: { note: :scrub }, condition: "id > > 1" },
      { table: "people", columns: { name: :name }, condition: "creatd_at < NOW()" },
      { table: "people", columns: { phone: { mask: :phone, contry: "FR" } }, keep: { code: ["x"] }, condition: "vip" },
      { table: "people", columns: { email: :email }, condition: "vip" },
      { table: "people", strategy: :email_anonymization, condition: "NOT vip" },
      { table: "people", query: "UPDATE people SET tags = NULL", condition: "emial IS NULL" },
      { table: "public.notes", strategy: :of_the_clinic, condition: "id > 1" },
      { table: "long_notes", query: "UPDATE long_notes SET body = 'a'" },
      { table: "public.notes", query: "UPDATE notes SET body = 'b'" },
      { table: "visits", query: "UPDATE ONLY visits SET remark = 'x'" },
      { table: "visits_old", query: "UPDATE visits_old SET on_day = now()" }
    ]
    rules = { "people" => { "login" => "notes.body", "note" => "upper(nmae)" } }
    target = new_database
    error = assert_untouched(target) do
      assert_run_fails ScalingoStagingSync::PlanError, source: self.class.archive, target: target.url,
                                                       masking_options: self.class.masking(entries, rules)
    end
    [/peeple.*Did you mean .*people/m, /emial\. Did you mean email\?/, /its condition is not an SQL condition/,
     /in its condition, public\.people has no column creatd_at/, /contry/, /keep names the column code/,
     /columns: \{ email: :email \}, condition: "vip" \} and .*:email_anonymization, condition: "NOT vip" \} both mask the column public\.people\.email/, /in its condition, public\.people has no column emial/,
     /public\.notes has no column patient/, /long_notes SET body = 'a'" \} and .*notes SET body = 'b'" \} both mask/, /ONLY public\.visits, which is partitioned/,
     /on_day is part of the partition key/, /no foreign key between public\.people and public\.notes/,
     /in the expression for note, public\.people has no column nmae. Did you mean name\?/].each { |expected| assert_match expected, error.message }
  ensure
    ScalingoStagingSync::Database::AnonymizationStrategies.reset!
  end

  def test_a_condition_that_only_the_server_can_refuse_leaves_the_old_data_in_place
    target = new_database
    entries = [{ table: "people", columns: { email: :email }, condition: "no_such_function(id)" },
               { table: "people", columns: { name: :name }, condition: "vip = 'maybe'" },
               { table: "notes", columns: { body: :redact }, condition: "length(body)" }]
    error = assert_untouched(target) do
      assert_run_fails ScalingoStagingSync::PlanError, source: self.class.archive, target: target.url,
                                                       masking_options: self.class.masking(entries)
    end
    # Each once, though a condition is asked about for every table of a family.
    [/email: :email.*42883, near `no_such_function/, /name: :name.*22P02, near `'…'/, /body: :redact.*42804, near `length/].each do |expected|
      assert_equal 1, error.message.lines.grep(expected).size, error.message
    end
  end

  private

  def loaded(entries, rules = {})
    target = new_database
    outcome = run!(source: self.class.archive, target: target.url, masking_options: self.class.masking(entries, rules))
    assert outcome.report[:verified]
    [target, outcome.report]
  end

  def column(report, table, name)
    columns = report[:tables].find { |one| one[:table] == table }[:columns]
    columns.find { |column| column[:name] == name } or flunk "#{table}.#{name} is not in the report"
  end
end

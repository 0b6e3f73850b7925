# frozen_string_literal: true

require_relative "integration_helper"
require_relative "../../rakelib/generated_docs"

# `columns:` and `keep:` of an entry of `anonymization_tables`, from the configuration to the rows in the target.
class ColumnsTest < IntegrationTest
  CUSTOMERS = <<~SQL
    CREATE TABLE customers (id bigserial PRIMARY KEY, email text UNIQUE NOT NULL, name varchar(60), phone text UNIQUE,
      iban text, card text, born date, seen timestamptz, spent numeric(10,2), address inet, mac macaddr, uuid uuid UNIQUE,
      settings jsonb, note text, password char(60), code varchar(12) UNIQUE, login text UNIQUE, tags text[], old text);
    INSERT INTO customers (email, name, phone, iban, card, born, seen, spent, address, mac, uuid, settings, note, password,
      code, login, tags, old)
    SELECT 'ada' || n || '@example.org', 'Ada Lovelace', '06' || (10000000 + n), 'FR7630006000011234567890189',
      '4111111111111111', '1815-12-10', '2024-02-29 12:00:00+00', 100.50, '192.0.2.17', '00:1b:63:84:45:e6',
      md5(n::text)::uuid, jsonb_build_object('contact', jsonb_build_object('email', 'ada' || n || '@example.org'), 'n', n),
      E'Write to ada' || n || E'@example.org\\tor call 06' || (10000000 + n), repeat('x', 60), 'AB' || n, 'Ada' || n,
      ARRAY['ada' || n || '@example.org', NULL], 'raw'
    FROM generate_series(1, 300) AS n;
    INSERT INTO customers (email, name) VALUES ('boss@ourcompany.com', NULL), ('ADMIN@OURCOMPANY.COM', '');
    CREATE TABLE logs (id serial PRIMARY KEY, at date, email text REFERENCES customers (email));
    INSERT INTO logs (email) SELECT email FROM customers;
  SQL

  COLUMNS = {
    email: :email, name: :name, phone: { mask: :phone, country: "FR" }, iban: :iban, card: :credit_card, born: :birth_date,
    seen: :timestamp, spent: { mask: :number, percent: 20 }, address: :ip, mac: :mac, uuid: :uuid,
    settings: { mask: :json, paths: { "$.contact.email" => :email } }, note: :scrub, password: { mask: :password, cost: 4 },
    code: :token, login: { mask: :template, template: "user-{id}@x.test" }, tags: { mask: :array, of: :email }, old: :null
  }.freeze
  KEEP = { email: ["*@ourcompany.com"] }.freeze

  def self.masked
    @masked ||= begin
      source = Postgres.create_database("customers")
      target = Postgres.create_database("target")
      Minitest.after_run { [source, target].each(&:drop) }
      source.exec(CUSTOMERS)
      dump = File.join(Dir.mktmpdir, "dump")
      entries = [{ table: "customers", columns: COLUMNS, keep: KEEP },
                 { table: "logs", columns: { email: :email }, keep: KEEP }]
      outcome = Engine.run(Engine.settings(source: source.dump(dump), target: target.url,
                                           masking_options: { rules: rules(entries) }))
      raise outcome.error if outcome.error

      [source, target, outcome.report]
    end
  end

  # What the configuration makes of the entries.
  def self.rules(entries)
    config = ScalingoStagingSync::Configuration.new
    config.anonymization_secret = SECRET
    config.anonymization_tables = entries
    ScalingoStagingSync::EngineSettings.new(config).masking["rules"]
  end

  def source = self.class.masked[0]
  def target = self.class.masked[1]
  def report = self.class.masked[2]

  def test_every_column_is_masked_and_every_row_is_there
    assert report[:verified]
    assert_equal "302", target.value("SELECT count(*) FROM customers")
    COLUMNS.each_key do |column|
      raw = source.values("SELECT #{column}::text FROM customers WHERE #{column} IS NOT NULL AND id <= 300")
      kept = raw & target.values("SELECT #{column}::text FROM customers WHERE #{column} IS NOT NULL AND id <= 300")
      assert_empty kept, column
    end
  end

  def test_kept_values_stay_and_are_counted
    assert_equal ["ADMIN@OURCOMPANY.COM", "boss@ourcompany.com"],
                 target.values("SELECT email FROM customers WHERE id > 300 ORDER BY email COLLATE \"C\"")
    email = report[:tables].find { |table| table[:table] == "public.customers" }[:columns].find { |column| column[:name] == "email" }
    assert_equal [300, 2, 0], email.values_at(:masked, :kept, :violations)
  end

  def test_null_stays_null_and_empty_stays_empty
    assert_equal [{ "name" => nil }, { "name" => "" }], target.exec("SELECT name FROM customers WHERE id > 300 ORDER BY id").to_a
  end

  def test_unique_columns_stay_unique_and_the_foreign_key_holds
    %w[email phone uuid code login].each do |column|
      assert_equal "300", target.value("SELECT count(DISTINCT #{column}) FROM customers WHERE id <= 300"), column
    end
    assert_equal "302", target.value("SELECT count(*) FROM logs JOIN customers USING (email)")
  end

  def test_one_address_has_one_pseudonym_wherever_it_stands
    query = "SELECT count(*) FROM customers WHERE id <= 300 AND settings #>> '{contact,email}' = email AND tags[1] = email " \
            "AND note LIKE 'Write to ' || email || E'\\tor call ' || phone AND (settings ->> 'n')::int = id"
    assert_equal "300", target.value(query)
  end

  def test_everything_that_does_not_fit_is_reported_together_and_nothing_is_touched
    database = new_database
    entries = [
      { table: "customers", columns: { emial: :email, name: :nmae, phone: { mask: :phone, contry: "FR" }, uuid: :redact,
                                       spent: :email, code: :shuffle } },
      { table: "customers", columns: { email: :null }, keep: { name: ["x"] } },
      { table: "logs", columns: { email: :token, id: :name } }
    ]
    error = assert_untouched(database) do
      assert_run_fails ScalingoStagingSync::PlanError, source: source.dump(path("dump")), target: database.url,
                                                       masking_options: { rules: self.class.rules(entries) }
    end
    ["Did you mean email?", "Did you mean :name?", "does not take the option \"contry\". Did you mean country?", "under a unique index",
     "public.customers.spent", "held in memory", "is NOT NULL, and the mask :null", "keep names the column name",
     "logs_email_fkey", "public.logs.id"].each { |expected| assert_includes error.message, expected }
  end

  def test_two_entries_for_one_table_combine_and_may_not_mask_the_same_column
    first = { table: "customers", columns: { email: :email, name: :name } }
    error = assert_run_fails ScalingoStagingSync::PlanError, source: source.dump(path("dump")), target: new_database.url,
                                                             masking_options: { rules: self.class.rules([first, { table: "customers", columns: { name: :redact } }]) }
    assert_includes error.message, "both mask the column public.customers.name"
  end

  def test_the_page_of_masks_lists_them_as_they_are
    assert GeneratedDocs.current?("masks"), "run `rake docs`"
  end

  def test_the_list_for_the_terminal_names_every_mask_with_its_options
    text = ScalingoStagingSync::Terminal::MaskList.new.text
    assert_match(/^:phone .*\n {4}country: .*\n {4}\+33 6 12 34 56 78 -> \+33 6 /, text)
  end
end

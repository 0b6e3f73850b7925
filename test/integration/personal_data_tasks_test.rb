# frozen_string_literal: true

require_relative "integration_helper"
require "active_record"
require "json"

# What a team sees of personal data before any run: the rake tasks scan, suggest and coverage, the generator's
# --detect, and Database::PiiScanner, in a Rails app as on Scalingo.
class PersonalDataTasksTest < IntegrationTest
  CONFIGURATION = SOURCE = "config.clone_source_scalingo_app_name = \"shop-production\"\n"

  # A schema with a type of its own, a quoted name, a foreign key and a generated column; it needs no rows.
  SCHEMA = <<~SQL
    CREATE TYPE public.civility AS ENUM ('madame', 'monsieur');
    CREATE TABLE public.schema_migrations (version character varying PRIMARY KEY);
    CREATE TABLE public.patients (
      id bigserial PRIMARY KEY, email character varying(120) NOT NULL UNIQUE, full_name text, birth_date date, civility public.civility,
      name_in_capitals text GENERATED ALWAYS AS (upper(full_name)) STORED, height integer);
    CREATE TABLE public.visits (id uuid PRIMARY KEY, patient_id bigint REFERENCES public.patients (id), "reasonForVisit" text, room integer, tags text[]);
    CREATE TABLE public.products (id bigserial PRIMARY KEY, name text, price numeric(8,2));
  SQL

  def test_scan_lists_the_columns_of_the_newest_backup_and_touches_nothing
    app, staging, fake = new_app
    result = assert_untouched(staging.database) { app.rake("scalingo_staging_sync:scan") }
    assert result.success?, result.output
    assert_match(/^public\.users\.email +email +contact +1\.00 +both +400 of 400 +uncovered$/, result.output)
    assert_match(/^public\.users\.birth_date +birth_date +personal/, result.output)
    assert_includes result.output, "config.anonymization_tables += ["
    assert_empty fake.requests_of(:create_backup)
    assert_nil staging.database.value("SELECT to_regnamespace('scalingo_staging_sync')")
    raw = shop.values("SELECT email FROM users UNION SELECT phone_number FROM phone_numbers").compact
    raw.each { |value| refute_includes result.output, value }
  end

  def test_scan_as_json_is_nothing_but_json_with_what_covers_each_column
    app, = new_app(configuration: "#{SOURCE}config.anonymization_tables = [{ table: 'emails', strategy: :email_anonymization }]\n" \
                                  "config.pii_ignore = { 'comments.*' => 'written by us' }\n")
    found = JSON.parse(app.rake("scalingo_staging_sync:scan", environment: { "FORMAT" => "json" }).output)
    assert_equal 1, found["schema_version"]
    statuses = found["findings"].to_h { |one| ["#{one["table"]}.#{one["column"]}", one.values_at("status", "because")] }
    assert_equal "covered", statuses["public.emails.email"].first
    assert_equal ["ignored", "written by us"], statuses.find { |column, _| column.start_with?("public.comments.") }.last
    assert_equal ["uncovered", nil], statuses["public.users.email"]
    assert_kind_of String, found["rules"]
  end

  def test_scan_looks_into_the_database_where_it_is_asked_to_or_no_backup_is_configured
    app, staging, fake = new_app
    staging.database.exec("CREATE TABLE public.members (id int, col_a text); INSERT INTO public.members SELECT n, 'ada' || n || '@people.example' FROM generate_series(1, 50) AS n;" \
                          "ALTER TABLE public.members OWNER TO #{staging.role}")
    [{ "SCAN" => "database" }, { "SCALINGO_API_TOKEN" => nil }].each do |environment|
      result = app.rake("scalingo_staging_sync:scan", environment:)
      assert result.success?, result.output
      assert_match(/^public\.members\.col_a +email +contact +\d\.\d\d +content +50 of 50 +uncovered$/, result.output)
    end
    assert_empty fake.requests
  end

  def test_what_suggest_prints_covers_everything_when_it_is_pasted
    app, = new_app
    rules = app.rake("scalingo_staging_sync:suggest")
    assert rules.success?, rules.output
    assert_match(/^    email: :email,? # email \(1\.00\), named "email"/, rules.output)
    app.configure(SOURCE + rules.output)
    again = app.rake("scalingo_staging_sync:suggest")
    assert_equal "# #{ScalingoStagingSync::Terminal::FindingsText::ALL_COVERED}", again.output.strip
    app.configure("#{SOURCE}config.pii_policy = :fail\n#{rules.output}")
    assert app.rake("scalingo_staging_sync:run").success?
  end

  def test_coverage_fails_over_a_structure_sql_until_every_column_is_covered_or_ignored
    app, = new_app
    app.write("db/structure.sql", structure)
    result = app.rake("scalingo_staging_sync:coverage")
    assert_equal 1, result.status.exitstatus, result.output
    %w[patients.email patients.full_name patients.birth_date].each { |column| assert_match(/^  public\.#{column}: .*\d\.\d\d/, result.output) }
    refute_match(/products|room|schema_migrations/, result.output)
    app.configure(SOURCE + result.output[/^config\.anonymization_tables.*?^\]$/m])
    assert_equal 0, (result = app.rake("scalingo_staging_sync:coverage")).status.exitstatus, result.output
    app.configure("#{SOURCE}config.pii_ignore = { 'patients.*' => 'invented', 'visits.*' => 'invented' }\n")
    assert_equal 0, (result = app.rake("scalingo_staging_sync:coverage")).status.exitstatus, result.output
    app.write("db/structure.sql", structure.sub("height integer", "height integer, fax text"))
    app.configure("#{SOURCE}config.pii_ignore = { 'patients.*e*' => 'invented', 'patients.civility' => 'invented', 'visits.*' => 'invented' }\n")
    result = app.rake("scalingo_staging_sync:coverage")
    assert_equal 1, result.status.exitstatus
    assert_match(/\A1 column looks personal and has neither a rule nor an entry in config\.pii_ignore:\n  public\.patients\.fax: phone/,
                 result.output)
  end

  def test_coverage_says_the_same_of_a_schema_rb_a_structure_sql_and_the_database
    app, staging, = new_app(configuration: nil)
    staging.database.exec(SCHEMA)
    staging.database.exec("GRANT SELECT ON ALL TABLES IN SCHEMA public TO #{staging.role}")
    app.write("db/structure.sql", structure)
    app.write("db/schema.rb", schema_rb(staging.database))
    found = %w[db/structure.sql db/schema.rb database].to_h do |from|
      coverage = JSON.parse(app.rake("scalingo_staging_sync:coverage[#{from}]", environment: { "FORMAT" => "json" }).output)
      [from, coverage["findings"]]
    end
    assert_includes(found["database"].map { |one| one["column"] }, "email")
    assert_equal found["db/structure.sql"], found["database"]
    assert_equal found["db/structure.sql"], found["db/schema.rb"]
  end

  def test_coverage_refuses_a_schema_that_it_cannot_read_whole
    app, = new_app(configuration: nil)
    dumped = "ActiveRecord::Schema[8.0].define(version: 1) do\n# Could not dump table \"patients\" because of following StandardError\nend\n"
    {
      "db/none.sql" => [nil, /could not be read/], "db/empty.sql" => ["SELECT 1;", /no tables/],
      "db/broken.rb" => ["this is no ruby (", /could not be read/], "db/partly.rb" => [dumped, /could not write into it: patients/]
    }.each do |path, (text, message)|
      app.write(path, text) if text
      result = app.rake("scalingo_staging_sync:coverage[#{path}]")
      assert_equal 1, result.status.exitstatus
      assert_match(/ScalingoStagingSync::ConfigurationError: .*#{message}/, result.output)
    end
  end

  def test_the_tasks_end_in_a_sentence_where_they_cannot_do_what_is_asked
    app, = new_app(configuration: "#{SOURCE}config.run_pii_scan = false\n")
    %w[scan suggest coverage[database]].each do |task|
      result = app.rake("scalingo_staging_sync:#{task}")
      assert_equal 1, result.status.exitstatus
      assert_match(/ConfigurationError: config\.run_pii_scan is false/, result.output)
    end
    app.configure(SOURCE)
    result = app.rake("scalingo_staging_sync:scan", environment: { "SCALINGO_API_TOKEN" => "tk-us-wrong" })
    assert_equal 1, result.status.exitstatus
    assert_match(/AuthenticationError: /, result.output)
    app.configure("#{SOURCE}config.anonymization_tables = [{ table: 'userz', strategy: :user_anonymization }]\n")
    assert_match(/PlanError: .*userz/m, app.rake("scalingo_staging_sync:suggest").output)
  end

  def test_the_generator_writes_the_rules_that_it_detects
    app, staging, = new_app(configuration: nil, generate: false)
    output = app.generate("--detect", environment: { "BACKUP_FILE" => shop_archive })
    assert_includes output, "pii_policy = :mask"
    initializer = app.read("config/initializers/scalingo_staging_sync.rb")
    assert_match(/^  config\.anonymization_tables \+= \[$.*^      email: :email.* # email .*^  \]$/m, initializer)
    assert_match(/^  config\.pii_policy = :mask$/, initializer)
    app.configure("config.pii_policy = :fail\n")
    result = app.rake("scalingo_staging_sync:run", environment: { "BACKUP_FILE" => shop_archive })
    assert result.success?, result.output
    assert_no_person_is_recognizable staging.database
    again = app.generate("--detect", "--force", environment: { "BACKUP_FILE" => shop_archive })
    assert_includes again, "identical"
    assert_equal initializer, app.read("config/initializers/scalingo_staging_sync.rb")
  end

  def test_the_generator_writes_nothing_where_it_cannot_look
    app, = new_app(configuration: nil, generate: false)
    result = app.try_to_generate("--detect", environment: { "BACKUP_FILE" => path("none.tar.gz") })
    refute result.success?
    assert_match(/BACKUP_FILE|none\.tar\.gz/, result.output)
    refute_path_exists "#{app.directory}/config/initializers/scalingo_staging_sync.rb"
  end

  def test_install_token_and_run_give_a_safe_database_with_no_rule_written
    app, staging, = new_app
    result = app.rake("scalingo_staging_sync:run")
    assert result.success?, result.output
    assert_equal SHOP_USERS.to_s, staging.database.value("SELECT count(*) FROM users")
    assert_no_person_is_recognizable staging.database
  end

  def test_the_scanner_returns_the_columns_that_nothing_covers
    database = new_database
    database.exec(SCHEMA)
    with_env("DATABASE_URL" => database.url) do
      ScalingoStagingSync.configuration.anonymization_tables = [{ table: "patients", columns: { email: :email, full_name: :name } }]
      found = ScalingoStagingSync::Database::PiiScanner.new.scan
      columns = found.map { |one| one.values_at(:table, :column) }
      assert_includes columns, ["public.patients", "birth_date"]
      refute_includes columns, ["public.patients", "email"]
      refute_includes columns, ["public.products", "name"]
      birth = found.find { |one| one[:column] == "birth_date" }
      assert_equal %w[birth_date personal uncovered], birth.values_at(:kind, :heading, :status).map(&:to_s)
      assert_equal '{ table: "patients", columns: { birth_date: :birth_date } }', birth[:rule]
      assert_equal found, ScalingoStagingSync::Database::PiiScanner.new(database.url).scan
    end
  end

  def test_the_scanner_evaluates_the_patterns_that_are_documented
    database = new_database
    database.exec("CREATE TABLE public.things (id int, contact_email text, hex text)")
    ScalingoStagingSync.configuration.pii_detection_patterns = { contact: /\b(email|phone)\b/i, medical: /\bhex\b/ }
    found = ScalingoStagingSync::Database::PiiScanner.new(database.url).scan
    assert_equal({ "contact_email" => "contact", "hex" => "medical" }, found.to_h { |one| [one[:column], one[:heading].to_s] })
  end

  private

  # Without the detector's help: no address, number or token of production's is anywhere in the target, and no row has
  # its own person's name. Names by themselves are words, which pseudonyms are, too.
  def assert_no_person_is_recognizable(target)
    raw = shop.values(<<~SQL).compact.uniq
      SELECT email FROM users UNION SELECT email FROM emails UNION SELECT phone_number FROM phone_numbers UNION
      SELECT stripe_customer_id FROM users UNION SELECT google_token FROM users UNION SELECT address_line1 FROM addresses UNION
      SELECT email_md5 FROM users
    SQL
    assert_operator raw.size, :>, 3 * SHOP_USERS
    text = target.canonical_dump
    assert_empty(raw.select { |value| text.include?(value) }.first(5))
    names = shop.exec("SELECT id, first_name, last_name, full_name FROM users")
    here = target.exec("SELECT id, first_name, last_name, full_name, concat_ws(' ', full_name, greeting, billing_extra) AS every FROM users")
                 .to_h { |row| [row["id"], row] }
    known = names.select do |row|
      here[row["id"]]["every"].include?(row["full_name"]) || here[row["id"]].values_at("first_name",
                                                                                       "last_name") == row.values_at("first_name", "last_name")
    end
    assert_empty known
  end

  # What Rails writes to db/structure.sql, which pg_dump makes.
  def structure
    @structure ||= new_database("structure").then do |database|
      database.exec(SCHEMA)
      Postgres.run("pg_dump", "--schema-only", "--no-privileges", "--no-owner", database.url)
    end
  end

  # What Rails writes to db/schema.rb.
  def schema_rb(database)
    ActiveRecord::Base.establish_connection(database.url)
    ActiveRecord::SchemaDumper.dump(ActiveRecord::Base.connection_pool, output = StringIO.new)
    output.string
  ensure
    ActiveRecord::Base.remove_connection
  end
end

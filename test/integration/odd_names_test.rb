# frozen_string_literal: true

require_relative "integration_helper"

# Tables and columns with names that Ruby, SQL or a rule could take for something else: what is suggested for them can be
# pasted as it is, and then covers them.
class OddNamesTest < IntegrationTest
  NAMES = ["a \#{1+1}", 'quo"te', "sing'le", "back\\slash", "dot.ted", "sta*r", "größe 名前", "class", "nil", "Odd", " blank ",
           "line\nbreak"].freeze

  # Tables that each have a column of the table's name.
  TABLES = [*NAMES.map { |name| ["public", name] }, ["sch.ema", "tab le"], ["sch.ema", "dot.ted.too"], ['q"s', "x\#{x}"]].freeze

  WITH_ADDRESSES = lambda do |table, column|
    "CREATE TABLE #{table} (id int PRIMARY KEY, #{column} text); " \
      "INSERT INTO #{table} SELECT n, 'ada' || n || '@people.example' FROM generate_series(1, 50) AS n;"
  end

  WITH_A_LEAK = lambda do |table, column|
    "CREATE TABLE #{table} (id int PRIMARY KEY, #{column} text); INSERT INTO #{table} VALUES (1, 'Dear ada1@people.example, hello');"
  end

  def test_the_rules_that_are_suggested_cover_what_they_were_suggested_for
    database = new_database
    database.exec(schema(WITH_ADDRESSES))
    found = scan(database)
    assert_equal names, found[:findings].map { |finding| finding[:column] }.sort
    ScalingoStagingSync.configuration.anonymization_tables = pasted(found[:rules]).anonymization_tables
    found = scan(database)
    assert_nil found[:rules]
    assert_equal(TABLES.size.times.map { "covered" }, found[:findings].map { |finding| finding[:status].to_s })
  end

  def test_a_run_that_fails_for_want_of_rules_succeeds_with_those_that_it_names
    archive = archive_of(schema(WITH_ADDRESSES))
    refused = assert_run_fails ScalingoStagingSync::PersonalDataError, **settings(archive, new_database, [])
    target = new_database
    run!(**settings(archive, target, rules(pasted(refused.remedy[/^config\.anonymization_tables.*/m]))))
    TABLES.each do |place|
      table = quoted(*place)
      assert_equal %w[50 0], target.values("SELECT count(*) FROM #{table} UNION ALL " \
                                           "SELECT count(*) FROM #{table} AS t WHERE t::text LIKE '%people.example%'"), table
    end
  end

  def test_the_entry_that_is_suggested_for_a_leak_closes_it
    archive = archive_of(WITH_ADDRESSES.call("people", "mail") + schema(WITH_A_LEAK))
    rules = [{ "table" => "people", "columns" => { "mail" => "email" } }]
    leaks = run!(**checked(archive, new_database, rules)).report[:leaks]
    assert_equal names, leaks.map { |leak| leak[:column] }.sort
    config = pasted("config.anonymization_tables += [#{leaks.map { |leak| leak[:entry] }.join(", ")}]")
    assert_empty run!(**checked(archive, new_database, rules + rules(config))).report[:leaks]
  end

  def test_a_name_that_is_suggested_for_a_table_is_taken_as_it_is
    archive = archive_of('CREATE TABLE "we.ird" (id bigint PRIMARY KEY); CREATE TABLE "quo""te" (id bigint PRIMARY KEY)')
    { "weird" => 'public."we.ird"', "we.ird" => 'public."we.ird"', "quote" => 'public."quo""te"' }.each do |typed, written|
      error = assert_run_fails ScalingoStagingSync::PlanError, source: archive, target: new_database.url, options: { keep_tables: [typed] }
      assert_includes error.message, "Did you mean '#{written}'?"
      run!(source: archive, target: new_database.url, options: { keep_tables: [written] })
    end
  end

  private

  def names = TABLES.map(&:last).sort

  def quoted(*names) = names.map { |name| %("#{name.gsub('"', '""')}") }.join(".")

  def schema(table)
    schemas = TABLES.map(&:first).uniq - ["public"]
    [*schemas.map { |name| "CREATE SCHEMA #{quoted(name)};" }, *TABLES.map { |place| table.call(quoted(*place), quoted(place.last)) }].join("\n")
  end

  def archive_of(sql)
    new_database("odd").then do |source|
      source.exec(sql)
      source.dump(path("odd.dump"))
    end
  end

  def scan(database) = ScalingoStagingSync::PersonalData::ColumnScanner.new(database.url).found_in_database

  # A configuration into which this was pasted.
  def pasted(ruby)
    ScalingoStagingSync::Configuration.new.tap do |config|
      eval(ruby, binding, __FILE__, __LINE__)
      assert_empty config.problems
    end
  end

  def rules(config) = ScalingoStagingSync::EngineSettings.new(config).rules.fetch("rules")

  def settings(archive, target, rules)
    { source: archive, target: target.url, masking_options: { rules:, allow_unmasked_copy: true },
      options: { "pii" => { "scan" => true, "policy" => "fail", "sample_rows" => 1000 } } }
  end

  def checked(archive, target, rules)
    { source: archive, target: target.url, masking_options: { rules:, fail_on_verification_error: false },
      options: { "leak_check" => { "enabled" => true } } }
  end
end

# frozen_string_literal: true

require_relative "integration_helper"

# What a fault of a part suggests is pasted, and the run that follows takes it.
class SubsetRemediesTest < IntegrationTest
  PRODUCTION = <<~SQL
    CREATE TYPE pair AS (a int, b int);
    CREATE TABLE users (id bigint PRIMARY KEY, email text, pair pair);
    CREATE TABLE "Odd Name" (id bigint PRIMARY KEY, "Key" bigint);
    CREATE TABLE logs (line text);
    CREATE TABLE actions (user_id bigint, name text, PRIMARY KEY (user_id, name));
    CREATE TABLE audit (id bigint PRIMARY KEY, user_id bigint, name text);
    CREATE TABLE organisations (id bigint PRIMARY KEY);
    CREATE TABLE members (id bigint PRIMARY KEY, organisation_id bigint REFERENCES organisations, lead_id bigint REFERENCES members, subject_type text, subject_id bigint);
    INSERT INTO organisations SELECT n FROM generate_series(1, 9) n;
    INSERT INTO members SELECT n, n, 10 - n, 'User', n FROM generate_series(1, 9) n;
    INSERT INTO users SELECT n, CASE WHEN n > 5 THEN 'user' || n || '@real.example' END, (n, 1)::pair FROM generate_series(1, 9) n;
    INSERT INTO "Odd Name" SELECT n, n FROM generate_series(1, 9) n;
    INSERT INTO logs SELECT 'line ' || n FROM generate_series(1, 9) n;
    INSERT INTO actions SELECT n, 'made' FROM generate_series(1, 9) n;
    INSERT INTO audit SELECT n, n, 'made' FROM generate_series(1, 9) n;
  SQL

  def archive = Shared.archive_of(:remedies_archive, PRODUCTION)

  # Ruby as a message has it, as it is read in an initializer.
  def pasted(source)
    eval("{ #{source.gsub(/ in config\.\w+/, "")} }", binding, __FILE__, __LINE__) # { "logs" => :all }
  end

  def part(subset: {}, limits: {}, references: {})
    config = ScalingoStagingSync::Configuration.new
    config.subset = subset
    config.limits = limits
    config.subset_references = references
    { subset: ScalingoStagingSync::EngineSettings::Part.new(config).to_h }
  end

  def fault_of(**) = assert_run_fails(ScalingoStagingSync::PlanError, source: archive, target: new_database.url, options: part(**)).message

  def counts(*tables, **)
    target = new_database
    run!(source: archive, target: target.url, options: part(**))
    tables.map { |table| target.value("SELECT count(*) FROM #{table}").to_i }
  end

  def kept(where)
    target = new_database
    run!(source: archive, target: target.url, options: part(subset: { "users" => { where: } }))
    target.values("SELECT id FROM users ORDER BY id").join(" ")
  end

  # The entry for one table beside a pattern.
  OWN = /an entry of its own beside the pattern, such as (.*?), or name fewer tables/

  def test_the_table_that_a_pattern_does_not_fit_takes_the_entry_that_is_suggested
    { subset: { last: 4 }, limits: { max_rows: 4, direction: "asc" } }.each do |option, rule|
      own = fault_of(option => { "*" => rule })[OWN, 1]
      assert_equal [4, 4], counts("users", "logs", option => { "*" => rule, **pasted(own) }), own
    end
    rule = { where: "id = 1" }
    said = fault_of(subset: { "*" => rule })
    owns = said.scan(OWN).flatten
    assert_equal ['"logs" => :all in config.subset', '"actions" => :all in config.subset'].sort, owns.sort, said
    assert_equal [1, 9, 1], counts("users", "logs", '"Odd Name"', subset: { "*" => rule, **pasted(owns.join(", ")) })
  end

  def test_a_column_with_capitals_is_written_as_it_is_suggested
    said = fault_of(subset: { "Odd Name" => { where: "Key < 4" } })
    assert_match(/"public\.Odd Name" has no column key, but "Key"\./, said)
    assert_equal [3], counts('"Odd Name"', subset: { "Odd Name" => pasted(said[/(where: '.*?')\./, 1]) })
  end

  def test_a_text_in_double_quotes_is_not_repeated_and_stands_in_single_ones
    said = fault_of(subset: { "users" => { where: 'email = "user7@real.example"' } })
    assert_match(/something in double quotes that is no column of public\.users\. SQL has names in double quotes, and texts in single ones/, said)
    refute_includes said, "user7"
    assert_equal "7", kept("email = 'user7@real.example'")
  end

  def test_a_whole_row_is_named_by_its_columns
    suggested = fault_of(subset: { "users" => { where: "users.* IS NOT NULL" } })[/such as (ROW\(.*?\))/, 1]
    assert_equal "6 7 8 9", kept("#{suggested} IS NOT NULL")
  end

  def test_conditions_that_postgresql_takes_are_taken
    { "id BETWEEN SYMMETRIC 3 AND 1" => "1 2 3", "email ISNULL AND id > 3" => "4 5", "email NOTNULL AND (pair).a < 8" => "6 7" }
      .each { |where, ids| assert_equal ids, kept(where), where }
  end

  def test_a_reference_is_declared_as_it_is_suggested
    cut = { "users" => { where: "id < 4" } }
    assert_equal [3], counts("audit", subset: cut, references: { "audit.user_id" => "users.id" })
    said = fault_of(subset: cut, references: { "audit.user_id" => "actions" })
    entry = said[/with commas between them, such as (".*?")\./, 1]
    assert_equal '"audit.user_id,name"', entry
    two = { "audit.user_id,name" => "actions", "actions.user_id" => "users" }
    assert_equal [3, 3], counts("actions", "audit", subset: cut, references: two)
    assert_equal [3], counts("audit", subset: cut, references: { **two, "audit.user_id,name" => "actions.user_id,name" })
  end

  BESIDE = /Give it an entry of its own beside the patterns, such as (.*?) in config\.subset(.*?), or keep/

  def test_two_patterns_for_one_table_take_its_own_entry_which_is_the_rule_of_the_first
    given = { "u*" => { where: "id < 4" }, "*ers" => { where: "id < 6" } }
    said = fault_of(subset: given)
    own = said.scan(BESIDE).map(&:first).find { |one| one.include?("users") }
    assert_equal '"users" => { where: "id < 4" }', own
    assert_equal [3], counts("users", subset: { "u*" => given["u*"], "*sers" => given["*ers"], **pasted(own), "logs" => { last: 1, by: :line } })
    texts = fault_of(subset: { "u*" => { where: "email = 'Marie'" }, "*sers" => { where: "id < 6" } })
    assert_includes texts, '"users" => { where: "…" } in config.subset, with the condition of "u*" for the dots, or keep one of them'
    refute_includes texts, "Marie"
  end

  def test_an_entry_beside_patterns_of_both_options_has_all_of_the_rule
    given = { subset: { "mem*" => { first: 4, on_missing: { lead_id: :nullify }, allow_empty: true } }, limits: { "*ers" => { max_rows: 6, order_by: "id" } } }
    own = fault_of(**given)[BESIDE, 1]
    assert_equal '"members" => { first: 4, by: "id", on_missing: { "lead_id" => :nullify }, allow_empty: true }', own
    assert_equal [4, 6], counts("members", "users", **given, subset: { **given[:subset], **pasted(own) })
  end

  def test_a_condition_on_another_table_is_a_rule_of_that_one
    said = fault_of(subset: { "members" => { where: "organisations.id = 3" } })
    own = said[/Give the other table the rule, (.*?): rows follow/, 1]
    assert_equal '"organisations" => { where: "id = 3" }', own, said
    assert_equal [1, 1], counts("organisations", "members", subset: { **pasted(own), "members" => { on_missing: { lead_id: :nullify } } })
    assert_match(/begins with the word WHERE\. Leave out WHERE\./, fault_of(subset: { "members" => { where: "WHERE id < 5" } }))
  end

  def test_a_column_of_types_takes_the_types_that_are_suggested
    given = { subset: { "users" => { where: "id < 4" }, "members" => { on_missing: { lead_id: :nullify } } } }
    said = fault_of(**given, references: { "members.subject_id" => { "subject_type" => "users" } })
    to = said[/write what stands in it, too, such as \{ (.*?) \}\./, 1]
    assert_equal '"subject_type" => { "User" => "users" }', to, said
    assert_equal [3], counts("members", **given, references: { "members.subject_id" => pasted(to) })
  end
end

# frozen_string_literal: true

require_relative "integration_helper"

# Tables that refer to one another take all their rows along. What is suggested then is pasted, and rows come.
class SubsetCyclesTest < IntegrationTest
  # Each row needs one that needs the next user.
  CIRCLE = <<~SQL
    CREATE TABLE plans (id bigint PRIMARY KEY, "Author" bigint);
    CREATE TABLE organisations (id bigint PRIMARY KEY, owner_id bigint, plan_id bigint REFERENCES plans);
    CREATE TABLE users (id bigint PRIMARY KEY, organisation_id bigint NOT NULL REFERENCES organisations);
    INSERT INTO plans SELECT n, n % 20 + 1 FROM generate_series(1, 20) n;
    INSERT INTO organisations SELECT n, n % 20 + 1, n FROM generate_series(1, 20) n;
    INSERT INTO users SELECT n, n FROM generate_series(1, 20) n;
  SQL

  OWNED = "#{CIRCLE} ALTER TABLE organisations ADD FOREIGN KEY (owner_id) REFERENCES users;".freeze

  # The way back to the users is longer, and only its last step may become NULL.
  PLANNED = <<~SQL.freeze
    #{CIRCLE} ALTER TABLE organisations ALTER plan_id SET NOT NULL;
    ALTER TABLE plans ADD FOREIGN KEY ("Author") REFERENCES users;
  SQL

  # Every reference has to stay.
  TIED = "#{OWNED} ALTER TABLE organisations ALTER owner_id SET NOT NULL;".freeze

  CUT = { "users" => { where: "id < 5" } }.freeze

  def archive_of(sql) = Shared.archive_of(:"cycles_#{sql.hash.abs}", sql)

  def part(subset, limits = {})
    config = ScalingoStagingSync::Configuration.new
    config.subset = subset
    config.limits = limits
    { subset: ScalingoStagingSync::EngineSettings::Part.new(config).to_h }
  end

  def refused(sql, ...) = assert_run_fails(ScalingoStagingSync::PlanError, source: archive_of(sql), target: new_database.url, options: part(...)).message

  def users(sql, ...)
    target = new_database
    run!(source: archive_of(sql), target: target.url, options: part(...))
    target.values("SELECT id FROM users ORDER BY 1").join(" ")
  end

  # Ruby as a message has it, as it is read in an initializer.
  def pasted(source)
    eval("{ #{source} }", binding, __FILE__, __LINE__) # { "users" => { on_missing: :nullify } }
  end

  def test_the_reference_of_another_table_that_may_become_null_is_suggested_with_the_way_to_it
    said = refused(OWNED, CUT)
    assert_match(/every row of public\.users that its rule keeps refers to one that does not come, of public\.organisations \(users\.organisation_id\)/, said)
    assert_match(/; rows of public\.organisations go with those that they refer to, of public\.users \(organisations\.owner_id\)\./, said)
    entry = said[/In config\.subset: (.*?)\. Or put allow_empty/, 1]
    assert_equal '"organisations" => { on_missing: { "owner_id" => :nullify } }', entry
    assert_equal "1 2 3 4", users(OWNED, { **CUT, **pasted(entry) })
  end

  def test_the_way_leads_through_as_many_tables_as_there_are
    said = refused(PLANNED, CUT)
    assert_match(/rows of public\.organisations go with .*public\.plans \(organisations\.plan_id\); rows of public\.plans go with .*public\.users/, said)
    entry = said[/In config\.subset: (.*?)\. Or put allow_empty/, 1]
    assert_equal '"plans" => { on_missing: { "Author" => :nullify } }', entry
    assert_equal "1 2 3 4", users(PLANNED, { **CUT, **pasted(entry) })
  end

  def test_what_a_table_has_a_rule_for_takes_it_beside_that
    limits = { "organisations" => { max_rows: 15, direction: "asc" } }
    beside = refused(OWNED, CUT, limits)[/In config\.subset: (on_missing: .*?) beside what stands there for "organisations"/, 1]
    assert_equal 'on_missing: { "owner_id" => :nullify }', beside
    assert_equal "1 2 3 4", users(OWNED, { **CUT, "organisations" => pasted(beside) }, limits)
  end

  def test_where_none_may_become_null_rows_that_are_referred_to_have_to_be_kept
    assert_match(/Let the rules keep rows of public\.organisations that others refer to/, refused(TIED, CUT))
  end
end

# frozen_string_literal: true

require "test_helper"

class ConfigurationListsTest < Minitest::Test
  Configuration = ScalingoStagingSync::Configuration

  def setup
    @config = Configuration.new
  end

  def test_adding_to_a_list_changes_no_default
    @config.exclude_tables += ["sessions"]
    @config.production_hostname_patterns += [/live/]
    assert_equal ["sessions"], @config.exclude_tables
    assert_empty Configuration.new.exclude_tables
    assert_equal [/prod/i, /production/i], Configuration.new.production_hostname_patterns
  end

  def test_later_changes_to_a_given_list_or_string_do_not_reach_the_configuration
    list = [+"sessions"]
    @config.exclude_tables = list
    list.first << "x"
    list << "other"
    assert_equal ["sessions"], @config.exclude_tables
  end

  def test_lists_and_hashes_can_be_added_to_in_every_way
    deliberately_mistyped
    config = configured do |c|
      c.exclude_tables << "sessions" << :audit_logs
      c.exclude_tables.concat(["carts"])
      c.exclude_tables += ["logs"]
      c.production_hostname_patterns << /live/
      c.anonymization_tables << { "table" => "users", "strategy" => "user_anonymization" }
      c.anonymization_tables.push({ table: "notes", columns: { body: :text } })
      c.anonymization_tables.last[:columns][:title] = :text
      c.anonymization_rules["orders"] = { note: "NULL" }
      c.anonymization_rules["orders"]["email"] = "NULL"
      c.pii_ignore["products.name"] = "goods"
      c.pii_detection_patterns = { identity: /ssn/ }
      c.pii_detection_patterns[:legal] = /case/
      c.pii_detection_patterns.merge!(medical: /diagnosis/)
    end
    assert_empty config.problems
    assert_equal %w[sessions audit_logs carts logs], config.exclude_tables
    assert_equal [/prod/i, /production/i, /live/], config.production_hostname_patterns
    assert_equal [{ table: "users", strategy: "user_anonymization" }, { table: "notes", columns: { body: :text, title: :text } }],
                 config.anonymization_tables
    assert_equal({ "orders" => { "note" => "NULL", "email" => "NULL" } }, config.anonymization_rules)
    assert_equal({ "products.name" => "goods" }, config.pii_ignore)
    assert_equal %i[identity legal medical], config.pii_detection_patterns.keys
    assert config.set?(:pii_ignore)
    assert_empty Configuration.new.exclude_tables
    assert_empty Configuration.new.anonymization_rules
  end

  def test_what_is_added_is_checked_as_if_it_had_been_set
    deliberately_mistyped
    config = configured do |c|
      c.exclude_tables << 7
      c.anonymization_tables << { table: "users", stratgy: :x }
    end
    assert_equal 2, config.problems.size
    assert_includes config.problems.join, "7 (Integer) was added to config.exclude_tables, which takes an Array of Strings."
    assert_includes config.problems.join, "did you mean :strategy"
    assert_empty config.exclude_tables
    @config.exclude_tables << 7
    assert_raises(ArgumentError) { @config.exclude_tables }
    assert_empty @config.exclude_tables
  end

  def test_of_what_is_added_only_the_wrong_part_is_quoted_with_the_line_that_added_it
    deliberately_mistyped
    lines = []
    config = configured do |c|
      c.exclude_tables << "sessions"
      c.exclude_tables += 8
      lines << (__LINE__ - 1)
      c.exclude_tables << 7
      lines << (__LINE__ - 1)
      c.anonymization_tables << { table: "users", strategy: :user_anonymization }
      c.anonymization_tables.concat([{ table: "notes" }])
      lines << (__LINE__ - 1)
      c.anonymization_rules = { "orders" => { "note" => "NULL" }, "bills" => { "note" => "NULL" } }
      c.anonymization_rules["orders"]["sum"] = 5
      lines << (__LINE__ - 1)
      c.pii_ignore.merge!("products.*" => "")
      lines << (__LINE__ - 1)
    end
    here = "test/unit/configuration/lists_test.rb"
    assert_equal [
      "#{here}:#{lines[0]}: config.exclude_tables was given 8 (Integer) among others; it takes an Array of Strings.",
      "#{here}:#{lines[1]}: 7 (Integer) was added to config.exclude_tables, which takes an Array of Strings."
    ], config.problems.grep(/exclude_tables/)
    notes, = config.problems.grep(/anonymization_tables/)
    assert_match(/\A#{here}:#{lines[2]}: config\.anonymization_tables: Entry 2 \(table notes\): it has none of/, notes)
    refute_includes notes, "users"
    assert_match(/\A#{here}:#{lines[3]}: \{.*5\}\} was added to config.anonymization_rules, which takes/, config.problems.grep(/_rules/).first)
    assert_match(/\A#{here}:#{lines[4]}: \{.*\} was added to config.pii_ignore, which takes/, config.problems.grep(/pii_ignore/).first)
  end

  def test_each_wrong_part_that_is_added_has_its_own_line
    deliberately_mistyped
    lines = []
    config = configured do |c|
      c.exclude_tables << 7
      lines << (__LINE__ - 1)
      c.exclude_tables.push("carts", nil)
      lines << (__LINE__ - 1)
      c.production_hostname_patterns << "live"
      lines << (__LINE__ - 1)
    end
    assert_equal lines, config.problems.map { |problem| problem[/:(\d+):/, 1].to_i }
    assert_equal [/prod/i, /production/i], config.production_hostname_patterns
  end

  def test_what_is_added_after_a_wrong_value_does_not_hide_it
    deliberately_mistyped
    config = configured do |c|
      c.exclude_tables = "sessions carts".split.push(7)
      c.exclude_tables << "visits"
    end
    assert_equal 1, config.problems.size
    assert_includes config.problems.first, "was given 7 (Integer) among others"
  end

  def test_a_list_that_the_app_has_got_can_be_copied_by_marshal
    @config.exclude_tables << "carts"
    copy = Marshal.load(Marshal.dump(@config.exclude_tables))
    assert_equal ["carts"], copy
    copy << "sessions"
    assert_equal %w[carts sessions], copy
  end

  def test_adding_outside_of_configure_counts_too
    @config.exclude_tables << "sessions"
    assert @config.set?(:exclude_tables)
    assert_equal ["sessions"], @config.exclude_tables
  end

  def test_an_option_that_is_nil_until_it_is_set_can_be_added_to
    config = ScalingoStagingSync.configure do |c|
      c.allowed_environments << "staging"
      c.pii_detection_patterns[:own] = /badge/
      c.pii_detection_patterns << { medical: /ward/ }
    end
    assert_equal ["staging"], config.allowed_environments
    assert_equal [/badge/, /ward/], config.pii_detection_patterns.values_at(:own, :medical)
    assert_match config.pii_detection_patterns.fetch(:contact), "email"
  end

  def test_what_is_no_hash_and_added_to_one_is_a_mistake_and_no_exception
    deliberately_mistyped
    ScalingoStagingSync.configuration.logger = Logger.new(File::NULL)
    config = ScalingoStagingSync.configure { |c| c.pii_ignore << "products.name" }
    assert_match(/=> ?nil\} was added to config\.pii_ignore, which takes a Hash/, config.problems.join)
    assert_equal({}, config.pii_ignore)
  end
end

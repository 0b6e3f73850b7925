# frozen_string_literal: true

require "test_helper"

# What else is wrong with a configuration of which a part cannot be read.
class ForeseenTest < Minitest::Test
  Configuration = ScalingoStagingSync::Configuration

  # Answers a dry run and keeps what it was asked with.
  class Planner < FakeNative
    attr_reader :asked

    def initialize(answer)
      super()
      @answer = answer
    end

    def plan(settings)
      @asked = settings
      super.merge(problems: @answer.call(settings["faults"]))
    end
  end

  # It is known by a field, not by its words, and other problems may stand before it.
  LIST = lambda do |faults|
    [{ error: "PrivilegeError", what: "Beside it: #{faults.first}", remedy: "Grant it.", faults: [] },
     { error: "ConfigurationError", what: "Wrong in 2 places:\n- all of it\n- more\n", remedy: "Correct this.", faults: [*faults, "more"] }]
  end

  def configured(&)
    config = staging_config
    config.keeping_problems(&)
    config
  end

  def error(config, planner = Planner.new(LIST)) = ScalingoStagingSync::Services::Foreseen.new(config:, native: planner).error

  def test_what_can_be_read_of_a_part_is_planned_and_what_cannot_goes_with_it
    deliberately_mistyped
    config = configured do |one|
      one.subset = { "users" => { where: "id = 1", lst: 5 }, orders: { first: 3, by: :id }, "carts" => :al, "pages" => :all, 5 => :all }
      one.limits = { "visits" => { order_by: "id" }, "events" => { max_rows: 0, direction: "asc" } }
      one.keep_tables << "admins" << 5
      one.subset_references = { "a.b" => "users", "users" => "a" }
    end
    planner = Planner.new(LIST)
    found = error(config, planner)
    assert_instance_of ScalingoStagingSync::ConfigurationError, found
    assert_equal "Wrong in 2 places:\n- all of it\n- more\nCorrect this. Nothing was touched.", found.message
    assert_equal config.problems, planner.asked["faults"]
    assert_equal ["admins"], planner.asked["keep_tables"]
    rules = planner.asked["subset"]["tables"].to_h { |rule| [rule["table"], rule.values_at("where", "rows", "keep", "order_by")] }
    assert_equal({ "users" => ["id = 1", nil, nil, []], "orders" => [nil, 3, nil, ["id"]], "carts" => [nil, nil, "all", nil], "pages" => [nil, nil, "all", nil],
                   "visits" => [nil, 1, nil, ["id"]], "events" => [nil, 1, nil, []] }, rules)
    assert_includes planner.asked["subset"]["references"].map { |one| one["table"] }, "a"
  end

  # The primary key would order the rows then, and the table may have none.
  def test_without_the_order_that_was_meant_no_other_is_planned
    deliberately_mistyped
    config = configured do |one|
      one.subset = { "logs" => { last: 5, by: 7, where: "true" }, "pages" => { first: 3, by: ["id", nil] } }
      one.limits = { "visits" => { max_rows: 5, order_by: 7 } }
    end
    planner = Planner.new(LIST)
    error(config, planner)
    rules = planner.asked["subset"]["tables"].map { |rule| rule.values_at("table", "where", "rows", "order_by") }
    assert_equal [["logs", "true", nil, []], ["pages", nil, 3, ["id"]], ["visits", nil, nil, []]], rules
  end

  def test_a_number_of_rows_that_cannot_be_read_hides_neither_the_order_nor_another_rule_of_the_table
    deliberately_mistyped
    config = configured do |one|
      one.subset = { "logs" => { last: 0, by: "at" }, "pages" => { by: "at" }, "users" => :sometimes, "notes" => "id > 5", "tags" => { lst: 5 } }
      one.limits = { "visits" => { max_rows: "x", order_by: "at" }, "users" => { order: "at" }, "bills" => :none }
    end
    planner = Planner.new(LIST)
    error(config, planner)
    rules = planner.asked["subset"]["tables"].map { |rule| rule.values_at("table", "keep", "rows", "order_by") }
    assert_equal [["logs", nil, 1, ["at"]], ["pages", nil, 1, ["at"]], ["users", "all", nil, nil], ["notes", nil, nil, []], ["tags", nil, nil, []],
                  ["visits", nil, 1, ["at"]], ["users", nil, 1, []], ["bills", nil, nil, []]], rules
  end

  def test_what_on_missing_and_a_reference_name_is_looked_for_whatever_else_is_wrong_with_them
    deliberately_mistyped
    config = configured do |one|
      one.subset = { "orders" => { on_missing: { user_id: :nulify, "editor_id" => :nullify, 5 => :nullify } } }
      one.subset_references = { "orders.user_id" => 5, "users" => "towns", "a.b_id" => { "b_type" => { "One" => 1, "Two" => "twos" } }, "c.d" => "e" }
    end
    planner = Planner.new(LIST)
    error(config, planner)
    assert_equal [%w[user_id editor_id]], planner.asked["subset"]["tables"].map { |rule| rule["nullify"] }
    references = planner.asked["subset"]["references"].map { |one| one.values_at("table", "columns", "references", "type_column", "unread") }
    assert_equal [["orders", ["user_id"], "", nil, true], ["", [], "towns", nil, true], ["a", ["b_id"], "twos", "b_type", true], ["c", ["d"], "e", nil, nil]], references
  end

  def test_a_wrong_type_of_any_option_of_the_part_hides_nothing_else
    deliberately_mistyped
    { reset_counters: "perhaps", include_tables: "users", exclude_tables: 5, subset: "all", limits: 5, subset_references: { "a.b" => "u", "a.b": "v" } }.each do |name, value|
      config = configured do |one|
        one.keep_tables = ["nothere"]
        one.public_send(:"#{name}=", value)
      end
      planner = Planner.new(LIST)
      assert_match(/Wrong in 2 places/, error(config, planner)&.message, name)
      assert_equal [config.problems, ["nothere"]], planner.asked.values_at("faults", "keep_tables"), name
      config.public_send(:"#{name}=", nil)
    end
  end

  def test_nothing_is_asked_where_another_setting_is_wrong_too_or_all_are_right
    deliberately_mistyped
    wrong = ->(one) { one.subset = { "users" => { lst: 5 } } }
    assert_nil error(configured { |one| one.tap(&wrong).anonymization_tables = 5 })
    assert_nil error(configured { |one| one.subset = { "users" => :all } })
    config = configured(&wrong)
    config.subset = { "users" => :all }
    assert_nil config.sound_part
    assert_empty config.problems
  end

  def test_what_is_known_is_enough_where_no_plan_can_be_made
    deliberately_mistyped
    config = configured { |one| one.limits = { "users" => 5 } }
    assert_nil error(config, Planner.new(->(_) { raise ScalingoStagingSync::NativeLibraryError }))
    assert_nil error(config, Planner.new(->(_) { [{ error: "ApiError", what: "No backup.", remedy: "Wait.", faults: [] }] }))
  end

  # The whole list is raised only where nothing else is wrong, and a run is refused with it.
  def test_a_run_is_refused_with_the_whole_list
    deliberately_mistyped
    config = configured { |one| one.include_tables = ["users", 5] }
    preflight = ScalingoStagingSync::Guard::Preflight.new(config:)
    asked = 0
    whole = assert_raises(ScalingoStagingSync::ConfigurationError) do
      preflight.check!(source: false, target: false) { (asked += 1) && error(config) }
    end
    assert_match(/Wrong in 2 places/, whole.message)
    config.seeds_file_path = "/nowhere/seeds.rb"
    assert_raises(ScalingoStagingSync::ConfigurationError) { preflight.check!(source: false, target: false) { asked += 1 } }
    assert_equal 1, asked
  end
end

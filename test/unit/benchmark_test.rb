# frozen_string_literal: true

require "test_helper"
require "json"
require "open3"
require_relative "../../bench/measure"
require_relative "../../bench/peer_contestants"
require_relative "../../bench/rounds"
require_relative "../../bench/table"

# bench/run goes on without a contestant that fails, says so, and says what a missed goal means on this machine.
class BenchmarkTest < Minitest::Test
  Contestant = Struct.new(:name)
  Scene = Struct.new(:rails_start, :rails_cpu, :rails_memory)
  GOALS = Goals.new(ratios: { "C/A" => 0.31, "C/B" => 0.70 }, cpu_ratios: {}, memory: 56_000_000, masking_peer: 0.5, plain_peer: 1.0)
  GEM = "C  scalingo-staging-sync"
  COPIER = "P  copier 1.0 (nothing masked)"
  MASKER = "P  masker 2.0"

  def test_a_contestant_that_fails_is_left_out_and_the_others_are_measured
    said = []
    rounds = Rounds.new([Contestant.new("one"), Contestant.new("two")], 3, say: ->(line) { said << line })
    rounds.run { |contestant, round| (contestant.name == "one" && round == 1) ? raise("no pg_dump") : round }
    assert_equal({ "two" => [0, 1, 2] }, rounds.costs)
    assert_equal({ "one" => "no pg_dump" }, rounds.failures)
    assert_equal 1, said.grep(/left out: one: no pg_dump/).size
    assert_equal 2, said.grep(/\Around \d: one/).size
  end

  def test_the_report_names_what_was_left_out
    report = table({ "A  all" => 10, "B  plain" => 8, GEM => 3, "D  floor" => 2 }, failures: { COPIER => "no pg_dump" })
    assert_includes report.to_s, "left out: #{COPIER}: no pg_dump"
    assert_predicate report, :complete?
  end

  def test_a_goal_of_a_contestant_that_failed_is_missed
    report = table({ "A  all" => 10, GEM => 3, "D  floor" => 2 }, failures: { "B  plain" => "no room" })
    refute_predicate report, :complete?
    output, = capture_io { refute_predicate report, :goals_met? }
    assert_includes output, "missed: C/B could not be measured"
    refute_includes output, "C/A"
  end

  def test_without_the_gem_every_goal_is_missed
    output, = capture_io { refute_predicate table({ "A  all" => 10 }, failures: { GEM => "killed" }), :goals_met? }
    assert_includes output, "missed: the gem could not be measured"
  end

  def test_beside_a_missed_ratio_stands_what_the_floor_allows
    lines = table({ "A  all" => 10, "B  plain" => 5, GEM => 4, "D  floor" => 3 }).to_s.lines
    assert_match(%r{0\.40.*goal 0\.31, missed; .*D/A, is 0\.30: the goal asks for 1\.03 of that$}, lines.grep(%r{\AC/A}).first)
    assert_match(%r{0\.80.*goal 0\.70, missed; .*D/B, is 0\.60: the goal asks for 1\.17 of that$}, lines.grep(%r{\AC/B}).first)
  end

  def test_a_ratio_that_meets_its_goal_needs_no_excuse
    line = table({ "A  all" => 10, GEM => 3, "D  floor" => 4 }).to_s.lines.grep(%r{\AC/A}).first
    assert_match(/0\.30.*goal 0\.31$/, line)
  end

  def test_others_tools_are_compared_with_and_without_the_making_of_the_archive
    costs = { GEM => 4, COPIER => 5, MASKER => 16, Contestants::PgDump::NAME => 2 }
    report = table(costs, peers: { COPIER => false, MASKER => true })
    assert_equal({ COPIER => 0.8, MASKER => 0.25 }, report.peer_ratios)
    assert_equal({ COPIER => 1.2, MASKER => 0.375 }, report.peer_ratios_with_dump)
    assert_match(%r{^C/copier 1\.0 \(nothing masked\) 0\.80   with pg_dump 1\.20   goal 1\.00$}, report.to_s)
    assert_match(%r{^C/masker 2\.0 0\.25   with pg_dump 0\.38   goal 0\.50$}, report.to_s)
  end

  def test_others_tools_that_mask_have_to_be_half_as_fast_and_those_that_do_not_no_faster
    report = table({ "A  all" => 40, "B  plain" => 20, GEM => 10, COPIER => 9, MASKER => 19 }, peers: { COPIER => false, MASKER => true })
    output, = capture_io { refute_predicate report, :goals_met? }
    assert_equal ["missed: C/copier 1.0 (nothing masked) is 1.11, over 1.00", "missed: C/masker 2.0 is 0.53, over 0.50"], output.lines.map(&:chomp)
  end

  def test_others_tools_are_set_up_to_mask_every_column_that_the_updates_mask
    database = Struct.new(:url, :name).new("postgres://postgres@127.0.0.1:1/shop", "shop")
    setting = Contestants::Setting.new(connections: 4)
    with_env("TEST_PG_BINDIR" => "/usr/bin") do
      greenmask = Dir.mktmpdir { |folder| Contestants::Greenmask.new(setting, database).configuration(folder, database) }
      masked = greenmask.dig("dump", "transformation").to_h { |table| [table["name"], table["transformers"].map { |step| step.dig("params", "column") }] }
      assert_equal Masking::COLUMNS.transform_values(&:sort), masked.transform_values(&:sort)
    end
    pgstream = Contestants::Pgstream.new(setting, database).configuration(database)
    masked = pgstream.dig("modifiers", "transformations", "table_transformers").to_h { |table| [table["table"], table["column_transformers"].keys] }
    assert_equal Masking::COLUMNS.transform_values(&:sort), masked.transform_values(&:sort)
  end

  # The goal of a part of production speaks of 41 tables.
  def test_the_database_of_a_subset_has_as_many_tables_as_its_head_says
    root = File.expand_path("../..", __dir__)
    sql = %w[demo/production.sql bench/subset_tables.sql].map { |file| File.read(File.join(root, file)) }.join
    tables = sql.scan(/^CREATE TABLE/).size - sql.scan("PARTITION BY").size
    assert_equal 41, tables
    assert_includes File.read(File.join(root, "bench/subset")), "a database of #{tables} tables"
  end

  private

  # A report of one round with so many seconds each.
  def table(seconds, **)
    costs = seconds.transform_values { |value| [Measure::Cost.new(value.to_f, value.to_f, 1.0, 1.0, 1_000_000, 0, 0, 0, 1_000_000)] }
    Table.new(costs, Scene.new(0.0, 0.0, 0), goals: GOALS, **)
  end
end

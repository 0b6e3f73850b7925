# frozen_string_literal: true

require "test_helper"
require "stringio"

class WhyTest < Minitest::Test
  # A terminal that remembers what it shows.
  class Screen < StringIO
    def tty? = true
  end

  REASONS = [
    { what: :missing, table: "public.orders", reference: "orders.user_id", other: "public.users", key: "7" },
    { what: :missing, table: "public.users", reference: "users.organisation_id", other: "public.organisations", key: "3" },
    { what: :not_kept, table: "public.organisations", reference: nil, other: nil, key: nil }
  ].freeze

  def say(reasons, table: "orders", id: "42", output: Screen.new)
    native = Class.new(FakeNative) { define_method(:why) { |*| reasons } }.new
    config = ScalingoStagingSync::Configuration.new
    service = ScalingoStagingSync::Services::Why.new(config:, output:, native:)
    service.define_singleton_method(:check!) { nil }
    service.define_singleton_method(:settings) { Struct.new(:to_h).new({}) }
    service.say(table, id)
    output.string
  end

  def test_the_way_to_the_rule_is_shown_row_by_row
    assert_equal <<~TEXT, say(REASONS)
      public.orders 42 does not come, because it refers to a row of public.users (orders.user_id: 7) that does not.
      That row of public.users does not come, because it refers to a row of public.organisations (users.organisation_id: 3) that does not.
      That row of public.organisations does not come: the rule of its table does not keep it.
    TEXT
  end

  def test_of_a_table_whose_rows_stay_out_it_is_said_whether_the_rules_choose_a_row
    way = [{ what: :unchosen, table: "public.orders", reference: "orders.user_id", other: "public.users", key: "7" },
           { what: :unchosen, table: "public.users", reference: "users.organisation_id", other: "public.organisations", key: "3" }, REASONS.last]
    assert_equal <<~TEXT, say(way)
      public.orders 42 does not come, because it refers to a row of public.users (orders.user_id: 7) that is not among those that the rules choose. All rows of public.users stay out, and still decide.
      That row of public.users is not chosen, because it refers to a row of public.organisations (users.organisation_id: 3) that is not among those that the rules choose. All rows of public.organisations stay out, and still decide.
      That row of public.organisations is not chosen: the rule of its table does not keep it.
    TEXT
  end

  def test_each_reason_has_a_sentence
    { unknown: /is not in the backup/, whole: /every row of its table/, kept: /rule of its table keeps it/, follows: /no condition and no cap/,
      unreferred: /no row that comes refers to it/, without_rows: /whether or not the backup has it: its table comes without rows/,
      stays: /does not come, whether or not the backup has it: .*config\.keep_tables/ }.each do |what, expected|
      assert_match expected, say([{ what:, table: "public.users", other: nil }])
    end
    assert_match(/a row of public\.orders \(orders\.user_id: 7\) comes and needs it/,
                 say([{ what: :needed, table: "public.users", reference: "orders.user_id", other: "public.orders", key: "7" }]))
  end

  def test_a_row_that_only_others_have_brought_back_is_said_to_bring_none
    reasons = [{ what: :brought_back, table: "public.people", reference: "people.org_id", other: "public.orgs", key: "2" },
               { what: :needed, table: "public.orgs", reference: "notes.org_id", other: "public.notes", key: "2" }, { what: :whole, table: "public.notes" }]
    assert_equal <<~TEXT, say(reasons, table: "people", id: "3")
      public.people 3 does not come, because it refers to a row of public.orgs (people.org_id: 2) that comes only because another needs it: such a row brings none of those that refer to it.
      That row of public.orgs comes because a row of public.notes (notes.org_id: 2) comes and needs it, although its own rule or references do not keep it.
      That row of public.notes comes: every row of its table does.
    TEXT
  end

  def test_keys_go_to_a_terminal_alone_and_both_names_are_needed
    error = assert_raises(ScalingoStagingSync::ConfigurationError) { say(REASONS, output: StringIO.new) }
    assert_match(/not a terminal/, error.message)
    error = assert_raises(ScalingoStagingSync::ConfigurationError) { say(REASONS, id: nil) }
    assert_match(/why\[orders,42\]/, error.message)
  end
end

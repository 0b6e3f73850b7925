# frozen_string_literal: true

require "test_helper"
require "active_model"

# The lists of values that the app's models keep to, which masks keep to as well.
class AdmittedValuesTest < Minitest::Test
  class Person
    include ActiveModel::Validations

    attr_accessor :civility, :height, :team, :flag

    validates :civility, inclusion: { in: [:m, "mme", nil] }
    validates :height, inclusion: { in: 1..3 }
    validates :team, inclusion: { in: ->(_) { %w[a b] } }
    validates :flag, inclusion: { within: [true, false] }

    def self.table_name = "hr.people"
    def self.attribute_alias(name) = { "civility" => "civilite" }[name]
    def self.defined_enums = { "gender" => { "woman" => 0, "man" => 1 } }
  end

  def test_enums_and_inclusions_are_lists_of_what_the_database_holds
    lists = ScalingoStagingSync::EngineSettings::AdmittedValues.of(Person)
    assert_equal({ "gender" => %w[0 1], "civilite" => %w[m mme], "flag" => %w[true false] }, lists.to_h { |list| list.values_at("column", "values") })
    assert_equal ["people"], lists.map { |list| list["table"] }.uniq
  end

  def test_a_model_without_a_table_lists_nothing
    assert_empty ScalingoStagingSync::EngineSettings::AdmittedValues.of(Class.new { def self.table_name = raise("no table") })
  end
end

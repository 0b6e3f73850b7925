# frozen_string_literal: true

require "test_helper"

# Values that cannot even be looked at end in a sentence, not in a backtrace of Ruby's.
class ConfigurationShapeTest < Minitest::Test
  Configuration = ScalingoStagingSync::Configuration

  # Has no method of an Object's.
  class Bare < BasicObject
    def hash = 1
    def eql?(other) = equal?(other)
  end

  def circle(value) = value.tap { value.is_a?(Hash) ? value["users"] = value : value << value }

  def deep(levels) = levels.times.reduce("x") { |inner, _| [inner] }

  def problems(&) = Configuration.new.tap { |config| config.keeping_problems(&) }.problems

  NAMES = Configuration.options.values.reject(&:cosmetic).map(&:name).freeze

  def test_what_contains_itself_is_refused_by_every_option
    deliberately_mistyped
    NAMES.each do |name|
      [circle({}), circle([]), { "users" => circle({}) }, [circle([])]].each do |value|
        found = problems { |config| config.public_send(:"#{name}=", value) }
        assert_equal 1, found.size, name
        assert_includes found.first, "config.#{name} was given a value that contains itself; it takes "
        assert_raises(ArgumentError) { Configuration.new.public_send(:"#{name}=", value) }
      end
    end
  end

  def test_a_bare_object_is_refused_by_every_option_with_its_class
    deliberately_mistyped
    said = "was given a value with an object of class ConfigurationShapeTest::Bare in it, which is a bare BasicObject; it takes "
    NAMES.each do |name|
      [Bare.new, [Bare.new], { "users" => Bare.new }, { "users" => { where: Bare.new } }, { Bare.new => :all }].each do |value|
        found = problems { |config| config.public_send(:"#{name}=", value) }
        assert_equal 1, found.size, name
        assert_includes found.first, "config.#{name} #{said}"
      end
    end
  end

  def test_it_is_refused_where_it_is_added_to_a_list_too
    deliberately_mistyped
    { ->(config) { config.subset["users"] = Bare.new } => "a bare BasicObject", ->(config) { config.keep_tables << Bare.new } => "a bare BasicObject",
      ->(config) { config.subset["users"] = config.subset } => "that contains itself", ->(config) { config.keep_tables << config.keep_tables } => "that contains itself",
      ->(config) { config.keep_tables << deep(200) } => "of more than 100 levels" }.each do |slip, expected|
      config = Configuration.new
      config.keeping_problems(&slip)
      assert_equal 1, config.problems.size
      assert_includes config.problems.first, expected
      assert_empty [*config.subset, *config.keep_tables]
      assert_equal({}, config.sound_part.subset)
    end
  end

  def test_one_list_in_two_places_is_no_circle
    shared = ["email"]
    config = Configuration.new
    config.anonymization_tables = [{ table: "users", columns: { a: :null }, keep: { a: shared, b: shared } }]
    assert_equal 1, config.anonymization_tables.size
  end
end

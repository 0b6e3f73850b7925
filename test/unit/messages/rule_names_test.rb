# frozen_string_literal: true

require "test_helper"

# A rule is found again in the initializer by the name that a message gives it.
class RuleNamesTest < Minitest::Test
  Names = ScalingoStagingSync::Messages::RuleNames

  def test_an_entry_is_called_as_it_is_written
    assert_equal '{ table: "users", strategy: :user_anonymization }', Names.entry({ table: :users, strategy: "user_anonymization" })
    assert_equal '{ table: "users", columns: { email: :email, "full name": :name } }',
                 Names.entry({ table: "users", columns: { email: :email, "full name" => "name" } })
  end

  def test_entries_for_the_same_columns_differ_by_their_condition
    assert_equal '{ table: "users", columns: { email: :email }, condition: "id > 3" }',
                 Names.entry({ table: "users", columns: { email: :email }, condition: "id >\n  3" })
  end

  def test_of_long_sql_the_beginning_is_shown
    name = Names.entry({ table: "notes", query: "UPDATE notes SET body = '#{"x" * 80}'" })
    assert_match(/\A\{ table: "notes", query: "UPDATE notes SET body = 'x+…" \}\z/, name)
    assert_operator name.length, :<, 100
  end

  def test_a_password_in_a_masks_options_is_not_shown
    name = Names.entry({ table: "users", columns: { encrypted_password: { mask: :password, password: "hunter2" } } })
    assert_equal '{ table: "users", columns: { encrypted_password: { mask: :password, … } } }', name
  end

  def test_expressions_are_called_by_their_option
    assert_equal 'config.anonymization_rules["users"]', Names.expressions("users")
  end
end

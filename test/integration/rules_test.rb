# frozen_string_literal: true

require_relative "integration_helper"

# Rules that do not fit the backup end the run before anything is touched.
class RulesTest < IntegrationTest
  def test_a_table_that_is_not_in_the_backup
    error = refused("userz" => :user_anonymization)
    assert_match(/userz/, error.message)
    assert_match(/users/, error.message)
  end

  def test_a_table_that_has_none_of_the_strategys_columns
    error = refused("products" => :payment_anonymization)
    assert_match(/products/, error.message)
    assert_match(/card_last4/, error.message)
  end

  def test_a_strategy_that_does_not_exist
    error = refused("users" => :user_anonymisation)
    assert_match(/user_anonymisation/, error.message)
    assert_match(/user_anonymization/, error.message)
  end

  def test_everything_that_is_wrong_is_reported_together
    error = refused("userz" => :user_anonymization, "products" => :payment_anonymization)
    assert_match(/userz/, error.message)
    assert_match(/products/, error.message)
  end

  def test_no_rule_at_all_is_refused
    target = new_database
    assert_untouched(target) do
      assert_run_fails ScalingoStagingSync::ConfigurationError, source: shop_archive, target: target.url,
                                                                masking_options: { allow_unmasked_copy: false }
    end
  end

  private

  def refused(rules)
    target = new_database
    assert_untouched(target) do
      assert_run_fails ScalingoStagingSync::PlanError, source: shop_archive, target: target.url, rules:
    end
  end
end

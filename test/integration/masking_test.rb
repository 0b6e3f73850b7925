# frozen_string_literal: true

require "digest"
require_relative "integration_helper"

# With the documented strategies: masked columns have their documented form, everything else is what production has.
class MaskingTest < IntegrationTest
  def self.masked
    @masked ||= Postgres.create_database("masked").tap do |database|
      Minitest.after_run { database.drop }
      @outcome = Engine.run(Engine.settings(source: Shared.shop_archive, target: database.url, rules: SHOP_RULES))
      raise @outcome.error if @outcome.error
    end
  end

  def masked = self.class.masked

  def outcome
    masked
    self.class.instance_variable_get(:@outcome)
  end

  def test_every_other_column_is_byte_for_byte_what_production_has
    shop.tables.each do |table|
      columns = shop.columns(table) - SHOP_MASKED.fetch(table, [])
      assert_equal shop.rows(table, columns:), masked.rows(table, columns:), table
    end
  end

  def test_every_row_is_there_and_every_key_is_valid
    assert_equal shop.counts, masked.counts
    constraints = "SELECT conname, convalidated, pg_get_constraintdef(oid) FROM pg_constraint WHERE connamespace = 'public'::regnamespace ORDER BY conrelid::regclass::text, 1"
    assert_equal shop.exec(constraints), masked.exec(constraints)
    indexes = "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY 1"
    assert_equal shop.exec(indexes), masked.exec(indexes)
    assert_equal "0", masked.value("SELECT count(*) FROM pg_index WHERE NOT indisvalid")
  end

  def test_no_masked_column_holds_a_raw_value
    assert_nothing_raw masked
  end

  def test_an_e_mail_address_becomes_a_pseudonym
    emails = masked.values("SELECT email FROM users")
    assert(emails.all? { |email| email.match?(/\A[0-9a-f]{20,}@demo\.example\.com\z/) })
    assert_equal shop.value("SELECT count(DISTINCT lower(email)) FROM users").to_i, emails.uniq.length
  end

  def test_email_md5_is_that_of_the_new_address
    masked.exec("SELECT email, email_md5 FROM users").each do |row|
      assert_equal Digest::MD5.hexdigest(row["email"]), row["email_md5"]
    end
  end

  def test_the_same_address_in_two_tables_has_the_same_pseudonym
    pairs = "SELECT count(*) FROM users u JOIN emails e ON e.user_id = u.id AND e.email = u.email"
    assert_operator shop.value(pairs).to_i, :>=, SHOP_USERS
    assert_equal shop.value(pairs), masked.value(pairs)
  end

  def test_names_carry_the_primary_key
    masked.exec("SELECT id, first_name, last_name, full_name, greeting FROM users").each do |row|
      assert_equal ["Demo", "User#{row["id"]}", "Demo User#{row["id"]}", "Bonjour Demo"],
                   row.values_at("first_name", "last_name", "full_name", "greeting")
    end
  end

  def test_payment_details_tokens_birth_and_address_of_users
    expect = { "credit_card_last_4" => "0000", "iban_last4" => "0000", "address_line1" => "8 rue du sentier",
               "postal_code" => "75002", "city" => "Paris" }
    expect.each do |column, value|
      assert_equal [value], masked.values("SELECT DISTINCT #{column} FROM users WHERE #{column} IS NOT NULL"), column
    end
    %w[stripe_customer_id google_token facebook_token apple_id birth_date birth_place billing_extra zendesk_user_id].each do |column|
      assert_equal "0", masked.value("SELECT count(#{column}) FROM users"), column
    end
  end

  def test_null_stays_null
    %w[credit_card_last_4 iban_last4].each do |column|
      query = "SELECT id FROM users WHERE #{column} IS NULL ORDER BY id"
      assert_equal shop.values(query), masked.values(query), column
    end
    query = "SELECT id FROM phone_numbers WHERE phone_number IS NULL ORDER BY id"
    refute_empty shop.values(query)
    assert_equal shop.values(query), masked.values(query)
  end

  def test_phone_numbers_carry_the_user
    masked.exec("SELECT user_id, phone_number FROM phone_numbers WHERE phone_number IS NOT NULL").each do |row|
      assert_equal format("060%07d", row["user_id"].to_i), row["phone_number"]
    end
  end

  def test_payment_methods_and_addresses
    assert_equal ["0000"], masked.values("SELECT DISTINCT card_last4 FROM payment_methods")
    assert_equal [{ "address_line1" => "123 Demo Street", "postal_code" => "00000", "city" => "Demo City" }],
                 masked.exec("SELECT DISTINCT address_line1, postal_code, city FROM addresses")
  end

  def test_a_second_run_with_the_same_key_makes_the_same_pseudonyms_and_another_key_others
    emails = "SELECT email FROM users ORDER BY id"
    same = new_database
    run!(source: shop_dump, target: same.url, rules: SHOP_RULES, target_options: { parallel_connections: 4 })
    assert_equal masked.values(emails), same.values(emails)

    other = new_database
    run!(source: shop_dump, target: other.url, rules: SHOP_RULES, masking_options: { secret: "quite another secret" })
    assert_empty masked.values(emails) & other.values(emails)
  end

  def test_the_domain_can_be_chosen
    target = new_database
    run!(source: shop_dump, target: target.url, rules: SHOP_RULES, masking_options: { email_domain: "staging.invalid" })
    assert_equal "0", target.value("SELECT count(*) FROM users WHERE email NOT LIKE '%@staging.invalid'")
  end

  def test_the_report_counts_rows_and_masked_values
    report = outcome.report
    users = report[:tables].find { |table| table[:table] == "public.users" }
    assert_equal SHOP_USERS, users[:rows]
    assert_equal SHOP_USERS, users[:columns].find { |column| column[:name] == "email" }[:masked]
    assert_equal shop.counts.values.sum, report[:tables].sum { |table| table[:rows] }
    assert report[:verified]
  end

  def test_unique_columns_stay_unique
    source = new_database("source")
    source.exec(<<~SQL)
      CREATE TABLE phone_numbers (id bigserial PRIMARY KEY, user_id bigint, phone_number text UNIQUE);
      INSERT INTO phone_numbers (user_id, phone_number) SELECT 7, '06' || n FROM generate_series(10000000, 10000020) AS n;
      INSERT INTO phone_numbers (id, user_id, phone_number) VALUES (123456789, 7, '0612345678');
      CREATE TABLE emails (id serial PRIMARY KEY, email text UNIQUE);
      INSERT INTO emails (email) VALUES ('Ada@x.example'), ('ada@x.example'), ('ADA@x.example');
    SQL
    target = new_database
    run!(source: source.dump(path("dump")), target: target.url,
         rules: { "phone_numbers" => :phone_anonymization, "emails" => :email_anonymization })
    assert_includes target.values("SELECT phone_number FROM phone_numbers"), "0600000001"
    assert_equal "22", target.value("SELECT count(DISTINCT phone_number) FROM phone_numbers")
    assert_equal "3", target.value("SELECT count(DISTINCT email) FROM emails")
  end

  def test_a_not_null_column_gets_a_neutral_value_and_a_short_one_is_not_overrun
    source = new_database("source")
    source.exec(<<~SQL)
      CREATE TABLE users (uuid uuid PRIMARY KEY, email varchar(37) NOT NULL, last_name varchar(6), birth_date date NOT NULL,
        stripe_customer_id text NOT NULL, zendesk_user_id bigint NOT NULL, city varchar(3));
      INSERT INTO users SELECT gen_random_uuid(), 'a' || n || '@b.example', 'Name', '1980-01-01', 'cus_1', 5, 'Foo' FROM generate_series(1, 50) AS n;
    SQL
    target = new_database
    run!(source: source.dump(path("dump")), target: target.url, rules: { "users" => :user_anonymization })
    assert_equal "50",
                 target.value("SELECT count(*) FROM users WHERE stripe_customer_id <> 'cus_1' AND zendesk_user_id <> 5 AND birth_date <> '1980-01-01'")
    assert_equal "0", target.value("SELECT count(*) FROM users WHERE email LIKE '%@b.example' OR last_name = 'Name' OR city = 'Foo'")
  end

  def test_insert_archives_are_masked_as_well
    target = new_database
    run!(source: shop.dump(path("dump"), "--inserts"), target: target.url, rules: SHOP_RULES)
    assert_nothing_raw target
    assert_equal masked.rows("public.users"), target.rows("public.users")
  end
end

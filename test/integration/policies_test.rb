# frozen_string_literal: true

require_relative "integration_helper"

# Each policy with each kind of personal data, and the demo's shop without a single rule. What is left in the target is
# looked for here by plain comparison and by expressions of this file's own: nothing of the detector.
class PoliciesTest < IntegrationTest
  # A column that its name gives away, by kind, with its type and a value for row n in SQL.
  BY_NAME = {
    "national_id" => ["national_insurance_number", "text", "'QQ' || (120000 + n) || 'C'"],
    "nir" => ["nir", "text", "'2550814168' || lpad(n::text, 5, '0')"],
    "ssn" => ["ssn", "text", "'078-05-' || lpad(n::text, 4, '0')"],
    "identity_document" => ["passport_number", "text", "'12AB' || (34000 + n)"],
    "tax_id" => ["tax_id_number", "text", "'30 23 217 600 ' || n"],
    "email" => ["email", "text", "'ada' || n || '@people.example'"],
    "phone" => ["phone", "text", "'06 12 34 5' || n % 10 || ' 1' || n % 10"],
    "street_address" => ["address_line1", "text", "n || ' chemin des Vignes'"],
    "postal_code" => ["postal_code", "text", "(69000 + n)::text"],
    "city" => ["city", "text", "'Villefranche ' || n"],
    "name" => ["full_name", "text", "'Eulalie Brossard ' || n"],
    "first_name" => ["first_name", "text", "'Eulalie' || n"],
    "last_name" => ["last_name", "text", "'Brossard' || n"],
    "username" => ["username", "text", "'eulalie_' || n"],
    "birth_date" => ["birth_date", "date", "date '1961-02-03' + n"],
    "birth_place" => ["birth_place", "text", "'Gap ' || n"],
    "gender" => ["gender", "text", "'woman ' || n"],
    "nationality" => ["nationality", "text", "'Belgian ' || n"],
    "marital_status" => ["marital_status", "text", "'widowed ' || n"],
    "sensitive_trait" => ["religion", "text", "'faith ' || n"],
    "geolocation" => ["latitude", "double precision", "45.5 + n / 1000.0"],
    "ip_address" => ["last_sign_in_ip", "inet", "('82.64.1.' || n)::inet"],
    "mac_address" => ["mac_address", "macaddr", "('08:00:2b:01:02:' || lpad(to_hex(n), 2, '0'))::macaddr"],
    "device_id" => ["device_id", "text", "'a1b2c3d4-' || n"],
    "iban" => ["iban", "text", "(ARRAY['FR1420041010050500013M02606', 'DE89370400440532013000', 'GB29NWBK60161331926819'])[1 + n % 3]"],
    "card" => ["credit_card_number", "text", "'411111111111' || (1000 + n)"],
    "bank_account" => ["bank_account_number", "text", "'000123' || (4000 + n)"],
    "income" => ["salary", "numeric(10,2)", "23450.5 + n"],
    "password" => ["password", "text", "'correct horse ' || n"],
    "password_hash" => ["encrypted_password", "text", "'$2a$12$' || rpad(n::text, 53, 'x')"],
    "token" => ["reset_password_token", "text", "'sesame' || n || 'x'"],
    "secret" => ["otp_secret", "text", "'JBSWY3DP' || n"],
    "client_secret" => ["api_key", "text", "'key-of-ada-' || n"],
    "health" => ["diagnosis", "text", "'asthma since ' || n"],
    "biometric" => ["fingerprint_template", "bytea", "convert_to('whorl ' || n, 'UTF8')"]
  }.freeze

  # A value that gives itself away under a name that does not.
  BY_CONTENT = {
    "email" => "'ada' || n || '@people.example'",
    "phone" => "'06 12 34 5' || n % 10 || ' 1' || n % 10",
    "iban" => "(ARRAY['FR1420041010050500013M02606', 'DE89370400440532013000', 'GB29NWBK60161331926819'])[1 + n % 3]",
    "card" => "(ARRAY['4111 1111 1111 1111', '5555 5555 5555 4444', '3782 822463 10005'])[1 + n % 3]",
    "nir" => "(ARRAY['255081416802538', '188012A00100157'])[1 + n % 2]",
    "ip_address" => "'82.64.' || n || '.7'",
    "mac_address" => "'08:00:2b:01:02:' || lpad(to_hex(n), 2, '0')",
    "jwt" => "'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR' || chr(65 + n % 26)",
    "private_key" => "E'-----BEGIN RSA PRIVATE KEY-----\\nMIIEpAIBAAKCAQEA' || n || E'\\n-----END RSA PRIVATE KEY-----'",
    "password_hash" => "'$2a$12$R9h/cIPz0gi.URNNX3kh2OPST9/PgBkqquzi.Ss7KIUgO2t0jWM' || chr(65 + n % 26) || 'a'",
    "street_address" => "n || ' rue de la Gare'"
  }.freeze

  # What stands inside longer text, and which part of it must not be left.
  INSIDE = {
    "mail" => ["'please write to ada' || n || '@people.example today'", /@people/],
    "street" => ["'deliver to ' || n || ' rue de la Gare, 69002 Lyon, and ring twice'", /rue de la Gare|Lyon/],
    "person" => ["'Facturer à Camille Lambert' || E'\n' || 'Service comptabilité'", /Camille|Lambert/],
    "secret" => ["E'key: -----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEA' || n || E'\n-----END RSA PRIVATE KEY-----'", /MIIEp/]
  }.freeze

  ROWS = 60

  def test_every_kind_of_column_is_reported_and_copied_when_the_policy_warns
    report = run!(**settings(named, target = new_database, "warn")).report
    # What opens another service is let be, since nothing is quieted here.
    assert_equal "ignored", status(report).fetch("api_key")
    assert_equal "uncovered", status(report).except("api_key").values.uniq.join(" ")
    assert_equal by_column(BY_NAME.transform_values(&:first)), kinds(report)
    assert_equal source_rows(named), rows(target, "employees")
  end

  def test_every_kind_of_column_is_refused_with_the_target_untouched_when_the_policy_fails
    target = new_database
    target.exec("CREATE TABLE old (id int); INSERT INTO old VALUES (1)")
    before = target.canonical_dump
    error = assert_run_fails ScalingoStagingSync::PersonalDataError, **settings(named, target, "fail")
    BY_NAME.each_value { |(column, *)| assert_match(/public\.employees\.#{column}: .*#{column}: /m, error.message) }
    assert_equal before, target.canonical_dump
  end

  def test_every_kind_of_column_is_masked_by_itself_when_the_policy_masks
    report = run!(**settings(named, target = new_database, "mask")).report
    assert_equal "masked", status(report).values.uniq.join(" ")
    assert_equal by_column(BY_NAME.transform_values(&:first)), kinds(report)
    assert_nothing_left source_rows(named), rows(target, "employees")
    assert report[:verified]
  end

  def test_every_kind_of_value_is_reported_and_copied_when_the_policy_warns
    report = run!(**settings(unnamed, target = new_database, "warn")).report
    assert_equal BY_CONTENT.keys, kinds(report).values, kinds(report).inspect
    BY_CONTENT.each_key { |kind| assert_equal ROWS, target.value("SELECT count(*) FROM things_#{kind}").to_i }
  end

  def test_every_kind_of_value_leaves_its_table_empty_when_the_policy_fails
    target = new_database
    error = assert_run_fails ScalingoStagingSync::PersonalDataError, **settings(unnamed, target, "fail")
    BY_CONTENT.each_key do |kind|
      assert_match(/public\.things_#{kind}\.col_a: #{kind}/, error.message)
      assert_equal "0", target.value("SELECT count(*) FROM things_#{kind}"), kind
    end
    assert_equal "5", target.value("SELECT count(*) FROM colors"), "a table without personal data was held back"
    assert_equal "incomplete", target.value("SELECT status FROM scalingo_staging_sync.state")
  end

  def test_every_kind_of_value_is_masked_by_itself_when_the_policy_masks
    report = run!(**settings(unnamed, target = new_database, "mask")).report
    assert_equal "masked", status(report).values.uniq.join(" ")
    BY_CONTENT.each_key do |kind|
      assert_nothing_left rows(@sources[unnamed], "things_#{kind}"), rows(target, "things_#{kind}"), kind
    end
  end

  def test_what_stands_inside_of_text_is_masked_as_far_as_it_takes
    tables = INSIDE.map do |name, (value, _)|
      "CREATE TABLE public.texts_#{name} (id int PRIMARY KEY, col_a text, body text NOT NULL, object text, doc jsonb NOT NULL DEFAULT '{}', parts text[]); " \
        "INSERT INTO public.texts_#{name} SELECT n, t, t, t, jsonb_build_object('x', t), ARRAY['one', t] FROM (SELECT n, #{value} AS t FROM generate_series(1, #{ROWS}) AS n) AS rows;"
    end
    report = run!(**settings(archive(tables.join("\n")), target = new_database, "mask")).report
    assert_empty status(report).reject { |_, status| status == "masked" }
    INSIDE.each do |name, (_, pattern)|
      left = rows(target, "texts_#{name}").first.select { |_, value| value.to_s.match?(pattern) }.keys
      assert_empty left, "of #{name} something is left"
    end
    versions = archive("CREATE TABLE public.versions (id int PRIMARY KEY, item_type text, item_id int, event text, object text, object_changes jsonb); " \
                       "INSERT INTO public.versions SELECT n, 'User', n, 'update', E'---\nfirst_name: Camille\nlast_name: Lambert\nid: ' || n, '{\"last_name\": [\"Lambert\", \"Dupont\"]}' FROM generate_series(1, 40) AS n;")
    run!(**settings(versions, records = new_database, "mask"))
    assert_equal "0", records.value("SELECT count(*) FROM versions AS v WHERE v::text ~ 'Camille|Lambert|Dupont'")
    assert_match(/\Aplease write to \h+@demo\.example\.com today\z/, target.value("SELECT body FROM texts_mail"),
                 "text that scrub clears stays readable")
  end

  # Every column of the shop that holds something of a person, and how much of it may be as it was by chance: there are
  # sixteen towns and ten thousand pairs of last digits.
  SHOP_PERSONAL = {
    "users" => %w[email email_md5 first_name last_name full_name greeting credit_card_last_4 iban_last4 stripe_customer_id
                  google_token facebook_token apple_id birth_date birth_place billing_extra zendesk_user_id address_line1
                  address_line2 postal_code city],
    "emails" => %w[email], "phone_numbers" => %w[phone_number], "payment_methods" => %w[card_last4],
    "addresses" => %w[address_line1 address_line2 postal_code city], "sessions" => %w[session_id ip data],
    "audit_logs" => %w[changes]
  }.freeze
  BY_CHANCE = { "city" => 0.25, "birth_place" => 0.25 }.freeze

  def test_the_demos_shop_without_a_single_rule_has_nothing_personal_left
    report = run!(source: shop_archive, target: (target = new_database).url, masking_options: { allow_unmasked_copy: false },
                  options: { pii: { scan: true, policy: "mask", sample_rows: 1000 }, leak_check: { enabled: true } }).report
    assert_empty report[:leaks]
    left = SHOP_PERSONAL.flat_map do |table, columns|
      columns.filter_map { |column| "#{table}.#{column}" if as_it_was(target, table, column) > BY_CHANCE.fetch(column, 0.02) }
    end
    assert_empty left, "these columns are as production has them"
    # Pseudonyms of names can be other people's names.
    target.exec("ALTER TABLE users DROP COLUMN full_name")
    text = target.canonical_dump
    assert_empty text.scan(/[\w.+-]+@[\w-]+\.\w+(?:\.\w+)*/).reject { |found| found.end_with?("@demo.example.com") }.uniq.first(5)
    assert_empty shop.values("SELECT full_name FROM users").select { |name| text.include?(name) }.first(5)
    assert_empty shop.values("SELECT phone_number FROM phone_numbers WHERE phone_number IS NOT NULL").select { |number|
                   text.include?(number)
                 }.first(5)
  end

  private

  def settings(archive, target, policy)
    { source: archive, target: target.url, masking_options: { allow_unmasked_copy: true },
      options: { pii: { scan: true, policy:, sample_rows: 1000 } } }
  end

  def named
    @named ||= archive("CREATE TABLE public.employees (id int PRIMARY KEY, #{BY_NAME.values.map do |column, type, _|
                                                                               "#{column} #{type} NOT NULL"
                                                                             end.join(", ")}); " \
                       "INSERT INTO public.employees SELECT n, #{BY_NAME.values.map(&:last).join(", ")} FROM generate_series(1, #{ROWS}) AS n;")
  end

  def unnamed
    tables = BY_CONTENT.map do |kind, value|
      "CREATE TABLE public.things_#{kind} (id int PRIMARY KEY, col_a text NOT NULL); " \
        "INSERT INTO public.things_#{kind} SELECT n, #{value} FROM generate_series(1, #{ROWS}) AS n;"
    end
    @unnamed ||= archive("#{tables.join("\n")} CREATE TABLE public.colors (id int, hex text); INSERT INTO public.colors SELECT n, 'red' FROM generate_series(1, 5) AS n;")
  end

  def archive(sql)
    source = new_database("source")
    source.exec(sql)
    source.dump(path("policies_#{(@sources ||= {}).size}.dump")).tap { |dump| @sources[dump] = source }
  end

  def by_column(columns) = columns.invert.sort.to_h
  def status(report) = report[:findings].to_h { |one| [one[:column], one[:status].to_s] }

  def kinds(report)
    report[:findings].sort_by do |one|
      [(one[:column] == "col_a") ? BY_CONTENT.keys.index(one[:table].split("things_").last).to_s.rjust(2) : "", one[:column]]
    end
                     .to_h { |one| [(one[:column] == "col_a") ? one[:table] : one[:column], one[:kind].to_s] }
  end

  def rows(database, table) = database.exec("SELECT * FROM #{table} ORDER BY id").map(&:to_h)
  def source_rows(archive) = rows(@sources[archive], "employees")

  def assert_nothing_left(before, after, what = nil)
    assert_equal before.size, after.size
    before.zip(after).each do |old, new|
      same = old.except("id").select { |column, value| new[column] == value }.keys
      assert_empty same, "#{what} row #{old["id"]} has these as they were"
    end
  end

  # The share of a column's values that are those of the same row in production.
  def as_it_was(target, table, column)
    query = "SELECT id, #{column}::text FROM #{table} WHERE #{column} IS NOT NULL"
    before, after = [shop, target].map { |database| database.exec(query).to_h(&:values) }
    after.count { |id, value| before[id] == value } / before.size.to_f
  end
end

# frozen_string_literal: true

require_relative "integration_helper"

# What several columns of a row say of one person agrees after automatic masking.
class OnePersonTest < IntegrationTest
  DIGESTS = <<~SQL
    CREATE TABLE public.users (
      id bigint PRIMARY KEY, email text NOT NULL, email_md5 char(32) NOT NULL UNIQUE, gravatar_hash varchar(32), email_digest text,
      checksum varchar(64), raw_md5 bytea, short_id uuid, upload_key varchar(32));
    INSERT INTO public.users SELECT n, mail, md5(lower(mail)), md5(lower(mail)), encode(sha256(lower(mail)::bytea), 'hex'),
      encode(sha256(lower(mail)::bytea), 'hex'), decode(md5(mail), 'hex'), md5(lower(mail))::uuid, md5('upload' || n)
      FROM (SELECT n, CASE WHEN n % 7 = 0 THEN 'Ada' ELSE 'ada' END || n || '@people.example' AS mail FROM generate_series(1, 120) AS n) AS rows;
    UPDATE public.users SET gravatar_hash = NULL WHERE id % 2 = 0;
  SQL

  SHA256 = "encode(sha256(email::bytea), 'hex')"

  def test_digests_of_an_address_become_those_of_the_new_one_by_name_and_by_values
    report = sync(DIGESTS)
    wrong = "email_md5 <> md5(email) OR gravatar_hash <> md5(email) OR email_digest <> #{SHA256} OR checksum <> #{SHA256} " \
            "OR raw_md5 <> decode(md5(email), 'hex') OR short_id <> md5(email)::uuid"
    assert_equal "0", @target.value("SELECT count(*) FROM users WHERE #{wrong} OR email LIKE '%people%'")
    assert_equal "120", @target.value("SELECT count(*) FROM users WHERE upload_key = md5('upload' || id)"), "other digests stay"
    assert_equal "60", @target.value("SELECT count(*) FROM users WHERE gravatar_hash IS NULL")
    assert_equal true, report[:verified]
    assert_empty report[:leaks].to_a
  end

  def test_the_rule_that_is_suggested_for_a_digest_does_the_same
    report = sync(DIGESTS, policy: "warn")
    found = report[:findings].to_h { |one| [one[:column], one] }
    assert_equal '{ table: "users", columns: { checksum: :email_sha256 } }', found.fetch("checksum")[:rule]
    assert_equal ["content", "email", 120], found.fetch("checksum").values_at(:found_by, :kind, :count).map { |one| one.is_a?(Symbol) ? one.to_s : one }
    refute_includes found, "upload_key"
    other = DIGESTS.gsub(/\bemail\b/, "contact_email")
    suggested = sync(other, policy: "warn")[:findings].find { |one| one[:column] == "checksum" }
    assert_equal '{ table: "users", columns: { checksum: { mask: :email_sha256, of: :contact_email } } }', suggested[:rule]
    masks = { "contact_email" => "email", "checksum" => { "mask" => "email_sha256", "of" => "contact_email" } }
    sync(other, policy: "warn", rules: [{ "table" => "users", "columns" => masks }])
    wrong = "checksum <> #{SHA256.sub("email", "contact_email")} OR contact_email LIKE '%people%'"
    assert_equal "0", @target.value("SELECT count(*) FROM users WHERE #{wrong}")
  end

  PEOPLE = <<~SQL
    CREATE TABLE public.people (
      id bigint PRIMARY KEY, civilite varchar(4) NOT NULL, first_name text, last_name text, full_name text, spouse_first_name text,
      greeting text GENERATED ALWAYS AS ('Bonjour ' || first_name) STORED);
    INSERT INTO public.people SELECT n, CASE WHEN n % 3 = 0 THEN 'M.' ELSE 'Mme' END, 'Ada' || n, 'Lovelace' || n,
      'Ada' || n || ' Lovelace' || n, 'Ada' || n FROM generate_series(1, 300) AS n;
  SQL

  # Names that go with either.
  EITHER = %w[Camille Robin Sacha].freeze

  def test_first_and_full_names_go_with_the_gender_that_the_row_has_after_masking
    sync(PEOPLE)
    assert_equal "0", @target.value("SELECT count(*) FROM people WHERE full_name <> first_name || ' ' || last_name OR greeting <> 'Bonjour ' || first_name")
    changed = @target.value("SELECT count(*) FROM people WHERE civilite <> CASE WHEN id % 3 = 0 THEN 'M.' ELSE 'Mme' END").to_i
    assert_operator changed, :>, 60, "the gender is drawn anew"
    names = ->(gender) { @target.values("SELECT DISTINCT first_name FROM people WHERE civilite = '#{gender}'") }
    women = names.call("Mme")
    men = names.call("M.")
    assert_operator [women.size, men.size].min, :>, 15
    assert_empty (women & men) - EITHER
    spouses = @target.values("SELECT DISTINCT spouse_first_name FROM people WHERE civilite = 'M.'")
    refute_empty spouses & (women - men), "another person's name"
  end

  def test_a_gender_that_is_let_be_decides_as_it_is
    sync(PEOPLE, ignore: [{ "column" => "people.civilite", "reason" => "a test" }])
    names = ->(condition) { @target.values("SELECT DISTINCT first_name FROM people WHERE #{condition}") }
    assert_empty (names.call("id % 3 = 0") & names.call("id % 3 > 0")) - EITHER
  end

  private

  def sync(sql, policy: "mask", rules: [], ignore: [])
    settings = Engine.settings(source: dump_of(sql), target: (@target = new_database).url, masking_options: { rules: })
    settings["masking"]["allow_unmasked_copy"] = true
    outcome = Engine.run(settings.merge("pii" => { "scan" => true, "policy" => policy, "sample_rows" => 1000, "ignore" => ignore }))
    raise outcome.error if outcome.error

    outcome.report
  end

  def dump_of(sql)
    source = new_database("source")
    source.exec(sql)
    source.dump(path("person_#{sql.hash}.dump"))
  end
end

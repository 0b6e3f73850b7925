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

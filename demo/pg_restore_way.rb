# frozen_string_literal: true

# What a team does without this gem: unpack the backup, restore it with pg_restore, then mask with UPDATE. The same
# tables are left out, the same columns masked, the same number of connections used. It runs as a superuser, since
# pg_restore has no way round what Scalingo's role may not do.
class PgRestoreWay
  CONNECTIONS = 3
  EMAIL = ->(column) { "left(encode(hmac(lower(#{column}), 'the key', 'sha256'), 'hex'), 20) || '@demo.example.com'" }
  private_constant :EMAIL

  UPDATES = <<~SQL.freeze
    UPDATE users SET email = #{EMAIL.("email")}, email_md5 = md5(#{EMAIL.("email")}),
      first_name = 'Demo', last_name = 'User' || id, full_name = 'Demo User' || id,
      credit_card_last_4 = CASE WHEN credit_card_last_4 IS NOT NULL THEN '0000' END,
      iban_last4 = CASE WHEN iban_last4 IS NOT NULL THEN '0000' END,
      stripe_customer_id = NULL, google_token = NULL, facebook_token = NULL, apple_id = NULL, birth_date = NULL,
      birth_place = NULL, billing_extra = NULL, zendesk_user_id = NULL,
      address_line1 = '8 rue du sentier', address_line2 = NULL, postal_code = '75002', city = 'Paris';
    UPDATE emails SET email = #{EMAIL.("email")};
    UPDATE phone_numbers SET phone_number = '060' || lpad(user_id::text, 7, '0') WHERE phone_number IS NOT NULL;
    UPDATE payment_methods SET card_last4 = '0000' WHERE card_last4 IS NOT NULL;
    UPDATE addresses SET address_line1 = '123 Demo Street', address_line2 = NULL, postal_code = '00000', city = 'Demo City';
  SQL

  # Lines of pg_restore -l: the rows of excluded tables, and the key that points at them.
  LEFT_OUT = / TABLE DATA public (sessions|audit_logs) | FK CONSTRAINT public impersonations fk_impersonations_session /

  def initialize(archive, work)
    @archive = archive
    @work = Dir.mktmpdir("pg_restore", work)
    @database = Postgres.create_database("pg_restore")
    @database.exec("CREATE EXTENSION pgcrypto")
  end

  # Each step's name and its work.
  def steps
    {
      "tar xzf" => -> { system("tar", "-xzf", @archive, "-C", @work, exception: true) },
      "pg_restore -j #{CONNECTIONS}" => lambda {
        @database.restore(Dir.glob("#{@work}/*.pgsql").first, "-j", CONNECTIONS) { |line| line.match?(LEFT_OUT) }
      },
      "UPDATE of the same columns" => -> { @database.exec(UPDATES) },
      "ANALYZE" => -> { @database.exec("ANALYZE") }
    }
  end

  def drop
    @database.drop
    FileUtils.remove_entry(@work)
  end
end

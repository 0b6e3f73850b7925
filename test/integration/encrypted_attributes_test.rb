# frozen_string_literal: true

require_relative "integration_helper"
require "active_record"

# What the app encrypts it can read after a run: NULL where the column may be, else a pseudonym under this environment's
# own keys; and what cannot be made so is refused before anything is touched.
class EncryptedAttributesTest < IntegrationTest
  KEY = "production's own key, 32 bytes..."[0, 32]
  CONFIGURATION = <<~RUBY
    config.clone_source_scalingo_app_name = "shop-production"
    config.pii_policy = :mask
  RUBY
  ENCRYPTION = <<~RUBY
    Rails.application.configure do
      config.active_record.encryption.primary_key = "a" * 32
      config.active_record.encryption.deterministic_key = "b" * 32
      config.active_record.encryption.key_derivation_salt = "c" * 32
    end
  RUBY
  PATIENT = <<~RUBY
    class Turned
      def encrypt(text, **) = "turned:\#{text.reverse}"
      def decrypt(text, **) = text[/\\Aturned:(.*)\\z/, 1]&.reverse || raise(ActiveRecord::Encryption::Errors::Decryption)
      def encrypted?(text) = text.start_with?("turned:")
      def binary? = false
    end

    class Patient < ActiveRecord::Base
      encrypts :email, deterministic: true
      encrypts :last_name, :phone, :otp_secret
      encrypts :nick, deterministic: true, downcase: true
      attribute :age, :integer
      encrypts :age
      encrypts :badge, encryptor: Turned.new
    end
  RUBY
  READ = "puts Patient.order(:id).map { |one| one.attributes.values.to_json }; puts Patient.find_by(email: Patient.last.email).id"
  SQL = <<~SQL
    CREATE TABLE patients (id bigserial PRIMARY KEY, email varchar NOT NULL UNIQUE, last_name varchar(255) NOT NULL, phone varchar,
      otp_secret varchar, nick varchar NOT NULL, age text NOT NULL,
      badge text NOT NULL DEFAULT 'turned:enola');
  SQL

  def test_every_attribute_is_readable_in_the_app_afterwards_under_its_own_keys
    app, staging = new_app(archive: archive_of(patients))
    app.write("app/models/patient.rb", PATIENT)
    app.write("config/environments/staging.rb", ENCRYPTION)
    2.times { assert_predicate (@run = app.rake("scalingo_staging_sync:run", environment: { "CONFIRM" => "yes" })), :success?, @run.output }
    *rows, found = app.runner(READ).output.lines.grep(/\A(\[|\d)/)
    rows = rows.map { |line| JSON.parse(line) }
    assert_equal [20, "20"], [rows.size, found.strip]
    assert_equal 20, rows.map { |row| row[1] }.uniq.size
    assert(rows.all? { |row| row[1].end_with?("@demo.example.com") && row[3].nil? && row[4].nil? && row[5] == row[5].downcase }, rows.inspect)
    assert_equal [0], rows.map { |row| row[6] }.uniq
    assert(rows.all? { |row| row[7].match?(/\AMasked \d\z/) }, rows.inspect)
    stored = staging.database.values("SELECT email FROM patients") + staging.database.values("SELECT last_name FROM patients")
    assert_empty stored & @ciphertexts
    assert_includes @run.output, "patients"
  end

  def test_without_keys_in_this_environment_what_cannot_be_null_is_refused_before_anything_is_touched
    app, staging = new_app(archive: archive_of(patients))
    app.write("app/models/patient.rb", PATIENT)
    run = nil
    assert_untouched(staging.database) { run = app.rake("scalingo_staging_sync:run", environment: { "CONFIRM" => "yes" }) }
    refute_predicate run, :success?
    assert_match(/public\.patients\.email.*the app encrypts it, it cannot be NULL, and no key of this environment is known/m, run.output)
  end

  def test_a_rule_says_what_the_attribute_becomes_and_the_column_gets_it_encrypted
    encrypted = [{ "table" => "patients", "column" => "email", "key" => KEY.unpack1("H*") }]
    columns = { "email" => "email", "last_name" => "last_name" }
    report = run!(source: path("source.dump").tap { archive_of(patients) }, target: (target = new_database).url,
                  masking_options: { rules: [{ "table" => "patients", "columns" => columns }], encrypted: }).report
    assert_equal 20, target.values("SELECT email FROM patients").map { |value| opened(value) }.grep(/@demo\.example\.com\z/).uniq.size
    assert_empty target.values("SELECT last_name FROM patients").grep(/\{/)
    assert_includes JSON.generate(report), "encrypted under this environment's key"
  end

  def test_a_rule_that_the_app_could_not_read_is_refused_with_what_to_do
    archive_of(patients)
    encrypted = [{ "table" => "patients", "column" => "phone", "key" => KEY.unpack1("H*") }, { "table" => "patients", "column" => "nick" }]
    { "phone" => /keeps the form of a value, which ciphertext does not show\. Take :null/, "nick" => /Configure this environment's keys/ }.each do |column, words|
      rules = [{ "table" => "patients", "columns" => { column => "phone" } }]
      error = assert_untouched(target = new_database) do
        assert_run_fails(ScalingoStagingSync::PlanError, source: path("source.dump"), target: target.url, masking_options: { rules:, encrypted: })
      end
      assert_match words, error.message
    end
  end

  def test_ciphertext_that_no_model_declares_is_found_by_its_form
    archive_of("CREATE TABLE cards (id bigint PRIMARY KEY, email text, word text); CREATE TABLE notes (id bigint PRIMARY KEY, word text NOT NULL);" \
               "INSERT INTO cards SELECT n, '#{sealed("a")}', '#{sealed("b")}' FROM generate_series(1, 30) n;" \
               "INSERT INTO notes SELECT n, '#{sealed("b")}' FROM generate_series(1, 30) n;")
    outcome = Engine.run(Engine.settings(source: path("source.dump"), target: (target = new_database).url,
                                         options: { pii: { "scan" => true, "policy" => "mask", "sample_rows" => 1000 } }))
    assert_equal "30 0 0", target.value("SELECT concat_ws(' ', count(*), count(email), count(word)) FROM cards")
    assert_equal "0", target.value("SELECT count(*) FROM notes")
    assert_match(/notes\.word.*no model of this app declares them/m, outcome.error.message)
  end

  def test_lockbox_ciphertext_is_null_or_one_of_the_apps_and_a_blind_index_finds_nothing
    archive_of("CREATE TABLE people (id bigint PRIMARY KEY, email_ciphertext text, name_ciphertext text NOT NULL, email_bidx text NOT NULL UNIQUE);" \
               "INSERT INTO people SELECT n, md5('c' || n), md5('d' || n), md5('e' || n) FROM generate_series(1, 30) n;")
    pii = { "scan" => true, "policy" => "mask", "sample_rows" => 1000 }
    settings = { source: path("source.dump"), options: { pii: } }
    target = new_database
    error = assert_untouched(target) { assert_run_fails(ScalingoStagingSync::PersonalDataError, target: target.url, **settings) }
    assert_match(/name_ciphertext.*the app encrypts it/m, error.message)
    encrypted = [{ "table" => "people", "column" => "name_ciphertext", "values" => %w[one two] }]
    run!(target: target.url, masking_options: { encrypted: }, **settings)
    assert_equal "0 30", target.value("SELECT concat_ws(' ', count(email_ciphertext), count(DISTINCT email_bidx)) FROM people")
    assert_equal %w[one two], target.values("SELECT DISTINCT name_ciphertext FROM people ORDER BY 1")
    assert_equal "0", target.value("SELECT count(*) FROM people WHERE email_bidx = md5('e' || id) OR email_bidx LIKE '%@%'")
  end

  private

  def opened(envelope)
    ActiveRecord::Encryption::Cipher::Aes256Gcm.new(KEY).decrypt(ActiveRecord::Encryption::MessageSerializer.new.load(envelope))
  end

  def patients
    @ciphertexts = []
    rows = (0...20).map do |n|
      values = ["n#{n}@corp.example", "Quill#{n}", "061234560#{n}", "JBSWY3DPEHPK3PX#{n}", "nora", (20 + n).to_s].map { |text| sealed(text) }
      @ciphertexts.concat(values)
      "(#{values.map { |value| "'#{value}'" }.join(", ")})"
    end
    "#{SQL}INSERT INTO patients (email, last_name, phone, otp_secret, nick, age) VALUES #{rows.join(",\n")};"
  end

  def sealed(text)
    message = ActiveRecord::Encryption::Cipher::Aes256Gcm.new(KEY, deterministic: true).encrypt(text)
    ActiveRecord::Encryption::MessageSerializer.new.dump(message)
  end

  def archive_of(sql)
    source = new_database("encrypted")
    source.exec(sql)
    Postgres.pack(source.dump(path("source.dump")), directory: @directory)
  end
end

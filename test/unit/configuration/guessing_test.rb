# frozen_string_literal: true

require "test_helper"
require "random/formatter"

class GuessingTest < Minitest::Test
  Guessing = ScalingoStagingSync::Configuration::Guessing

  WEAK = {
    repeated: ["a" * 16, "a" * 200, "ab" * 20, "abc" * 20, "a1" * 30, "aaaaaaaabbbbbbbb", "0000000000000001", "................................", "-_" * 10],
    keyboards_and_steps: %w[
      0123456789abcdef abcdefghijklmnopqrstuvwxyz zyxwvutsrqponmlk 97531975319753197531 1234567890123456 a1b2c3d4e5f6g7h8 aabbccddeeffgghh
      aAbBcCdDeEfFgGhH qwertyuiopasdfgh azertyuiopqsdfghjklm 1q2w3e4r5t6y7u8i9o0p !QAZ2wsx#EDC4rfv zaq12wsxcde34rfv qazwsxedcrfvtgbyhn
      !@#$%^&*()_+!@#$%^&*()_+
    ],
    where_a_key_is_to_come: [
      "changemechangeme", "changeme-changeme-changeme-changeme", "secretsecretsecretsecret", "please-change-this-secret-key", "your-secret-key-here",
      "my-super-secret-key-123456", "MySuperSecretKey2024!!", "scalingo-staging-sync-secret-2026", "staging-sync-secret-2026-01",
      "ScalingoStaging2024!!", "INSERT_SECRET_KEY_HERE_32_CHARS", "<your-secret-key-here>", "${ANONYMIZATION_SECRET}", "%{secret_key_base_here}",
      "SECRET_KEY_BASE_DUMMY=1", "development_secret_key_base_0000", "tk-us-0000000000000000", "s3cr3t-k3y-f0r-st4g1ng", "motdepasse-motdepasse-1",
      "my anonymization secret", "ENV[\"SECRET\"] || \"x\"", "\#{ENV.fetch(\"SECRET\")}", "TODO: set a real secret", "clé secrète de staging"
    ],
    names_and_passwords: %w[
      acme-corp-staging-2024 AcmeCorp2024!AcmeCorp2025! acme_production_secret_key staging.acme.example.com jean.dupont.1985@gmail.com
      password12345678 P@ssw0rd123456789 P4ssw0rd-P4ssw0rd-P4ssw0rd Ch@ngeMe123Ch@ngeMe123 Summer2024!Winter2025! Welcome2024!Welcome2024!
      iloveyouiloveyouiloveyou helloworldhelloworld test1234test5678test user1user2user3user4 key1key2key3key4key5key6
    ],
    words_and_sentences: [
      "elephant-umbrella", "monkey dragon football baseball", "correct horse battery staple", "my dog is called rex",
      "to be or not to be that is the question", "the quick brown fox jumps over the lazy dog", "thequickbrownfoxjumpsoverthelazydog",
      "il était une fois dans la vie", "liberté égalité fraternité", "this-is-not-a-secret-at-all", "Lorem ipsum dolor sit amet consectetur",
      "пароль пароль секрет"
    ],
    dates_and_telephones: [
      "2024-01-01T00:00:00Z", "2024-12-25-2024-12-25", "25.12.2024-26.12.2024", "20241225120000", "2024-01-01 12:34:56.789012",
      "25/12/2024 25/12/2025", "January 1st, 2024", "1 janvier 2024 staging", "+33 6 12 34 56 78", "06 12 34 56 78 06 12 34 56 78"
    ],
    hexadecimal: [
      "0123456789abcdef" * 8, "00000000-0000-0000-0000-000000000001", "00000000-0000-4000-8000-000000000000", "00ff" * 8, "0f" * 16, "deadbeef" * 4,
      "deadbeefcafebabedeadbeefcafebabe", "000102030405060708090a0b0c0d0e0f", "00112233445566778899aabbccddeeff"
    ],
    packed: [
      "changemechangeme", "secretsecretsecret", "staging-2024-staging", "a" * 16, (0..15).to_a.pack("C*"), "\0" * 32, "\x00\xFF\xFF\x00".b * 8
    ].map { |text| [text.unpack1("H*"), [text].pack("m0"), [text].pack("m0").tr("+/", "-_").delete("=")] }
  }.values.flatten.freeze

  STRONG = [
    SECRET, "correct horse battery staple lamp onion", "Correct-Horse-Battery-Staple-Lamp-Onion", "correcthorsebatterystaplelamponion",
    "cheval agrafe pile lampe oignon correct", "550e8400-e29b-41d4-a716-446655440000", "k7#Qz!9wPx2&Lm4x"
  ].freeze

  # What SecureRandom gives, from a source that gives the same each time.
  CHANCE = [
    ->(chance) { chance.hex(16) }, ->(chance) { chance.hex(32) }, ->(chance) { chance.hex(64) }, lambda(&:uuid), lambda(&:base64),
    ->(chance) { chance.base64(24) }, lambda(&:urlsafe_base64), ->(chance) { chance.urlsafe_base64(32) }, ->(chance) { chance.alphanumeric(24) },
    ->(chance) { chance.bytes(32) }
  ].freeze

  def test_a_key_that_can_be_guessed_is_refused_however_long_it_is
    WEAK.each do |secret|
      assert_raises(ArgumentError, secret) { ScalingoStagingSync.configuration.anonymization_secret = secret }
    end
  end

  # Of a hundred thousand keys of each shape none was refused.
  def test_a_key_made_by_chance_and_six_words_are_taken
    chance = Random.new(14)
    made = CHANCE.flat_map { |key| Array.new(50) { key.call(chance) } }
    [*STRONG, *made].each { |secret| assert_operator Guessing.bits(secret), :>=, Guessing::ENOUGH, secret }
    ScalingoStagingSync.configuration.anonymization_secret = STRONG[1]
  end

  def test_the_encoding_of_a_key_changes_nothing
    ["пароль-секрет-12345", "clé secrète de staging", SECRET].each do |secret|
      assert_in_delta Guessing.bits(secret), Guessing.bits(secret.encode("UTF-16LE"))
    end
    assert_operator Guessing.bits("\xFF\xFE" * 20), :<, Guessing::ENOUGH
  end

  # What SecureRandom gives has such patterns and words by chance, which must not count.
  def test_a_word_or_a_year_within_a_key_made_by_chance_does_not_spoil_it
    ["Zk93jfQmSecretXbLw77Tt", "2024Zk93jfQmPq20XbLw", "Pass9Zk3jfQ!mPq0X", "550e8400-e29b-41d4-a716-202401010000"].each do |secret|
      assert_operator Guessing.bits(secret), :>=, Guessing::ENOUGH, secret
    end
  end

  def test_a_short_key_is_refused_however_hard_to_guess
    assert_raises(ArgumentError) { ScalingoStagingSync.configuration.anonymization_secret = "k7#Qz!9wPx2&Lm4" }
  end
end

# frozen_string_literal: true

require "test_helper"
require "json"

class AuditSealTest < Minitest::Test
  ANOTHER_KEY = "27c4e8b06a9f13d5708be2c61f94da35"

  def setup = staging_config

  def test_a_file_as_it_was_written_holds_under_its_key_and_under_no_other
    with_file do |json|
      assert_nil seal.verify!(json)
      ScalingoStagingSync.configuration.anonymization_secret = ANOTHER_KEY
      assert_raises(ScalingoStagingSync::VerificationError) { seal.verify!(json) }
      ScalingoStagingSync.configuration.anonymization_secret = SECRET
      assert_nil seal.verify!(json)
    end
  end

  def test_a_changed_file_is_refused_whatever_was_changed
    with_file do |json|
      changes(File.read(json)).each do |change, text|
        File.write(json, text)
        assert_raises(ScalingoStagingSync::VerificationError, change) { seal.verify!(json) }
      end
    end
  end

  def test_what_json_can_read_and_not_write_is_no_audit
    Dir.mktmpdir do |directory|
      ["{\"a\": \"\xFF\"}".b, '{"a": 1e999}'].each do |text|
        File.binwrite("#{directory}/audit.json", text)
        error = nil
        capture_io do # Ruby warns of such a number
          error = assert_raises(ScalingoStagingSync::ConfigurationError) { seal.verify!("#{directory}/audit.json") }
        end
        assert_includes error.what, "is no audit as JSON"
      end
    end
  end

  def test_a_path_that_the_system_does_not_take_is_an_error_of_the_gem
    ["~no-such-user/audit.json", "a\0b"].each do |path|
      error = assert_raises(ScalingoStagingSync::ConfigurationError) { seal.verify!(path) }
      assert_includes error.what, "cannot be read"
    end
  end

  def test_a_file_that_is_not_named_or_not_there_is_said_to_be_that_with_the_configured_path
    ScalingoStagingSync.configuration.anonymization_audit_file = "log/audit.html"
    { nil => "No audit file is named.", "" => "No audit file is named.", "none.json" => "There is no audit file none.json.",
      __FILE__ => "is no audit as JSON", "postgres://ada:hush@db.example/x" => "What is given as the audit file is not shown" }.each do |path, what|
      error = assert_raises(ScalingoStagingSync::ConfigurationError) { seal.verify!(path) }
      assert_includes error.what, what
      refute_includes error.message, "hush"
      assert_includes error.remedy, "audit:verify[log/audit.json]"
    end
  end

  # Versions of the json gem lay empty lists out differently, and a file must hold on another machine.
  def test_the_layout_does_not_depend_on_the_json_gem
    assert_equal "{\n  \"a\": [],\n  \"b\": {},\n  \"c\": [\n    1,\n    {\n      \"d\": \"é\"\n    }\n  ]\n}\n",
                 ScalingoStagingSync::Audit::Seal.form({ a: [], "b" => {}, c: [1, { d: "é" }] })
  end

  private

  def seal = ScalingoStagingSync::Audit::Seal.new

  # Yields the path of an audit as a run writes it.
  def with_file
    document = ScalingoStagingSync::Audit::Document.new(FakeNative::REPORT, started_at: Time.utc(2026), finished_at: Time.utc(2026))
    Dir.mktmpdir { |directory| yield ScalingoStagingSync::Audit::Files.new(document).write("#{directory}/audit").first }
  end

  # The file's text with a change, by the name of the change.
  def changes(whole)
    facts = JSON.parse(whole)
    of_seal = ->(seal) { ScalingoStagingSync::Audit::Seal.form(facts.merge("seal" => seal)) }
    {
      "another value" => JSON.pretty_generate(facts.merge("warnings" => ["x"])),
      "no seal" => JSON.pretty_generate(facts.except("seal")),
      "another order" => JSON.pretty_generate(facts.to_a.reverse.to_h),
      "a second key in front" => whole.sub("{", %({\n  "target_app": "elsewhere",)),
      "a second key within" => whole.sub(%("passed": true), %("passed": false, "passed": true)),
      "other white space" => JSON.generate(facts),
      "a byte more" => "#{whole} ",
      "a word within the seal" => of_seal[facts["seal"].merge("approved_by" => "x")],
      "another algorithm in the seal" => of_seal[facts["seal"].merge("algorithm" => "none")],
      "another order in the seal" => of_seal[facts["seal"].to_a.reverse.to_h]
    }
  end
end

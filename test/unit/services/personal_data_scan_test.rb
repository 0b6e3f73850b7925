# frozen_string_literal: true

require "test_helper"
require "json"

# Where scan, suggest and coverage look, and what they print; the engine is a stand-in.
class PersonalDataScanTest < Minitest::Test
  ALL_COVERED = ScalingoStagingSync::Terminal::FindingsText::ALL_COVERED

  def setup
    @config = staging_config
    @output = StringIO.new
    @errors = StringIO.new
  end

  def scan(native = FakeNative.new, environment: {})
    @native = native
    ScalingoStagingSync::Services::PersonalDataScan.new(config: @config, output: @output, errors: @errors, environment:, native:)
  end

  def asked = @native.calls.first[1]

  def place = @native.calls.first[2]

  def test_the_backup_is_asked_for_neither_target_nor_key
    scan.scan
    assert_nil place
    assert_equal "my-app-production", asked.dig("source", "scalingo", "app")
    assert_equal "postgres://localhost", asked.dig("target", "url")
    refute_equal SECRET, asked.dig("masking", "secret")
    assert_equal true, asked.dig("masking", "allow_unmasked_copy")
    assert_equal ["users"], asked.dig("masking", "rules").map { |rule| rule["table"] }
    assert_equal 1000, asked.dig("pii", "sample_rows")
  end

  def test_the_table_says_of_each_column_what_it_is_and_what_covers_it
    scan.scan
    assert_equal <<~TEXT.lines(chomp: true), @output.string.lines(chomp: true)
      2 columns look personal, among those of 3 tables (my-app-production).

      Column              Kind   Heading  Sure  Found by  Seen in         Status
      ------------------  -----  -------  ----  --------  --------------  -----------------
      public.users.email  email  contact  0.97  both      1,100 of 1,200  uncovered
      public.users.phone  phone  contact  0.90  name                      ignored: invented

      Rules such as these would cover what nothing covers; what is not personal goes into config.pii_ignore, with its reason:

      config.anonymization_tables += [
      ]

      Warning: Mind this.
    TEXT
  end

  def test_json_is_the_findings_with_a_version
    scan(environment: { "FORMAT" => "json" }).suggest
    printed = JSON.parse(@output.string)
    assert_equal [1, 3, "uncovered"], [printed["schema_version"], printed["tables"], printed.dig("findings", 0, "status")]
  end

  def test_the_database_is_looked_at_where_it_is_asked_for_or_nothing_else_is_there
    scan(environment: { "SCAN" => "database" }).scan
    assert_equal({ "database" => STAGING_URL }, place)
    @config.scalingo_api_token = nil
    scan.scan
    assert_equal({ "database" => STAGING_URL }, place)
    ENV.delete("DATABASE_URL")
    error = assert_raises(ScalingoStagingSync::ConfigurationError) { scan.scan }
    assert_includes error.remedy, "DATABASE_URL"
  end

  def test_a_long_download_says_how_far_it_is_beside_the_output
    native = FakeNative.new(events: [{ event: "downloaded", bytes: 5_000_000, total: 20_000_000 }])
    asked = scan(native)
    asked.instance_variable_set(:@shown_at, -100.0)
    asked.suggest
    assert_equal "Read 5.0 MB of 20.0 MB.\n", @errors.string
    assert_equal FakeNative::FOUND[:rules], @output.string
  end

  def test_coverage_is_false_while_something_has_neither_rule_nor_reason
    assert_equal false, scan.coverage("database")
    assert_equal 0, asked.dig("pii", "sample_rows")
    assert_includes @output.string, "1 column looks personal and has neither a rule nor an entry in config.pii_ignore:\n" \
                                    "  public.users.email: email (0.97), named \"email\"\n"
    refute_includes @output.string, "users.phone"
    covered = FakeNative.new
    covered.define_singleton_method(:scan) { |*| FakeNative::FOUND.merge(findings: [], rules: nil, warnings: []) }
    assert_equal true, scan(covered).coverage("database")
    assert_includes @output.string, ALL_COVERED
  end

  def test_nothing_is_looked_for_where_the_search_is_off
    @config.run_pii_scan = false
    assert_raises(ScalingoStagingSync::ConfigurationError) { scan.scan }
    assert_empty @native.calls
  end
end

# A schema.rb as SQL.
class SchemaFileTest < Minitest::Test
  def sql(body)
    ScalingoStagingSync::PersonalData::SchemaFile.new("ActiveRecord::Schema[8.0].define(version: 2025_01_01) do\n#{body}\nend\n").sql
  end

  def test_tables_come_with_their_columns_types_and_keys
    made = sql(<<~'RUBY')
      enable_extension "citext"
      create_enum "mood", ["fine", "so'so"]
      create_table "users", id: :uuid, default: -> { "gen_random_uuid()" }, force: :cascade do |t|
        t.string "email", limit: 80, default: "", null: false
        t.citext "nick", array: true
        t.integer "votes", limit: 8
        t.enum "mood", default: "fine", enum_type: "mood"
        t.virtual "shout", type: :string, as: "upper(email)", stored: true
        t.column "place", "point"
        t.datetime "created_at", null: false
        t.index ["email"], name: "by_email", unique: true
        t.index "lower(nick)", name: "by_nick", unique: true
        t.index ["votes"], name: "by_votes"
        t.unique_constraint ["votes", "email"], name: "once"
        t.check_constraint "votes > 0", name: "positive"
      end
    RUBY
    assert_equal <<~SQL.chomp, made
      CREATE TYPE "public"."mood" AS ENUM ('fine', 'so''so');
      CREATE TABLE "public"."users" ("id" uuid NOT NULL, "email" character varying(80) NOT NULL, "nick" citext[], "votes" bigint, \
      "mood" "public"."mood", "shout" character varying GENERATED ALWAYS AS (upper(email)) STORED, "place" point, \
      "created_at" timestamp NOT NULL, PRIMARY KEY ("id"));
      CREATE UNIQUE INDEX ON "public"."users" USING btree ("email");
      CREATE UNIQUE INDEX ON "public"."users" USING btree ((lower(nick)));
      CREATE UNIQUE INDEX ON "public"."users" USING btree ("votes", "email");
    SQL
  end

  def test_tables_without_a_key_with_one_of_several_columns_and_in_another_schema
    made = sql(<<~RUBY)
      create_table "plain", id: false, force: :cascade do |t|
        t.text "note"
      end
      create_table "audit.marks", primary_key: ["pupil_id", "exam_id"], force: :cascade do |t|
        t.bigint "pupil_id", null: false
        t.bigint "exam_id", null: false
      end
      add_index "plain", ["note"], unique: true
      add_foreign_key "audit.marks", "addresses", on_delete: :cascade
      add_foreign_key "plain", "people", column: "owner_id", primary_key: "uid"
    RUBY
    assert_includes made, 'CREATE TABLE "public"."plain" ("note" text);'
    assert_includes made, '("pupil_id" bigint NOT NULL, "exam_id" bigint NOT NULL, PRIMARY KEY ("pupil_id", "exam_id"));'
    assert_includes made, 'CREATE UNIQUE INDEX ON "public"."plain" USING btree ("note");'
    assert_includes made, 'FOREIGN KEY ("address_id") REFERENCES "public"."addresses"("id");'
    assert_includes made, 'FOREIGN KEY ("owner_id") REFERENCES "public"."people"("uid");'
  end

  def test_a_table_that_rails_could_not_write_is_an_error
    error = assert_raises(ScalingoStagingSync::ConfigurationError) do
      sql(%(# Could not dump table "maps" because of following StandardError\n#   Unknown type 'geography' for column 'at'))
    end
    assert_includes error.what, "maps"
    assert_includes error.remedy, "structure.sql"
  end

  # Reads a schema.rb with this body, and returns what was passed over; its lines count from the first of the body.
  def passed_over(body)
    file = ScalingoStagingSync::PersonalData::SchemaFile.new("ActiveRecord::Schema.define do #{body}\nend\n")
    @made = file.sql
    file.passed_over.map { |sentence| sentence.delete_prefix("db/schema.rb, ").delete_suffix(", and was passed over.") }
  end

  TABLE = "create_table \"users\" do |t|\n  t.string \"email\"\nend"

  def test_what_gems_write_into_a_schema_is_read_in_silence
    body = <<~'RUBY'
      create_trigger("users_after_insert_row_tr", generated: true, compatibility: 1).
          on("users").
          after(:insert) do
        "UPDATE accounts SET users = users + 1;"
      end
      create_view "seen", materialized: true, sql_definition: <<-SQL
        SELECT 1
      SQL
      create_function :touch, sql_definition: "CREATE FUNCTION touch() ..."
      create_trigger :touch, sql_definition: "CREATE TRIGGER touch ..."
      create_schema "audit"
    RUBY
    assert_empty passed_over(body + TABLE)
    assert_includes @made, '"email" character varying'
  end

  def test_what_is_not_known_is_passed_over_and_named_with_its_line
    body = <<~RUBY
      create_hypertable "marks", time_column: "at" if Timescale.here?
      #{TABLE}
      ActiveRecord::Base.connection.execute "SELECT 1"
      add_foreign_key
      create_table "plain" do |t|
        t.strange
        t.text "note"
      end
    RUBY
    assert_equal ["line 1: Timescale is not known", "line 1: create_hypertable is not known", "line 5: Base is not known",
                  "line 6: add_foreign_key could not be read (ArgumentError)", "line 8: strange is not known"], passed_over(body)
    assert_includes @made, '"email" character varying'
    assert_includes @made, '"note" text'
  end

  def test_columns_as_migrations_write_them_are_columns
    assert_empty passed_over("create_table \"pets\" do |t|\n  t.references :owner, polymorphic: true\n  t.belongs_to :place\n  t.timestamps\nend")
    assert_includes @made, '"owner_type" character varying, "owner_id" bigint, "place_id" bigint, "created_at" timestamp NOT NULL'
  end

  def test_a_file_that_is_no_ruby_says_in_which_line
    Dir.mktmpdir do |folder|
      path = File.join(folder, "schema.rb")
      File.write(path, "ActiveRecord::Schema.define do\n<<<<<<< HEAD\nend\n")
      error = assert_raises(ScalingoStagingSync::ConfigurationError) { ScalingoStagingSync::PersonalData::SchemaFile.sql(path) }
      assert_match(/SyntaxError in line \d/, error.what)
    end
  end

  def test_the_apps_own_active_record_is_left_alone
    known = -> { [Object.const_defined?(:ActiveRecord), Object.const_defined?("ActiveRecord::Schema")] }
    before = known.call
    assert_equal "", sql("create_view \"seen\", sql_definition: \"SELECT 1\"")
    assert_equal before, known.call
  end
end

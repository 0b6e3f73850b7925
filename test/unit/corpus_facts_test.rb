# frozen_string_literal: true

require "test_helper"
require "open3"
require "rbconfig"

# bench/corpus/facts takes table, column, type, nullability and comment out of a schema file, and nothing else.
class CorpusFactsTest < Minitest::Test
  SCRIPT = File.expand_path("../../bench/corpus/facts", __dir__)

  def test_a_schema_rb_gives_its_columns_with_short_types
    facts, = facts_of("schema.rb", <<~RUBY)
      ActiveRecord::Schema[7.1].define(version: 2024_01_01_000000) do
        create_enum "kind", ["a", "b"]
        create_table "people", id: :uuid, comment: "not a column's", force: :cascade do |t|
          t.string "email", limit: 80, null: false, comment: "work\\taddress"
          t.string "tags", default: [], array: true
          t.float "score"
          t.column "born", :date
          t.virtual "full_name", type: :string, as: "first || last", stored: true
          t.enum "kind", enum_type: "kind"
          t.references :team, null: false
          t.timestamps null: false
          t.index ["email"], name: "people_email"
        end
        create_table :teams_people, id: false do |t|
          t.bigint "team_id"
        end
        add_foreign_key "people", "teams"
      end
    RUBY

    assert_equal <<~TSV, facts
      people\tid\tuuid\tnot null\t
      people\temail\tvarchar(80)\tnot null\twork address
      people\ttags\tvarchar[]\t\t
      people\tscore\tdouble\t\t
      people\tborn\tdate\t\t
      people\tfull_name\tvarchar\t\t
      people\tkind\tkind\t\t
      people\tteam_id\tbigint\tnot null\t
      people\tcreated_at\ttimestamp\tnot null\t
      people\tupdated_at\ttimestamp\tnot null\t
      teams_people\tteam_id\tbigint\t\t
    TSV
  end

  def test_a_structure_sql_gives_the_same_facts
    facts, = facts_of("structure.sql", <<~SQL)
      CREATE TABLE public.people (
          id bigint NOT NULL,
          email character varying(80) DEFAULT ''::character varying NOT NULL,
          seen_at timestamp(6) without time zone,
          score double precision,
          "group" integer,
          CONSTRAINT sane CHECK ((score > (0)::double precision))
      );
      COMMENT ON COLUMN public.people.email IS 'Bob''s address';
      CREATE INDEX people_email ON public.people (email);
    SQL

    assert_equal <<~TSV, facts
      people\tid\tbigint\tnot null\t
      people\temail\tvarchar(80)\tnot null\tBob's address
      people\tseen_at\ttimestamp\t\t
      people\tscore\tdouble\t\t
      people\tgroup\tinteger\t\t
    TSV
  end

  def test_a_schema_rb_is_read_and_never_run
    facts, errors = facts_of("schema.rb", <<~RUBY)
      abort "run"
      create_table "notes" do |t|
        t.text "body"
        raise "run" if ENV["RUN"]
      end
    RUBY

    assert_includes facts, "notes\tbody\ttext"
    assert_equal "notes: passed over line 4\n", errors
  end

  def test_a_file_without_tables_is_refused
    _, errors, status = facts_of("schema.rb", "puts 1\n")

    refute_predicate status, :success?
    assert_includes errors, "has no table that this script can read"
  end

  private

  def facts_of(name, text)
    Dir.mktmpdir do |folder|
      path = File.join(folder, name)
      File.write(path, text)
      Open3.capture3(RbConfig.ruby, SCRIPT, path)
    end
  end
end

# frozen_string_literal: true

require_relative "integration_helper"

# Originals of masked columns that survive elsewhere, and what holds personal data beside columns.
class LeakCheckTest < IntegrationTest
  SCHEMA = <<~'SQL'
    CREATE EXTENSION IF NOT EXISTS hstore;
    CREATE TABLE users (id int PRIMARY KEY, email text NOT NULL, phone text, created_at timestamp DEFAULT now());
    INSERT INTO users SELECT n, 'person' || n || '@example.com', '06 12 34 5' || n / 10 % 10 || ' 7' || n % 10 FROM generate_series(1, 40) AS n;
    CREATE TABLE notes (id int PRIMARY KEY, body text, payload jsonb, tags text[], extra hstore, raw bytea);
    INSERT INTO notes SELECT n, 'Thank you for order ' || n, '{"status": "sent"}', '{a,b}', 'a=>b', '\x6f6b6f6b6f6b' FROM generate_series(1, 20) AS n;
  SQL

  RULES = [{ "table" => "users", "columns" => { "email" => "email", "phone" => "phone" } }].freeze

  # What is planted in which column, and the kind that it is found as.
  PLANTED = {
    "body" => ["'Dear Person7@Example.com, hello'", "email"],
    "payload" => [%('{"a": {"b": ["x", {"tel": "+33 6 12 34 51 72"}]}}'), "phone"],
    "tags" => ["ARRAY['x', 'person9@example.com']", "email"],
    "extra" => ["hstore('mail', 'person10@example.com')", "email"],
    "raw" => ["convert_to(E'To: person11@example.com\\n', 'UTF8')", "email"]
  }.freeze

  def test_an_original_that_survived_fails_the_run_and_says_where_and_what_to_paste
    archive = planted(PLANTED.map { |column, (value, _)| [column, value] })
    target = new_database
    error = assert_run_fails ScalingoStagingSync::VerificationError, **settings(archive, target)
    PLANTED.each { |column, (_, _kind)| assert_match(/public\.notes\.#{column} holds 1 /, error.message) }
    assert_match(/\{ table: "notes", columns: \{ body: :scrub \} \}/, error.message)
    refute_match(/person\d|34 51 72/i, error.message)
    assert_equal "0", target.value("SELECT count(*) FROM notes"), "a table with a leak was left as it is"
    assert_equal "40", target.value("SELECT count(*) FROM users")
  end

  def test_without_strictness_it_is_a_warning_and_in_the_report
    archive = planted(PLANTED.map { |column, (value, _)| [column, value] })
    target = new_database
    outcome = run!(**settings(archive, target, strict: false))
    leaks = outcome.report[:leaks]
    assert_equal PLANTED.to_h { |column, (_, kind)| [column, kind] }, leaks.to_h { |leak| leak.values_at(:column, :kind) }
    assert(leaks.all? { |leak| leak[:certain] && leak[:count] == 1 && leak[:table] == "public.notes" })
    refute outcome.report[:verified]
    assert_equal 5, outcome.warnings.grep(/of masked columns/).size
    assert_equal "21", target.value("SELECT count(*) FROM notes")
  end

  def test_the_entry_that_it_says_closes_the_leak
    archive = planted([["body", "'mail person7@example.com or +33612345172'"]])
    rules = RULES + [{ "table" => "notes", "columns" => { "body" => "scrub" } }]
    outcome = run!(**settings(archive, new_database, rules:))
    assert_empty outcome.report[:leaks]
    assert outcome.report[:verified]
    assert_operator outcome.report[:leak_check][:originals], :>=, 80
  end

  def test_encoded_copies_are_found
    archive = planted([
                        ["body", "'GET /search?mail=person3%40example.com'"],
                        ["body", "E'Bonjour =C3=A0 person4@exam=\\nple.com'"],
                        ["payload", %('"{\\"m\\": \\"person5\\\\u0040example.com\\"}"')],
                        ["body", "'https://gravatar.com/avatar/' || md5('person6@example.com')"]
                      ])
    report = run!(**settings(archive, new_database, strict: false)).report
    found = report[:leaks].map { |leak| leak.values_at(:column, :kind, :count) }
    assert_equal [["body", "email", 2], ["body", "hash", 1], ["payload", "email", 1]], found.sort
  end

  def test_none_is_reported_where_there_is_none
    report = run!(**settings(planted([]), new_database)).report
    assert_empty report[:leaks]
    assert report[:verified] && report[:leak_check][:exact]
  end

  def test_off_it_does_not_look
    archive = planted([["body", "'person7@example.com'"]])
    report = run!(source: archive, target: new_database.url, masking_options: { rules: RULES, allow_unmasked_copy: false }).report
    assert_empty report[:leaks]
    assert_nil report[:leak_check]
  end

  def test_what_sql_masks_is_an_original_and_what_it_deletes_has_not_survived
    archive = planted([["body", "'person7@example.com'"], ["body", "'spam for person8@example.com'"]])
    rules = [{ "table" => "users", "query" => "UPDATE users SET email = 'user' || id || '@demo.test', phone = NULL" }]
    masking = { rules: [], sql_rules: rules, allow_unmasked_copy: false, fail_on_verification_error: false }
    outcome = run!(source: archive, target: new_database.url, masking_options: masking, options: on)
    assert_equal [["body", 2]], outcome.report[:leaks].map { |leak| leak.values_at(:column, :count) }
    masking[:sql_rules] = rules + [{ "table" => "notes", "query" => "DELETE FROM notes WHERE body LIKE 'spam%'" }]
    outcome = run!(source: archive, target: new_database.url, masking_options: masking, options: on)
    assert_equal [["body", 1]], outcome.report[:leaks].map { |leak| leak.values_at(:column, :count) }
  end

  def test_what_a_condition_or_a_rule_in_sql_leaves_in_its_column_is_no_original
    archive = planted([["body", "'person7@example.com and person30@example.com'"],
                       ["body", "'https://gravatar.com/avatar/' || md5('person30@example.com')"]])
    rule = { "table" => "users", "columns" => { "email" => "email", "phone" => "phone" }, "condition" => "id < 20" }
    query = { "table" => "users", "query" => "UPDATE users SET email = 'user' || id || '@demo.test' WHERE id < 20" }
    [{ rules: [rule] }, { rules: [], sql_rules: [query] }].each do |rules|
      masking = rules.merge(allow_unmasked_copy: false, fail_on_verification_error: false)
      report = run!(source: archive, target: (target = new_database).url, masking_options: masking, options: on).report
      assert_equal "21", target.value("SELECT count(*) FROM users WHERE email LIKE 'person%'")
      assert_equal [["body", "email", 1]], report[:leaks].map { |leak| leak.values_at(:column, :kind, :count) }, rules.inspect
      target = database_with(SCHEMA + plant([["body", "'person7@example.com and person30@example.com'"]]))
      settings = Engine.settings(source: "unused", target: target.url, masking_options: masking, options: on)
      report = ScalingoStagingSync::Native.anonymize(settings) { nil }
      assert_equal [["body", "email", 1]], report[:leaks].map { |leak| leak.values_at(:column, :kind, :count) }, "in place, #{rules}"
    end
  end

  def test_an_original_inside_of_a_document_that_is_masked_in_part_is_found
    archive = source_with(<<~'SQL')
      CREATE TABLE users (id int PRIMARY KEY, email text, doc jsonb);
      INSERT INTO users VALUES (1, 'person1@example.com', '{"mail": "person1@example.com", "note": "see person1@example.com"}'),
                               (2, 'person2@example.com', '{"mail": "person2@example.com", "note": "nothing"}');
    SQL
    rules = [{ "table" => "users", "columns" => { "email" => "email", "doc" => { "mask" => "json", "paths" => { "$.mail" => "email" } } } }]
    report = run!(**settings(archive, new_database, rules:, strict: false)).report
    assert_equal [["doc", "email", 1]], report[:leaks].map { |leak| leak.values_at(:column, :kind, :count) }
    assert_equal "{ table: \"users\", columns: { doc: { mask: :json, paths: { \"$..*\" => \"null\" } } } }", report[:leaks].first[:entry]
  end

  def test_full_names_are_reported_when_asked_for_and_never_fail_a_run
    database = source_with(<<~SQL)
      CREATE TABLE people (id int PRIMARY KEY, first_name text, last_name text);
      INSERT INTO people VALUES (1, 'Eulalie', 'Brossard'), (2, 'Marie', 'Dupont');
      CREATE TABLE calls (id int PRIMARY KEY, summary text);
      INSERT INTO calls VALUES (1, 'Rappeler Marie Dupont demain');
    SQL
    rules = [{ "table" => "people", "columns" => { "first_name" => "first_name", "last_name" => "last_name" } }]
    settings = settings(database, new_database, rules:)
    assert_empty run!(**settings).report[:leaks]
    settings[:options] = { leak_check: { "enabled" => true, "names" => true } }
    leaks = run!(**settings, target: new_database.url).report[:leaks]
    assert_equal [["summary", "name", false]], leaks.map { |leak| leak.values_at(:column, :kind, :certain) }
  end

  def test_a_search_vector_is_made_anew_by_its_trigger_or_emptied
    archive = source_with(<<~'SQL')
      CREATE TABLE posts (id int PRIMARY KEY, title text, mail text, made tsvector, computed tsvector, left_alone tsvector NOT NULL,
                          generated tsvector GENERATED ALWAYS AS (to_tsvector('simple', mail)) STORED);
      CREATE FUNCTION vectors() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN new.computed := to_tsvector('simple', coalesce(new.mail, '')); RETURN new; END $$;
      CREATE TRIGGER made BEFORE INSERT OR UPDATE ON posts FOR EACH ROW
        EXECUTE FUNCTION tsvector_update_trigger('made', 'pg_catalog.simple', 'title', 'mail');
      CREATE TRIGGER computed BEFORE INSERT OR UPDATE ON posts FOR EACH ROW EXECUTE FUNCTION vectors();
      INSERT INTO posts VALUES (1, 'hello', 'secret1@example.com', NULL, NULL, 'secret1');
    SQL
    rules = [{ "table" => "posts", "columns" => { "mail" => "email" } }]
    target = new_database
    report = run!(**settings(archive, target, rules:)).report
    row = target.exec("SELECT mail, made::text, computed::text, left_alone::text, generated::text FROM posts").first
    refute(row.values.any? { |value| value.include?("secret1") }, row.inspect)
    assert_equal "'#{row["mail"]}':1", row["computed"]
    assert_equal row["computed"], row["generated"]
    assert_includes row["made"], "'hello':1"
    assert_equal "", row["left_alone"]
    assert_equal [%w[public.posts.computed rebuilt], %w[public.posts.left_alone emptied], %w[public.posts.made rebuilt]],
                 report[:channels].map { |channel| [channel[:name], channel[:outcome].to_s] }.sort
    assert_equal "2", target.value("SELECT count(*) FROM pg_trigger WHERE NOT tgisinternal"), "the triggers are there, once"
  end

  def test_a_search_vector_of_unmasked_columns_stays
    archive = source_with(<<~'SQL')
      CREATE TABLE posts (id int PRIMARY KEY, title text, mail text, made tsvector);
      CREATE TRIGGER made BEFORE INSERT OR UPDATE ON posts FOR EACH ROW
        EXECUTE FUNCTION tsvector_update_trigger('made', 'pg_catalog.simple', 'title');
      INSERT INTO posts VALUES (1, 'hello', 'secret1@example.com');
    SQL
    target = new_database
    report = run!(**settings(archive, target, rules: [{ "table" => "posts", "columns" => { "mail" => "email" } }])).report
    assert_equal "'hello':1", target.value("SELECT made FROM posts")
    assert_empty report[:channels]
  end

  def test_large_objects_are_reported_and_left_out_on_request
    archive = source_with("CREATE TABLE files (id int, content oid); INSERT INTO files SELECT 1, lo_from_bytea(0, 'person7');")
    rules = [{ "table" => "files", "columns" => { "id" => "null" } }]
    target = new_database
    report = run!(**settings(archive, target, rules:)).report
    assert_equal [["large_objects", 1, "unscanned"]], channels(report)
    assert_equal "person7", target.value("SELECT convert_from(lo_get(content), 'UTF8') FROM files")
    target = new_database
    settings = settings(archive, target, rules:)
    settings[:options] = on.merge(exclude_large_objects: true)
    report = run!(**settings).report
    assert_equal [["large_objects", 0, "left_out"]], channels(report)
    assert_equal "", target.value("SELECT convert_from(lo_get(content), 'UTF8') FROM files")
  end

  def test_personal_data_in_the_schemas_own_text_is_reported
    archive = source_with(<<~'SQL')
      CREATE TYPE owner AS ENUM ('chief@example.com', 'nobody');
      CREATE TABLE settings (id int, sender text DEFAULT 'jane.doe@example.com', CHECK (sender <> 'x'));
      CREATE FUNCTION greet() RETURNS text LANGUAGE sql AS $$ SELECT 'call +33 6 12 34 56 78' $$;
      CREATE VIEW mine AS SELECT * FROM settings WHERE sender = 'john@example.com';
      COMMENT ON TABLE settings IS 'Ask bob@example.com';
      INSERT INTO settings VALUES (1);
    SQL
    report = run!(**settings(archive, new_database, rules: [{ "table" => "settings", "columns" => { "sender" => "email" } }])).report
    found = report[:channels].map { |channel| [channel[:channel].to_s, channel[:name][/\A\w+/], channel[:kind]] }
    assert_equal [%w[schema_text FUNCTION phone], %w[schema_text TABLE email],
                  %w[schema_text TYPE email], %w[schema_text VIEW email]], found.sort
    refute_match(/jane|chief|john@|bob@|34 56/, report[:channels].inspect)
  end

  def test_every_sort_of_definition_is_searched
    archive = source_with(<<~'SQL')
      CREATE TABLE parts (mail text) PARTITION BY LIST (mail);
      CREATE TABLE part_of_one PARTITION OF parts FOR VALUES IN ('one@example.com');
      CREATE TABLE plain (id int, mail text, CONSTRAINT nobody CHECK (mail <> 'two@example.com'));
      CREATE INDEX partly ON plain (id) WHERE mail = 'three@example.com';
      CREATE POLICY mine ON plain USING (mail = 'four@example.com');
      CREATE RULE stop AS ON INSERT TO plain WHERE new.mail = 'five@example.com' DO INSTEAD NOTHING;
    SQL
    report = run!(**settings(archive, new_database, rules: [{ "table" => "plain", "columns" => { "mail" => "email" } }])).report
    found = report[:channels].map { |channel| channel.values_at(:name, :kind) }.sort
    assert_equal 5, found.size, found.inspect
    %w[part_of_one plain partly mine stop].each do |name|
      assert(found.any? { |object, kind| object.include?(name) && kind == "email" }, "#{name}: #{found}")
    end
  end

  def test_a_column_that_is_known_not_to_be_personal_is_not_looked_at
    archive = planted([["body", "'person7@example.com'"]])
    settings = settings(archive, new_database)
    settings[:options] = on.merge(pii: { scan: true, ignore: [{ "column" => "notes.body", "reason" => "meant to be there" }] })
    assert_empty run!(**settings).report[:leaks]
  end

  def test_what_is_masked_by_itself_is_an_original_too_and_a_search_vector_beside_it_is_made_anew
    archive = source_with(<<~'SQL')
      CREATE TABLE people (id int PRIMARY KEY, col_a text, words tsvector, other tsvector);
      CREATE TRIGGER words BEFORE INSERT OR UPDATE ON people FOR EACH ROW
        EXECUTE FUNCTION tsvector_update_trigger('words', 'pg_catalog.simple', 'col_a');
      INSERT INTO people (id, col_a, other) SELECT n, 'ada' || n || '@people.example', 'ada' FROM generate_series(1, 100) AS n;
      CREATE TABLE logs (id int PRIMARY KEY, line text);
      INSERT INTO logs SELECT n, CASE n WHEN 4900 THEN 'sent to ada7@people.example' ELSE 'ok' END FROM generate_series(1, 5000) AS n;
    SQL
    settings = settings(archive, target = new_database, rules: [], strict: false)
    settings[:options] = on.merge(pii: { scan: true, policy: "mask", sample_rows: 50 })
    report = run!(**settings).report
    assert_equal [%w[public.logs line email]], report[:leaks].map { |leak| leak.values_at(:table, :column, :kind) }
    row = target.exec("SELECT col_a, words::text, other::text FROM people WHERE id = 7").first
    assert_equal ["'#{row["col_a"]}':1", nil], row.values_at("words", "other")
    refute_includes row["col_a"], "people.example"
    assert_equal [%w[public.people.other emptied], %w[public.people.words rebuilt]],
                 report[:channels].map { |channel| [channel[:name], channel[:outcome].to_s] }.sort
  end

  def test_a_search_vector_stays_where_rules_in_sql_only_delete
    archive = source_with(<<~'SQL')
      CREATE TABLE posts (id int PRIMARY KEY, title text, words tsvector);
      INSERT INTO posts VALUES (1, 'hello', 'hello'), (2, 'spam', 'spam');
    SQL
    masking = { rules: [], sql_rules: [{ "table" => "posts", "query" => "DELETE FROM posts WHERE id = 2" }], allow_unmasked_copy: false }
    run!(source: archive, target: (target = new_database).url, masking_options: masking, options: on)
    assert_equal ["'hello'"], target.values("SELECT words FROM posts")
  end

  def test_the_plan_lists_what_holds_personal_data_beside_columns
    archive = source_with(<<~'SQL')
      CREATE TABLE posts (id int PRIMARY KEY, mail text DEFAULT 'jane@example.com', words tsvector);
      CREATE TABLE files (id int, content oid);
      INSERT INTO files SELECT 1, lo_from_bytea(0, 'person7');
    SQL
    settings = Engine.settings(source: archive, target: new_database.url, options: on, rules: {},
                               masking_options: { rules: [{ "table" => "posts", "columns" => { "mail" => "email" } }] })
    planned = ScalingoStagingSync::Native.plan(settings) { nil }
    assert_equal %w[large_objects schema_text search_vector], planned[:channels].map { |channel| channel[:channel].to_s }.sort
    text = ScalingoStagingSync::Terminal::PreviewText.new(ScalingoStagingSync::Preview::Plan.of(planned)).to_s
    assert_includes text, "Personal data beside columns\n  public.posts.words holds words of masked columns"
    assert_includes text, "1 large object"
  end

  def test_masking_a_database_that_is_there_makes_search_vectors_anew
    target = database_with(<<~'SQL')
      CREATE TABLE posts (id int PRIMARY KEY, mail text, made tsvector, computed tsvector, left_alone tsvector, file oid);
      CREATE FUNCTION vectors() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN new.computed := to_tsvector('simple', coalesce(new.mail, '')); RETURN new; END $$;
      CREATE TRIGGER made BEFORE INSERT OR UPDATE ON posts FOR EACH ROW
        EXECUTE FUNCTION tsvector_update_trigger('made', 'pg_catalog.simple', 'mail');
      CREATE TRIGGER computed BEFORE INSERT OR UPDATE ON posts FOR EACH ROW EXECUTE FUNCTION vectors();
      INSERT INTO posts VALUES (1, 'secret1@example.com', NULL, NULL, 'secret1', lo_from_bytea(0, 'x'));
    SQL
    masking = { rules: [{ "table" => "posts", "columns" => { "mail" => "email" } }], allow_unmasked_copy: false }
    settings = Engine.settings(source: "unused", target: target.url, masking_options: masking, options: on)
    report = ScalingoStagingSync::Native.anonymize(settings) { nil }
    row = target.exec("SELECT mail, made::text, computed::text, left_alone::text FROM posts").first
    assert_equal ["'#{row["mail"]}':1"] * 2, row.values_at("made", "computed")
    assert_nil row["left_alone"]
    assert_equal %w[emptied rebuilt rebuilt unscanned], report[:channels].map { |channel| channel[:outcome].to_s }.sort
    assert_equal "OO", target.value("SELECT string_agg(tgenabled::text, '') FROM pg_trigger WHERE NOT tgisinternal")
  end

  def test_masking_a_database_that_is_there_looks_at_all_of_it
    target = database_with(SCHEMA + plant([["body", "'person7@example.com'"]]))
    settings = Engine.settings(source: "unused", target: target.url,
                               masking_options: { rules: RULES, allow_unmasked_copy: false }, options: on)
    error = assert_raises(ScalingoStagingSync::VerificationError) { ScalingoStagingSync::Native.anonymize(settings) { nil } }
    assert_match(/public\.notes\.body holds 1 e-mail address of masked columns/, error.message)
    assert_equal "21", target.value("SELECT count(*) FROM notes"), "nothing is emptied in a database that was there"
    assert_equal "0", target.value("SELECT count(*) FROM users WHERE email LIKE 'person%'")
  end

  private

  def on = { leak_check: { "enabled" => true } }

  def settings(archive, target, rules: RULES, strict: true)
    masking = { rules:, allow_unmasked_copy: false, fail_on_verification_error: strict }
    { source: archive, target: target.url, masking_options: masking, options: on }
  end

  def channels(report) = report[:channels].map { |channel| [channel[:channel].to_s, channel[:count], channel[:outcome].to_s] }

  # The statements that plant values: each in a row of its own.
  def plant(values)
    values.each_with_index.map { |(column, value), place| "INSERT INTO notes (id, #{column}) VALUES (#{place + 100}, #{value});" }.join("\n")
  end

  # An archive of the schema, with values planted in one row where they are of different columns.
  def planted(values)
    columns = values.map(&:first)
    sql = if columns.uniq == columns && columns.any?
            "INSERT INTO notes (id, #{columns.join(", ")}) VALUES (99, #{values.map(&:last).join(", ")});"
          else
            plant(values)
          end
    source_with(SCHEMA + sql)
  end

  def database_with(sql) = new_database("leaky").tap { |database| database.load_sql(sql_file(sql)) }

  def source_with(sql) = database_with(sql).dump(path("dump_#{@dumps = @dumps.to_i + 1}"))

  def sql_file(sql) = file("schema_#{@files = @files.to_i + 1}.sql", sql)
end

# frozen_string_literal: true

require_relative "integration_helper"

# `check` asks PostgreSQL about the SQL of rules, in a database that is in use: staging's own tables, which may be none
# of the backup's, stay as they are and as free as they are.
class AskServerTest < IntegrationTest
  # What production has; staging often has less, or more.
  PRODUCTION = <<~SQL
    CREATE TYPE public.status AS ENUM ('draft', 'it''s paid');
    CREATE DOMAIN public.short AS text CHECK (length(VALUE) < 100);
    CREATE FUNCTION public.hidden(text) RETURNS text LANGUAGE sql IMMUTABLE AS $$SELECT md5($1)$$;
    CREATE TABLE public.accounts (id bigint PRIMARY KEY, slug text NOT NULL);
    CREATE TABLE public.users (id bigint PRIMARY KEY, account_id bigint REFERENCES public.accounts, email text, phone character varying(20),
      state public.status DEFAULT 'draft', nick public.short);
    ALTER TABLE public.users REPLICA IDENTITY FULL;
    CREATE TABLE public.visits (id bigint NOT NULL, on_day date NOT NULL, remark text) PARTITION BY RANGE (on_day);
    CREATE TABLE public.visits_old PARTITION OF public.visits FOR VALUES FROM (MINVALUE) TO (MAXVALUE);
    INSERT INTO public.accounts VALUES (1, 'one');
    INSERT INTO public.users VALUES (1, 1, 'RAW@mail.example', '1', 'draft', 'RAW');
    INSERT INTO public.visits VALUES (1, '2026-01-01', 'RAW');
  SQL

  SOUND = [
    ["users", "UPDATE users SET email = hidden(email), state = 'it''s paid', nick = 'x', phone = DEFAULT"],
    ["users", "DELETE FROM users WHERE state = 'draft'::status AND account_id IN (SELECT id FROM accounts WHERE slug <> '')"],
    ["visits", "UPDATE visits SET remark = 'of ' || on_day"]
  ].freeze

  def archive
    Shared.made("ask_server") do
      database = Postgres.create_database("ask_server")
      database.exec(PRODUCTION)
      database.dump("#{Shared.directory}/ask_server.dump").tap { database.drop }
    end
  end

  def plan(target, rules, **options)
    sql_rules = rules.map { |table, sql| { "table" => table, "query" => sql } }
    settings = Engine.settings(source: archive, target:, masking_options: { sql_rules: }, options: { ask_server: true, **options })
    ScalingoStagingSync::Native.plan(settings) { nil }
  end

  # A staging database in each state that a team's may be in.
  def stagings
    {
      "empty" => "SELECT 1", "as production" => PRODUCTION,
      "behind" => "CREATE TYPE public.status AS ENUM ('draft'); CREATE TABLE public.users (id bigint, email integer)",
      "ahead" => "#{PRODUCTION}; ALTER TABLE public.users ADD COLUMN age int; ALTER TABLE public.accounts ADD COLUMN plan text"
    }
  end

  def test_sound_sql_is_accepted_and_nothing_is_changed_whatever_staging_holds
    stagings.except("behind").each do |state, sql|
      staging = new_staging
      staging.database.connect(staging.url) { |connection| connection.exec(sql) }
      planned = assert_untouched(staging.database) { plan(staging.url, SOUND) }
      assert_equal [[], { accepted: 3, refused: 0, unanswered: [] }], [planned[:problems], planned[:server_check]], state
    end
  end

  def test_sql_that_the_server_refuses_is_reported_before_a_run
    stagings.each do |state, sql|
      staging = new_staging
      staging.database.connect(staging.url) { |connection| connection.exec(sql) }
      planned = plan(staging.url, [["users", "UPDATE users SET email = 7 + 'x'::date"], ["visits", "UPDATE visits SET remark = upper(on_day, 3)"],
                                   ["users", "UPDATE users SET phone = '1'"]])
      refute planned[:would_succeed], state
      check = planned[:server_check]
      assert_operator check[:refused], :>=, 1, "#{state}: #{check}"
      planned[:problems].each { |problem| assert_equal "PlanError", problem[:error].split("::").last }
      assert(planned[:problems].any? do |problem|
               problem[:what].include?("UPDATE visits SET remark") || problem[:what].include?("UPDATE users SET email")
             end, planned[:problems].to_s)
    end
  end

  def test_what_staging_has_otherwise_than_the_backup_is_said_not_to_have_been_asked
    staging = new_staging
    staging.database.connect(staging.url) do |connection|
      connection.exec("CREATE TYPE public.status AS ENUM ('draft'); CREATE TABLE public.accounts (id text)")
    end
    planned = plan(staging.url, SOUND)
    assert planned[:would_succeed], planned[:problems].to_s
    assert_equal [1, 0], planned[:server_check].values_at(:accepted, :refused)
    assert_equal 1, planned[:server_check][:unanswered].size
    assert_match(/public\.accounts, which it reads, is not in the target as it is in the backup/, planned[:server_check][:unanswered].first)
  end

  def test_a_label_that_staging_lacks_is_there_as_in_the_backup
    staging = new_staging
    staging.database.connect(staging.url) { |connection| connection.exec("CREATE TYPE public.status AS ENUM ('draft')") }
    planned = plan(staging.url, SOUND.first(1))
    assert planned[:would_succeed], planned[:problems].to_s
    assert_equal({ accepted: 1, refused: 0, unanswered: [] }, planned[:server_check])
  end

  # Readers and writers of the app go on while it asks, and it waits for none of them.
  def test_it_neither_waits_for_the_app_nor_holds_it_up
    staging = new_staging
    staging.database.connect(staging.url) do |connection|
      connection.exec(PRODUCTION)
      connection.exec("BEGIN; LOCK TABLE public.users, public.accounts, public.visits IN SHARE ROW EXCLUSIVE MODE; INSERT INTO public.accounts VALUES (9, 'nine')")
      assert_equal({ accepted: 3, refused: 0, unanswered: [] }, plan(staging.url, SOUND, fingerprint: "x")[:server_check])
      connection.exec("COMMIT")
    end
    assert_equal "2", staging.database.value("SELECT count(*) FROM public.accounts")
  end

  def test_it_asks_only_where_it_is_to
    staging = new_staging
    assert_nil plan(staging.url, SOUND, ask_server: false)[:server_check]
    assert_equal({ accepted: 0, refused: 0, unanswered: [] }, plan(staging.url, [])[:server_check])
  end
end

# frozen_string_literal: true

require_relative "integration_helper"

# Under config.pii_policy = :mask, without a rule: what comes out still works in the app that reads it.
class MaskedValuesTest < IntegrationTest
  AGENTS = <<~SQL
    CREATE TYPE public.sexes AS ENUM ('feminin', 'masculin', 'autre');
    CREATE TABLE public.agents (id bigint PRIMARY KEY, prenom text, nom text, civilite varchar NOT NULL, sexe varchar(1) NOT NULL,
      nationalite varchar(3) NOT NULL, genre integer NOT NULL, gender public.sexes NOT NULL, sex text CHECK (sex IN ('M', 'F')),
      marital_status text NOT NULL);
    INSERT INTO public.agents
      SELECT n, 'Marie', 'Durand', CASE WHEN n % 4 = 0 THEN 'M.' ELSE 'Mme' END, CASE WHEN n % 4 = 0 THEN 'M' ELSE 'F' END,
        (array['FRA', 'ITA', 'DEU'])[1 + n % 3], n % 3, 'feminin', 'F', 'situation of agent number ' || n
      FROM generate_series(1, 400) AS n;
  SQL

  def test_a_category_gets_values_of_its_own_as_often_as_before_and_says_nothing_of_the_row
    sync(AGENTS)
    { "civilite" => %w[M. Mme], "sexe" => %w[F M], "nationalite" => %w[DEU FRA ITA], "genre" => %w[0 1 2] }.each do |column, values|
      assert_equal values, @target.values("SELECT DISTINCT #{column} FROM agents ORDER BY 1"), column
    end
    assert_in_delta 100, @target.value("SELECT count(*) FROM agents WHERE sexe = 'M'").to_i, 30
    stayed = @target.value("SELECT count(*) FROM agents WHERE (sexe = 'M') = (id % 4 = 0)").to_i
    assert_operator stayed, :<, 320, "about five in eight rows keep theirs by chance"
  end

  def test_what_is_listed_by_an_enum_or_a_check_is_drawn_from_the_list
    sync(AGENTS)
    assert_equal %w[feminin], @target.values("SELECT DISTINCT gender::text FROM agents"), "no other label is in use"
    assert_equal %w[F], @target.values("SELECT DISTINCT sex FROM agents")
  end

  def test_a_value_that_is_first_seen_later_is_replaced_by_one_of_the_first
    sync(<<~SQL, sample_rows: 100)
      CREATE TABLE public.people (id bigint PRIMARY KEY, first_name text, nationality varchar NOT NULL);
      INSERT INTO public.people SELECT n, 'Ada', CASE WHEN n > 30000 THEN 'Vanuatu' ELSE 'French' END FROM generate_series(1, 40000) AS n;
    SQL
    assert_equal %w[French], @target.values("SELECT DISTINCT nationality FROM people")
  end

  def test_values_that_are_no_categories_are_masked_otherwise
    sync(AGENTS)
    assert_equal "0", @target.value("SELECT count(*) FROM agents WHERE marital_status LIKE 'situation%'")
  end

  def test_the_lists_of_the_apps_models_are_kept_to
    admitted = [{ "table" => "staff", "column" => "gender", "values" => %w[woman man] }]
    sync(<<~SQL, "admitted" => admitted)
      CREATE TABLE public.staff (id bigint PRIMARY KEY, first_name text, gender text);
      INSERT INTO public.staff SELECT n, 'Ada', CASE WHEN n % 2 = 0 THEN 'woman' WHEN n % 7 = 0 THEN 'typo' ELSE 'man' END FROM generate_series(1, 60) AS n;
    SQL
    assert_equal %w[man woman], @target.values("SELECT DISTINCT gender FROM staff ORDER BY 1")
  end

  def test_a_rule_draws_from_the_rows_too_and_what_is_suggested_can_be_pasted
    rules = [{ "table" => "agents", "columns" => { "sexe" => "category", "civilite" => { "mask" => "category", "values" => %w[A B] } } }]
    sync(AGENTS, policy: "warn", rules:)
    assert_equal %w[F M], @target.values("SELECT DISTINCT sexe FROM agents ORDER BY 1")
    assert_equal %w[A B], @target.values("SELECT DISTINCT civilite FROM agents ORDER BY 1")
  end

  def test_settings_change_where_they_are_addresses_and_nowhere_else
    sync(<<~SQL)
      CREATE TABLE public.settings (id bigint PRIMARY KEY, var text NOT NULL UNIQUE, value text);
      INSERT INTO public.settings SELECT n, 'opt_' || n, CASE WHEN n % 10 = 0 THEN 'contact' || n || '@ville.example'
        ELSE (array['true', 'false', 'fr', '12', 'https://x.example', 'Europe/Paris'])[1 + n % 6] END FROM generate_series(1, 60) AS n;
    SQL
    assert_equal "6", @target.value("SELECT count(*) FROM settings WHERE value LIKE '%@demo.example.com'")
    kept = @target.values("SELECT DISTINCT value FROM settings WHERE value NOT LIKE '%@%' ORDER BY 1")
    assert_equal ["12", "Europe/Paris", "false", "fr", "https://x.example", "true"].sort, kept.sort
  end

  def test_a_document_is_masked_by_its_leaves_and_otherwise_stays
    sync(<<~SQL)
      CREATE TABLE public.projects (id bigint PRIMARY KEY, options jsonb NOT NULL);
      INSERT INTO public.projects SELECT n, jsonb_build_object('theme', 'dark', 'columns', jsonb_build_array(1, n), 'public', true,
        'owner', jsonb_build_object('first_name', 'Mirandolphe', 'email', 'marie' || n || '@people.example'))
      FROM generate_series(1, 60) AS n;
    SQL
    kept = "options->>'theme' = 'dark' AND options->'columns'->>1 = id::text AND options->>'public' = 'true'"
    assert_equal "60", @target.value("SELECT count(*) FROM projects WHERE #{kept} AND options->'owner'->>'email' LIKE '%@demo.example.com'")
    assert_equal "0", @target.value("SELECT count(*) FROM projects WHERE options::text ~ 'people.example|Mirandolphe'")
  end

  private

  def sync(sql, policy: "mask", sample_rows: 1000, rules: [], **pii)
    source = Postgres.create_database("values")
    later { source.drop }
    source.exec(sql)
    @target = new_database
    settings = Engine.settings(source: source.dump(path("values.dump")), target: @target.url, masking_options: { rules: })
    settings["masking"]["allow_unmasked_copy"] = true
    settings["pii"] = { "scan" => true, "policy" => policy, "sample_rows" => sample_rows }.merge(pii.transform_keys(&:to_s))
    outcome = Engine.run(settings)
    raise outcome.error if outcome.error

    outcome
  end
end

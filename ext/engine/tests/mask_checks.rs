//! CHECK constraints: pseudonyms meet those that are simple, in the server's own eyes; a mask that never can is refused
//! by the plan; one that cannot be understood is warned of.

#![allow(clippy::unwrap_used, clippy::panic)]

mod plan_support;

use plan_support::{planned, settings, Database};
use serde_json::{json, Value};
use staging_sync_engine::error::Error;
use staging_sync_engine::plan::{quote_identifier, Plan};
use staging_sync_engine::settings::{Rule, Settings};
use staging_sync_engine::text::Text;

fn masking(columns: &Value) -> Settings {
    let mut settings = settings(&[], &[]);
    settings.masking.rules = vec![Rule {
        table: "people".into(),
        columns: serde_json::from_value(columns.clone()).unwrap(),
        ..Rule::default()
    }];
    settings
}

fn plan_of(source: &Database, columns: &Value) -> Result<Plan, String> {
    planned(&source.dump(&[]).1, &masking(columns)).map_err(|error| error.to_string())
}

/// Masks the rows of `people` and loads them into a database with the same schema.
fn load(source: &Database, columns: &Value) -> (Plan, Database) {
    let plan = plan_of(source, columns).unwrap_or_else(|problem| panic!("{problem}"));
    let target = Database::new("checked");
    let mut sql = String::from("SET search_path = '';\n");
    plan.schema
        .iter()
        .for_each(|statement| sql.push_str(&statement.sql));
    let load = plan
        .loads
        .values()
        .find(|load| load.table.name == "people")
        .unwrap();
    let names: Vec<String> = load.columns.iter().map(|name| quote_identifier(name)).collect();
    let rows = source.query(&format!("COPY people ({}) TO STDOUT", names.join(", ")));
    let rows: String = rows.into_iter().map(|row| row + "\n").collect();
    let (mut masker, mut out) = (load.mask.as_ref().unwrap().masker(), Vec::new());
    masker.mask_piece(rows.as_bytes(), &mut out).unwrap();
    for (column, counts) in load
        .mask
        .as_ref()
        .unwrap()
        .columns()
        .iter()
        .zip(&masker.counts().columns)
    {
        assert_eq!(counts.violations, 0, "{}", column.name);
    }
    sql.push_str(&load.copy_sql("UTF8"));
    sql.push_str(";\n");
    sql.push_str(&String::from_utf8(out).unwrap());
    sql.push_str("\\.\n");
    plan.steps.iter().for_each(|step| {
        sql.push_str(&step.sql);
        sql.push('\n');
    });
    target.execute(&sql);
    (plan, target)
}

/// A table whose columns have CHECKs of every kind, with 900 rows.
const PEOPLE: &str = "CREATE EXTENSION citext;
    CREATE DOMAIN plate AS text CHECK (VALUE ~ '^[A-Z]{2}[0-9]{3}$' AND length(VALUE) <= 5);
    CREATE TYPE mood AS ENUM ('sad', 'ok');
    CREATE TABLE people (
      id bigint PRIMARY KEY,
      email citext NOT NULL UNIQUE CHECK (email ~* '^[^@]+@[a-z.]+$' AND char_length(email) BETWEEN 3 AND 60),
      login varchar(40) CHECK (login = lower(login) AND login <> 'root' AND btrim(login) <> ''),
      code text UNIQUE CHECK (code LIKE 'A%' AND code !~~ '%_b%'),
      plate plate UNIQUE,
      grade text CHECK (grade IN ('A', 'B', 'C')),
      level varchar(1) CHECK (level::text = ANY (ARRAY['x', 'y', 'z']::text[])),
      age int CHECK (age >= 18 AND age < 120),
      share numeric(5,2) CHECK (share BETWEEN 0 AND 100),
      debt numeric CHECK (debt <= -0.5),
      born date CHECK (born <= CURRENT_DATE AND born > '1900-01-01'),
      seen timestamptz CHECK (seen <= now() AND seen >= CURRENT_DATE - interval '2 years'),
      starts date, ends date,
      phone text, fax text,
      note text,
      CHECK (starts < ends),
      CHECK (phone IS NOT NULL OR fax IS NOT NULL),
      CONSTRAINT late CHECK (note <> '') NOT VALID
    );
    INSERT INTO people SELECT n, 'ada' || n || '@example.org', 'login' || n, 'A' || lpad(n::text, 4, '0'),
      'AB' || lpad((n % 1000)::text, 3, '0'), substr('ABC', n % 3 + 1, 1), substr('xyz', n % 3 + 1, 1), 18 + n % 102,
      n % 101, -0.5 - n % 3, CURRENT_DATE - n % 400, now() - interval '1 hour' * n, '2020-01-01', '2020-01-02',
      CASE WHEN n % 2 = 0 THEN '06 12 34 56 78' END, CASE WHEN n % 2 = 1 THEN '01 23 45 67 89' END, 'n'
    FROM generate_series(0, 899) n;";

fn people() -> Database {
    Database::with("checks", PEOPLE)
}

fn people_masked(source: &Database) -> (Plan, Database) {
    let masks = json!({
        "email": "email", "login": "token", "code": "token", "plate": "token", "grade": "token", "level": "token",
        "age": { "mask": "number", "percent": 100 }, "share": { "mask": "number", "percent": 50 }, "debt": "number",
        "born": "date", "seen": "timestamp", "starts": "date", "ends": "date", "phone": "phone", "fax": "phone",
        "note": "text",
    });
    load(source, &masks)
}

#[test]
fn pseudonyms_meet_the_checks_of_their_columns_and_stay_distinct() {
    let (_, target) = people_masked(&people());
    let one = |sql: &str| target.query(sql)[0].clone();
    assert_eq!(one("SELECT count(*) FROM people"), "900");
    assert_eq!(one("SELECT count(DISTINCT plate) FROM people"), "900");
    assert_eq!(
        one("SELECT string_agg(DISTINCT grade, '' ORDER BY grade) FROM people"),
        "ABC"
    );
}

#[test]
fn a_pseudonym_that_a_check_leaves_little_room_for_is_not_the_original() {
    let source = people();
    let (_, target) = people_masked(&source);
    let raw = "(VALUES ";
    let originals: Vec<String> = source
        .query("SELECT id || ',' || quote_literal(plate) || ',' || quote_literal(grade) || ',' || age || ',' || quote_literal(born) FROM people")
        .into_iter()
        .map(|row| format!("({row})"))
        .collect();
    let same = target.query(&format!(
        "SELECT count(*) FROM people p JOIN {raw}{}) o(id, plate, grade, age, born) USING (id)
             WHERE p.plate::text = o.plate OR p.grade = o.grade OR p.age = o.age OR p.born = o.born::date",
        originals.join(",")
    ));
    assert_eq!(same, ["0"]);
}

#[test]
fn a_check_that_is_not_understood_is_a_warning_for_each_masked_column_it_names() {
    let (plan, _) = people_masked(&people());
    // Only the one that compares two columns is not understood, and one that a mask without NULL leaves alone is.
    let about: Vec<&Text> = plan
        .warnings
        .iter()
        .filter(|message| message.is("check_asks_more_of"))
        .collect();
    assert!(
        about.len() == 2 && about.iter().all(|message| message.contains("\"people_check\"")),
        "{about:#?}"
    );
    assert!(
        about[0].contains("ends") && about[1].contains("starts"),
        "{about:#?}"
    );
}

#[test]
fn a_mask_that_a_check_never_takes_is_refused_and_all_such_are_reported_together() {
    let source = Database::with(
        "refused",
        "CREATE DOMAIN digits AS text CONSTRAINT only_digits CHECK (VALUE ~ '^\\d+$');
         CREATE TABLE people (id bigint PRIMARY KEY, status text CONSTRAINT known CHECK (status IN ('on', 'off')),
           code digits, name text CONSTRAINT short CHECK (char_length(name) <= 3), email text CHECK (email IS NOT NULL),
           site text CONSTRAINT ours CHECK (site LIKE 'https://ours.test/%'), step int CONSTRAINT steps CHECK (step % 5 = 0));",
    );
    let message = plan_of(
        &source,
        &json!({ "status": { "mask": "static", "value": "gone" }, "code": "hash", "name": "name", "email": "null",
                 "site": "url" }),
    )
    .unwrap_err();
    for (column, check) in [
        ("status", "known"),
        ("code", "only_digits"),
        ("name", "short"),
        ("email", "people_email_check"),
        ("site", "ours"),
    ] {
        let line = format!(
            r#""column":"public.people.{column}","misfit":{{"kind":"mask_check_refuses","check":"{check}""#
        );
        assert!(message.contains(&line), "{line}\n{message}");
    }
    let made = plan_of(
        &source,
        &json!({ "status": { "mask": "static", "value": "off" }, "code": "token", "name": "token", "email": "email",
                 "site": "token", "step": "number" }),
    )
    .unwrap();
    let about: Vec<&Text> = made
        .warnings
        .iter()
        .filter(|message| message.is("check_asks_more_of"))
        .collect();
    assert!(about.len() == 1 && about[0].contains("\"steps\""), "{about:?}");
}

#[test]
fn a_value_for_which_no_pseudonym_is_found_ends_the_run_with_a_sentence() {
    let source = Database::with(
        "alone",
        "CREATE TABLE people (id int PRIMARY KEY, country text CONSTRAINT french CHECK (country = 'FR'));
         INSERT INTO people VALUES (1, 'FR');",
    );
    let plan = plan_of(&source, &json!({ "country": "token" })).unwrap();
    let mask = plan.loads.values().find_map(|load| load.mask.clone()).unwrap();
    let error = Error::from(mask.masker().mask_piece(b"1\tFR\n", &mut Vec::new()).unwrap_err());
    assert!(
        error.is("check_not_met") && error.remedy.is("take_mask_for_check"),
        "{error}"
    );
    assert!(
        error
            .what
            .contains("\"column\":\"public.people.country\",\"check\":\"french\""),
        "{error}"
    );
    assert!(!error.to_string().contains("FR"), "{error}");
}

#[test]
fn partitions_and_children_meet_the_checks_of_their_parents() {
    let source = Database::with(
        "family",
        "CREATE TABLE people (id int, born date, code text CONSTRAINT coded CHECK (code ~ '^x[0-9]{3}$')) PARTITION BY RANGE (id);
         CREATE TABLE few PARTITION OF people FOR VALUES FROM (0) TO (500);
         CREATE TABLE old (code text CHECK (code ~ '^[0-9]{3}$'));
         CREATE TABLE older (more int) INHERITS (old);",
    );
    let mut settings = masking(&json!({ "code": "token" }));
    settings.masking.rules.push(Rule {
        table: "old".into(),
        ..settings.masking.rules[0].clone()
    });
    let plan = planned(&source.dump(&[]).1, &settings).unwrap();
    let rows = |table: &str, rows: &str| {
        let load = plan.loads.values().find(|load| load.table.name == table).unwrap();
        let mut out = Vec::new();
        load.mask
            .as_ref()
            .unwrap()
            .masker()
            .mask_piece(rows.as_bytes(), &mut out)
            .unwrap();
        String::from_utf8(out).unwrap()
    };
    let of_partition = rows("few", "1\t\\N\tx123\n");
    assert!(
        of_partition.starts_with("1\t\\N\tx") && of_partition != "1\t\\N\tx123\n",
        "{of_partition}"
    );
    assert!(rows("older", "123\t1\n")
        .split('\t')
        .next()
        .unwrap()
        .bytes()
        .all(|byte| byte.is_ascii_digit()));
}

#[test]
fn what_values_have_to_begin_with_stays_and_the_rest_is_masked_and_stays_distinct() {
    let source = Database::with(
        "begins",
        "CREATE TABLE people (
           id bigint PRIMARY KEY,
           secret text NOT NULL UNIQUE CHECK (secret LIKE 'whsec\\_%'),
           customer varchar(18) UNIQUE CHECK (customer ~ '^cus_[A-Za-z0-9]{14}$'),
           hook text CHECK (starts_with(hook, 'https://hooks.example.org/')),
           key text CHECK (left(key, 3) = 'sk_' OR key = ''),
           digest varchar(20) CHECK (substr(digest, 1, 4) = 'sha:'));
         INSERT INTO people SELECT n, 'whsec_' || md5(n::text), 'cus_' || left(md5(n::text), 14),
           'https://hooks.example.org/in/' || n, CASE n WHEN 1 THEN '' ELSE 'sk_' || md5(n::text) END, 'sha:' || left(md5(n::text), 16)
           FROM generate_series(1, 200) AS n;",
    );
    let columns =
        json!({ "secret": "token", "customer": "token", "hook": "token", "key": "token", "digest": "hash" });
    let (_, target) = load(&source, &columns);
    let count = |sql: &str| target.query(sql);
    assert_eq!(
        count(
            "SELECT count(DISTINCT secret), count(DISTINCT customer), count(*) FILTER (WHERE digest ~ '^sha:[0-9a-f]{16}$') FROM people"
        ),
        ["200\t200\t200"]
    );
    let raw: Vec<String> = ["secret", "customer", "hook", "key", "digest"]
        .iter()
        .flat_map(|column| {
            source.query(&format!(
                "COPY (SELECT {column} FROM people WHERE {column} <> '') TO STDOUT"
            ))
        })
        .collect();
    let masked = count("COPY (SELECT secret, customer, hook, key, digest FROM people) TO STDOUT").join("\t");
    assert!(!masked
        .split('\t')
        .any(|value| raw.iter().any(|raw| raw == value) && !value.is_empty()));
}

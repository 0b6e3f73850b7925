//! Masked rows in a real PostgreSQL: they load, keys and unique indexes hold, and every value has the form that
//! its column's `form_sql` promises.

#![allow(clippy::unwrap_used, clippy::panic)]

mod plan_support;

use plan_support::{planned, settings, Database};
use staging_sync_engine::plan::{quote_identifier, Load, Plan};

/// Restores a database into a new one by the plan, masking its rows, and checks every form.
fn restored(source: &Database, rules: &[(&str, &str)]) -> (Plan, Database) {
    let plan = planned(&source.dump(&[]).1, &settings(rules, &[])).unwrap_or_else(|error| panic!("{error}"));
    let target = Database::new("masked");
    let mut sql = String::from("SET search_path = '';\n");
    plan.schema
        .iter()
        .for_each(|statement| sql.push_str(&statement.sql));
    for load in plan.loads.values() {
        sql.push_str(&load.copy_sql("UTF8"));
        sql.push_str(";\n");
        sql.push_str(&masked_rows(source, load));
        sql.push_str("\\.\n");
    }
    for step in &plan.steps {
        sql.push_str(&step.sql);
        sql.push('\n');
    }
    target.execute(&sql);
    for load in plan.loads.values() {
        for column in load.mask.iter().flat_map(|mask| mask.columns()) {
            let query = format!(
                "SET search_path = ''; SELECT count(*) FROM {} WHERE ({}) IS NOT TRUE",
                load.table.sql(),
                column.form_sql
            );
            assert_eq!(target.query(&query), ["0"], "{} {}", load.table, column.form_sql);
        }
    }
    (plan, target)
}

fn masked_rows(source: &Database, load: &Load) -> String {
    let columns: Vec<String> = load.columns.iter().map(|name| quote_identifier(name)).collect();
    let rows = source.query(&format!(
        "COPY {} ({}) TO STDOUT",
        load.table.sql(),
        columns.join(", ")
    ));
    let rows: String = rows.into_iter().map(|row| row + "\n").collect();
    let Some(mask) = &load.mask else { return rows };
    let mut masker = mask.masker();
    let mut out = Vec::new();
    masker.mask_piece(rows.as_bytes(), &mut out).unwrap();
    assert!(masker
        .counts()
        .columns
        .iter()
        .all(|counts| counts.violations == 0));
    String::from_utf8(out).unwrap()
}

#[test]
fn the_user_strategy_holds_in_the_target() {
    let source = Database::with(
        "users",
        "CREATE EXTENSION citext;
         CREATE TABLE users (
           id bigserial PRIMARY KEY, email varchar(255) NOT NULL, email_md5 char(32), first_name varchar(3),
           last_name text, full_name text GENERATED ALWAYS AS (first_name || ' ' || last_name) STORED,
           credit_card_last_4 int, iban_last4 char(4), stripe_customer_id text NOT NULL, address_line1 text,
           address_line2 varchar(10) NOT NULL, city varchar(4), postal_code int, birth_date date,
           birth_place text, google_token text, facebook_token text NOT NULL, apple_id text, billing_extra jsonb NOT NULL,
           zendesk_user_id bigint NOT NULL, note text);
         CREATE UNIQUE INDEX ON users (email); CREATE UNIQUE INDEX ON users (email_md5);
         CREATE UNIQUE INDEX ON users (facebook_token); CREATE UNIQUE INDEX ON users (apple_id);
         CREATE UNIQUE INDEX ON users (zendesk_user_id);
         CREATE TABLE emails (id uuid PRIMARY KEY, email citext UNIQUE, user_id bigint REFERENCES users);
         INSERT INTO users (id, email, email_md5, first_name, last_name, credit_card_last_4, iban_last4,
           stripe_customer_id, address_line1, address_line2, city, postal_code, birth_date, birth_place, google_token,
           facebook_token, apple_id, billing_extra, zendesk_user_id, note) SELECT n, 'Ada' || n || '@Example.org', md5(n::text), 'Ada', 'L', 1234, '5678', 'cus' || n,
           '1 rue X', 'bis', 'Lyon', 69001, '1815-12-10', 'London', 'g', 'f' || n, 'a' || n, '{\"a\": 1}', n, E'a\\tb\\\\N'
           FROM generate_series(1, 500) n;
         INSERT INTO users (id, email, email_md5, stripe_customer_id, address_line2, facebook_token, billing_extra, zendesk_user_id)
           VALUES (12345678, 'ADA1@example.org', md5('x'), '', '', '', '{}', -1), (-3, 'ada1@example.org', md5('y'), 'x', 'x', 'x', '{}', -2),
                  (0, '', 'short', 'x', 'x', 'y', '{}', -3);
         INSERT INTO emails SELECT gen_random_uuid(), lower(email)::citext, id FROM users WHERE id BETWEEN 1 AND 500;
         INSERT INTO emails VALUES (gen_random_uuid(), NULL, 1);",
    );
    let (_, target) = restored(
        &source,
        &[("users", "user_anonymization"), ("emails", "email_anonymization")],
    );
    let count = |sql: &str| target.query(sql)[0].clone();
    assert_eq!(count("SELECT count(*) FROM users"), "503");
    assert_eq!(
        count("SELECT count(*) FROM users WHERE email_md5::text <> md5(email)"),
        "0"
    );
    assert_eq!(
        count("SELECT count(*) FROM users WHERE email LIKE '%xample.org%'"),
        "0"
    );
    assert_eq!(
        count("SELECT count(*) FROM users WHERE full_name NOT LIKE 'Dem User%'"),
        "0"
    );
    assert_eq!(count("SELECT string_agg(DISTINCT postal_code || city || credit_card_last_4 || iban_last4, '') FROM users"), "75002Pari00000");
    assert_eq!(
        count("SELECT count(*) FROM users WHERE note IS NOT NULL AND note <> E'a\\tb\\\\N'"),
        "0"
    );
    // The indexes distinguish case, and addresses in lower case are the same everywhere.
    assert_eq!(count("SELECT count(DISTINCT email) FROM users"), "503");
    assert_eq!(
        count("SELECT count(*) FROM users u JOIN emails e ON e.email = u.email::citext WHERE u.id < 0"),
        "1"
    );
}

/// Types, each with a value that is not its neutral one.
const NEUTRAL: [(&str, &str); 49] = [
    ("text", "'x'"),
    ("varchar(5)", "'x'"),
    ("char(5)", "'x'"),
    ("citext", "'x'"),
    ("name", "'x'"),
    ("\"char\"", "'x'"),
    ("smallint", "1"),
    ("int", "1"),
    ("bigint", "1"),
    ("numeric", "1.5"),
    ("numeric(5,2)", "1.5"),
    ("real", "1.5"),
    ("double precision", "1.5"),
    ("boolean", "true"),
    ("date", "'2020-02-02'"),
    ("timestamp(3)", "'2020-02-02 01:02'"),
    ("timestamptz", "'2020-02-02 01:02'"),
    ("time", "'01:02'"),
    ("timetz", "'01:02+02'"),
    ("interval", "'1 day'"),
    ("interval day to second(3)", "'1 day'"),
    ("uuid", "gen_random_uuid()"),
    ("json", "'[1]'"),
    ("jsonb", "'[1]'"),
    ("text[]", "'{x}'"),
    ("int[][]", "'{1}'"),
    ("hstore", "'a=>b'"),
    ("bytea", "'x'"),
    ("inet", "'1.2.3.4'"),
    ("cidr", "'1.2.3.0/24'"),
    ("macaddr", "'08:00:2b:01:02:03'"),
    ("macaddr8", "'08:00:2b:01:02:03:04:05'"),
    ("int4range", "'[1,2)'"),
    ("tstzrange", "'[2020-01-01,2021-01-01)'"),
    ("datemultirange", "'{[2020-01-01,2021-01-01)}'"),
    ("price", "'[1,2)'"),
    ("price_multirange", "'{[1,2)}'"),
    ("bit(3)", "'101'"),
    ("bit", "'1'"),
    ("bit varying(5)", "'101'"),
    ("xml", "'<a/>'"),
    ("money", "'1'"),
    ("tsvector", "'a b'"),
    ("point", "'(1,2)'"),
    ("oid", "'7'"),
    ("mood", "'ok'"),
    ("short", "'x'"),
    ("shorter", "'x'"),
    ("required", "1"),
];

#[test]
fn neutral_values_of_every_type_are_what_postgresql_takes_and_gives() {
    let mut sql = String::from(
        "CREATE EXTENSION citext; CREATE EXTENSION hstore; CREATE TYPE price AS RANGE (subtype = numeric, multirange_type_name = price_multirange);
         CREATE TYPE mood AS ENUM (E'it''s\\tsad', 'ok'); CREATE DOMAIN short AS varchar(3); CREATE DOMAIN shorter AS short;
         CREATE DOMAIN required AS int NOT NULL;",
    );
    for (number, (kind, value)) in NEUTRAL.iter().enumerate() {
        sql.push_str(&format!("CREATE TABLE t{number} (id int PRIMARY KEY, billing_extra {kind} NOT NULL); INSERT INTO t{number} VALUES (1, {value});"));
    }
    // A domain's NOT NULL counts without the column's own.
    sql.push_str("CREATE TABLE by_domain (id int PRIMARY KEY, billing_extra required); INSERT INTO by_domain VALUES (1, 1);");
    sql.push_str("SET DateStyle = 'German';");
    let source = Database::with("types", &sql);
    let names: Vec<String> = (0..NEUTRAL.len()).map(|number| format!("t{number}")).collect();
    let mut rules: Vec<(&str, &str)> = names
        .iter()
        .map(|name| (name.as_str(), "user_anonymization"))
        .collect();
    rules.push(("by_domain", "user_anonymization"));
    let (plan, _) = restored(&source, &rules);
    assert_eq!(
        plan.loads.values().filter(|load| load.mask.is_some()).count(),
        NEUTRAL.len() + 1
    );
    // The form is not true of everything: it is false of the raw rows.
    for load in plan.loads.values() {
        let column = &load.mask.as_ref().unwrap().columns()[0];
        let query = format!(
            "SELECT count(*) FROM {} WHERE ({}) IS NOT FALSE",
            load.table.sql(),
            column.form_sql
        );
        assert_eq!(source.query(&query), ["0"], "{} {}", load.table, column.form_sql);
    }
}

#[test]
fn distinct_values_of_every_type_are_what_postgresql_takes_and_gives() {
    let types = [
        "text",
        "varchar(14)",
        "char(20)",
        "citext",
        "uuid",
        "bigint",
        "numeric",
        "numeric(20,1)",
        "bytea",
    ];
    let mut sql = String::from("CREATE EXTENSION citext;");
    for (number, kind) in types.iter().enumerate() {
        let value = if *kind == "uuid" {
            "md5(n::text)::uuid".to_owned()
        } else {
            format!("n::text::{kind}")
        };
        sql.push_str(&format!(
            "CREATE TABLE t{number} (id int PRIMARY KEY, apple_id {kind} NOT NULL UNIQUE);
             INSERT INTO t{number} SELECT n, {value} FROM generate_series(1, 200) n;"
        ));
    }
    let source = Database::with("distinct", &sql);
    let names: Vec<String> = (0..types.len()).map(|number| format!("t{number}")).collect();
    let rules: Vec<(&str, &str)> = names
        .iter()
        .map(|name| (name.as_str(), "user_anonymization"))
        .collect();
    let (_, target) = restored(&source, &rules);
    for name in names {
        assert_eq!(
            target.query(&format!("SELECT count(DISTINCT apple_id) FROM {name}")),
            ["200"]
        );
    }
}

#[test]
fn phone_numbers_hold_in_the_target_in_every_type() {
    let types = [
        "text",
        "varchar(20)",
        "varchar(6)",
        "varchar(2)",
        "char(12)",
        "bigint",
        "int",
        "numeric(12,2)",
        "double precision",
    ];
    let uniques = ["text", "varchar(20)", "bigint", "numeric"];
    let mut sql = String::new();
    let mut rules = Vec::new();
    for (number, kind) in types.iter().chain(&uniques).enumerate() {
        let unique = if number < types.len() { "" } else { "UNIQUE" };
        sql.push_str(&format!(
            "CREATE TABLE t{number} (id bigint PRIMARY KEY, user_id int, phone {kind} {unique});
             INSERT INTO t{number} SELECT n, n % 7, n::text::{kind} FROM generate_series(-9, 90) n;
             INSERT INTO t{number} VALUES (12345678, 1, NULL), (123456789012, 1, '99');"
        ));
        rules.push(format!("t{number}"));
    }
    sql.push_str("CREATE TABLE by_uuid (id uuid PRIMARY KEY, phone varchar(20) UNIQUE, number text, phone_number text UNIQUE);
        INSERT INTO by_uuid SELECT gen_random_uuid(), n, n, n FROM generate_series(1, 100) n;
        INSERT INTO by_uuid VALUES (gen_random_uuid(), '', '', '');");
    rules.push("by_uuid".into());
    let source = Database::with("phones", &sql);
    let rules: Vec<(&str, &str)> = rules
        .iter()
        .map(|name| (name.as_str(), "phone_anonymization"))
        .collect();
    let (_, target) = restored(&source, &rules);
    assert_eq!(target.query("SELECT phone FROM t0 WHERE id = 8"), ["0600000001"]);
    assert_eq!(
        target.query("SELECT phone FROM t9 WHERE id = 123456789012"),
        ["060123456789012"]
    );
}

#[test]
fn partitions_and_children_are_masked_in_the_order_of_their_own_columns() {
    let source = Database::with(
        "partitions",
        "CREATE TABLE users (id bigint, at date, email text, first_name text, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
         CREATE TABLE users_a (first_name text, email text, at date NOT NULL, id bigint NOT NULL);
         ALTER TABLE users ATTACH PARTITION users_a FOR VALUES FROM ('2020-01-01') TO ('2021-01-01');
         CREATE TABLE users_b PARTITION OF users DEFAULT;
         CREATE TABLE people (id int PRIMARY KEY, last_name text, phone text);
         CREATE TABLE staff (wage int, email text) INHERITS (people);
         INSERT INTO users VALUES (1, '2020-02-02', 'a@x.fr', 'Ada'), (2, '2022-02-02', 'b@x.fr', 'Bob');
         INSERT INTO staff VALUES (1, 'Ada', '06', 5, 'a@x.fr'); INSERT INTO people VALUES (2, 'Bob', '07');",
    );
    let rules = [
        ("users", "user_anonymization"),
        ("people", "user_anonymization"),
        ("people", "phone_anonymization"),
    ];
    let (_, target) = restored(&source, &rules);
    assert_eq!(
        target.query(
            "SELECT count(*) FROM users WHERE first_name = 'Demo' AND email LIKE '%@demo.example.com'"
        ),
        ["2"]
    );
    assert_eq!(
        target.query("SELECT last_name, phone, wage FROM staff"),
        ["User1\t0600000001\t5"]
    );
    assert_eq!(
        target.query("SELECT (SELECT email FROM staff) = (SELECT email FROM users_a)"),
        ["t"]
    );
}

#[test]
fn a_foreign_key_over_addresses_holds_when_both_sides_are_masked() {
    let source = Database::with(
        "keys",
        "CREATE TABLE accounts (id int PRIMARY KEY, email text UNIQUE);
         CREATE TABLE logins (id int PRIMARY KEY, email text REFERENCES accounts (email));
         INSERT INTO accounts VALUES (1, 'Ada@x.fr'), (2, 'ada@x.fr'); INSERT INTO logins VALUES (1, 'Ada@x.fr'), (2, 'ada@x.fr');",
    );
    let (_, target) = restored(
        &source,
        &[
            ("accounts", "email_anonymization"),
            ("logins", "email_anonymization"),
        ],
    );
    assert_eq!(
        target.query("SELECT count(*) FROM logins JOIN accounts USING (id, email)"),
        ["2"]
    );
}

//! What messages say of PostgreSQL's errors: never a value of a row, for any code, language and place that the
//! value is in.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod target_support;

use staging_sync_engine::error::{Doing, Error};
use staging_sync_engine::failure::{Attempt, ServerAnswer, ServerDetail, ServerFailure};
use staging_sync_engine::text::Text;
use target_support::{cluster_url, session, unique, Database};
use tokio_postgres::Client;

/// A value, in every error here.
const VALUE: &str = "33612345678";

/// The codes of PostgreSQL's classes 22 and 23, and some of every class by which functions, casts and the server itself
/// may speak of values.
const CODES: &str = "22000 22001 22002 22003 22004 22005 22007 22008 22009 2200B 2200C 2200D 2200F 2200G 2200H 2200L 2200M \
    2200N 2200S 2200T 22010 22011 22012 22013 22014 22015 22016 22018 22019 2201B 2201E 2201F 2201G 2201W 2201X 22021 22022 \
    22023 22024 22025 22026 22027 2202E 2202G 2202H 22030 22031 22032 22033 22034 22035 22036 22037 22038 22039 2203A 2203B \
    2203C 2203D 2203E 2203F 2203G 22P01 22P02 22P03 22P04 22P05 22P06 23000 23001 23502 23503 23505 23514 23P01 \
    0A000 21000 25006 38000 38001 39000 40001 40P01 42501 42601 42703 42804 42883 42P01 42P07 44000 53100 53200 54000 54001 \
    55000 55P03 57014 58P01 F0000 HV000 P0001 P0002 P0003 P0004 XX000 XX001 XX002 ABCDE";

/// How servers of different languages put a value into a sentence.
const SENTENCES: [&str; 9] = [
    "invalid input syntax for type integer: \"33612345678\"",
    "syntaxe en entrée invalide pour le type integer : « 33612345678 »",
    "ungültige Eingabesyntax für Typ integer: »33612345678«",
    "la sintaxis de entrada no es válida para tipo integer: «33612345678»",
    "\"integer\"型の入力構文が不正です: \"33612345678\"",
    "integer tipi için geçersiz söz dizimi: 33612345678",
    "неверный синтаксис для типа integer: \"33612345678\"",
    "类型integer的输入语法无效：“33612345678”",
    "33612345678",
];

/// The error of a statement, which must fail.
async fn refused(client: &Client, sql: &str) -> tokio_postgres::Error {
    client.batch_execute(sql).await.expect_err(sql)
}

/// All that may be said of an error, wherever it was met.
fn messages(error: &tokio_postgres::Error, sql: &str) -> Vec<String> {
    let creating = |object: &str| Attempt::Creating {
        object: object.to_owned(),
    };
    [
        Doing::WithoutRows(&creating("TABLE users")),
        Doing::WithRows(&creating("INDEX users_phone")),
        Doing::Rule { rule: "Rule", sql },
    ]
    .map(|doing| Error::from_server(doing, error).to_string())
    .to_vec()
}

#[tokio::test]
async fn no_code_and_no_language_brings_a_value_into_an_error() {
    let client = session(&cluster_url()).await;
    for code in CODES.split_whitespace() {
        for sentence in SENTENCES {
            let sql = format!(
                "DO $do$ BEGIN RAISE EXCEPTION USING ERRCODE = '{code}', MESSAGE = $m${sentence}$m$, DETAIL = $m${sentence}$m$, \
                 HINT = $m${sentence}$m$, SCHEMA = '{VALUE}', TABLE = '{VALUE}', COLUMN = '{VALUE}', \
                 CONSTRAINT = '{VALUE}', DATATYPE = '{VALUE}'; END $do$"
            );
            let error = refused(&client, &sql).await;
            for message in messages(&error, "UPDATE users SET phone = 1") {
                assert!(!message.contains(VALUE), "{message}");
                assert!(message.contains(code), "{message}");
            }
        }
    }
}

/// Statements over a row that holds the value, each of which fails in the server's own code.
const FAILURES: [&str; 31] = [
    "SELECT phone::integer FROM people",
    "SELECT phone::smallint FROM people",
    "SELECT word::integer FROM people",
    "SELECT word::numeric FROM people",
    "SELECT word::date FROM people",
    "SELECT word::timestamptz FROM people",
    "SELECT word::interval FROM people",
    "SELECT word::boolean FROM people",
    "SELECT word::uuid FROM people",
    "SELECT word::json FROM people",
    "SELECT word::jsonb FROM people",
    "SELECT word::inet FROM people",
    "SELECT word::int[] FROM people",
    "SELECT word::int4range FROM people",
    "SELECT word::mood FROM people",
    "SELECT word::bytea FROM people",
    "SELECT xmlparse(document word) FROM people",
    "SELECT word::point FROM people",
    "SELECT phone::regclass FROM people",
    "SELECT word::regtype FROM people",
    "SELECT word::regproc FROM people",
    "SELECT nextval(phone) FROM people",
    "SELECT to_regtype(word)::oid / 0, format(word, 1) FROM people",
    "SELECT to_date(word, 'YYYY-MM-DD') FROM people",
    "SELECT phone::time FROM people",
    "SELECT ('x' ~ ('(' || word)) FROM people",
    "SELECT set_config('work_mem', word, false) FROM people",
    "SELECT currval(word) FROM people",
    "INSERT INTO people (phone, word) SELECT phone, word FROM people",
    "ALTER TABLE people ADD CHECK (phone = '1')",
    "CREATE INDEX ON people ((word::integer))",
];

/// Languages of the server, tried as far as it has them; C, which every server has, among them.
const LANGUAGES: [&str; 10] = [
    "C",
    "de_DE.UTF-8",
    "fr_FR.UTF-8",
    "es_ES.UTF-8",
    "ja_JP.UTF-8",
    "tr_TR.UTF-8",
    "ru_RU.UTF-8",
    "zh_CN.UTF-8",
    "it_IT.UTF-8",
    "ko_KR.UTF-8",
];

#[tokio::test]
async fn what_the_server_itself_says_of_a_value_is_reported_without_it() {
    let database = Database::of_superuser().await;
    database
        .admin
        .batch_execute(&format!(
            "CREATE TYPE mood AS ENUM ('good'); CREATE TABLE people (phone text UNIQUE, word text); \
             INSERT INTO people VALUES ('{VALUE}', '\\x{VALUE}{{}}% z')"
        ))
        .await
        .unwrap();
    let mut spoke = 0;
    for language in LANGUAGES {
        if database
            .admin
            .batch_execute(&format!("SET lc_messages = '{language}'"))
            .await
            .is_err()
        {
            continue;
        }
        for sql in FAILURES {
            let error = refused(&database.admin, sql).await;
            let words = format!("{:?}", error.as_db_error().unwrap());
            spoke += usize::from(words.contains(VALUE));
            let rows = Error::from_server(Doing::WithRows(&Attempt::CheckingForeignKeys), &error).to_string();
            let rule = Error::from_server(Doing::Rule { rule: "Rule", sql }, &error).to_string();
            assert!(
                !rows.contains(VALUE) && !rule.contains(VALUE),
                "{sql}: {rows} {rule}"
            );
        }
    }
    assert!(
        spoke > 15,
        "only {spoke} of the server's errors had a value in them"
    );
}

#[tokio::test]
async fn names_of_objects_and_the_place_in_a_rule_are_reported() {
    let database = Database::of_superuser().await;
    let table = unique("people");
    database
        .admin
        .batch_execute(&format!(
            "CREATE TABLE {table} (id int CONSTRAINT {table}_key UNIQUE, name text NOT NULL); INSERT INTO {table} VALUES (1, 'a')"
        ))
        .await
        .unwrap();
    let error = refused(&database.admin, &format!("INSERT INTO {table} VALUES (1, 'b')")).await;
    let message = Error::from_server(Doing::WithRows(&Attempt::CheckingForeignKeys), &error).what;
    assert!(
        message.contains(r#""sqlstate":"23505""#)
            && message.contains(&format!(r#""name":"public.{table}""#))
            && message.contains(&format!(r#""name":"{table}_key""#)),
        "{message}"
    );
    let error = refused(&database.admin, &format!("INSERT INTO {table} VALUES (2)")).await;
    let message = Error::from_server(Doing::WithRows(&Attempt::CheckingForeignKeys), &error).what;
    assert!(
        message.contains(r#""sqlstate":"23502""#)
            && message.contains(r#"{"kind":"detail_column","name":"name"}"#),
        "{message}"
    );
    let sql = format!("EXPLAIN UPDATE {table} SET name = upper(nmae)");
    let error = refused(&database.admin, &sql).await;
    let rule = Error::from_server(
        Doing::Rule {
            rule: "Rule 1",
            sql: &sql,
        },
        &error,
    )
    .what;
    let sqlstate = || "42703".to_owned();
    let answer = ServerAnswer::Meant {
        sqlstate: sqlstate(),
        details: vec![
            ServerDetail::Sqlstate { sqlstate: sqlstate() },
            ServerDetail::Near { sql: "nmae)".into() },
        ],
    };
    let attempt = Attempt::Rule {
        rule: "Rule 1".to_owned(),
    };
    assert_eq!(rule, Text::from(ServerFailure::Refused { attempt, answer }));
    let error = refused(&database.admin, "CREATE TABLE x (a nosuchtype)").await;
    let message = Error::from_server(Doing::WithoutRows(&Attempt::PreparingSchema), &error).what;
    assert!(
        message.contains("nosuchtype") && message.contains("42704"),
        "{message}"
    );
}

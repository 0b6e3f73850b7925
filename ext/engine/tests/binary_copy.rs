//! Binary COPY against a real server: what it stores is what text COPY stores, what it refuses is refused alike, and
//! what cannot be written in binary goes as text.
//!
//! Needs a server: `bin/with-postgres cargo test`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod plan_support;
mod target_support;

use pg_dump_archive::copy::binary::{Form, Layout};
use pg_dump_archive::copy::Splitter;
use pg_dump_archive::{DumpId, EntryKind};
use plan_support::{planned, settings};
use staging_sync_engine::error::Error;
use staging_sync_engine::event::Sink;
use staging_sync_engine::plan::{quote_identifier, Load, Plan};
use staging_sync_engine::postgres::{Item, JobRecord, LoadReport, Target};
use std::sync::Arc;
use target_support::{load, rows, Database, Planner};

/// Every type that has a binary form, and values that are hard on it.
const EVERY_TYPE: &str = r#"
CREATE TYPE mood AS ENUM ('sad', 'o''k', 'très content', 'a\b');
CREATE DOMAIN short AS varchar(5);
CREATE DOMAIN price AS numeric(10,2) CHECK (VALUE > 0);
CREATE DOMAIN fee AS price NOT NULL;

CREATE TABLE numbers (id int PRIMARY KEY, small smallint, number integer, big bigint, o oid, flag boolean, r real,
  d double precision, n numeric, n2 numeric(12,3), f fee);
INSERT INTO numbers VALUES
  (-2147483648, -32768, 2147483647, -9223372036854775808, 0, true, '-0', '-0', 0, 0, 1),
  (2147483647, 32767, -1, 9223372036854775807, 4294967295, false, 'NaN', 'NaN', 'NaN', 'NaN', 0.01),
  (1, 0, NULL, 0, 1, NULL, 'Infinity', 'Infinity', 'Infinity', NULL, 99999999.99),
  (2, 1, 10, 999999999999999999, 2, true, '-Infinity', '-Infinity', '-Infinity', -999999999.999, 10),
  (3, 1, 10, -1000000000000000000, 2, true, '1e-45', '5e-324', '-0.0001', 0.001, 10000),
  (4, 1, 10, 1, 2, true, '3.4028235e38', '1.7976931348623157e308', '0.000', 10000, 10),
  (5, 1, 10, 1, 2, true, 0.1, '2.2250738585072014e-308', 1e-1000, 100000000, 10),
  (6, 1, 10, 1, 2, true, 16777217, 0.1, 1e3000, -0.5, 10),
  (7, 1, 10, 1, 2, true, 1e15, 1e22, 12345678901234567890.1234567890, 1234.5, 10),
  (8, 1, 10, 1, 2, true, 123456.7, 1e15, -10000.00000, 1, 10),
  (9, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 1);
SELECT setseed(0.5);
INSERT INTO numbers SELECT n, (random() * 60000 - 30000)::int, (random() * 4e9 - 2e9)::int, (random() * 1e18)::bigint,
  (random() * 4e9)::bigint::oid, random() < 0.5, (random() - 0.5) * 10 ^ (random() * 60 - 30),
  (random() - 0.5) * 10 ^ (random() * 600 - 300), ((random() - 0.5) * 10 ^ (random() * 40 - 20))::numeric,
  (random() * 1e8)::numeric, (random() * 1e7 + 1)::numeric FROM generate_series(1000, 3000) n;

CREATE TABLE moments (id int, d date, t time, t3 time(3), ts timestamp, ts3 timestamp(3), tz timestamptz, tz0 timestamptz(0));
INSERT INTO moments VALUES
  (1, 'infinity', '24:00', '00:00', 'infinity', '-infinity', 'infinity', '-infinity'),
  (2, '-infinity', '23:59:59.999999', '23:59:59.999', '-infinity', 'infinity', '-infinity', 'infinity'),
  (3, '4714-11-24 BC', '00:00:00.000001', '12:00:00.5', '4714-11-24 00:00:00 BC', '4714-12-01 BC', '4713-01-01 00:00 BC', '4713-01-01 BC'),
  (4, '5874897-12-31', '12:34:56.7', NULL, '294276-12-31 23:59:59.999999', '294276-12-31', '294276-12-30 23:59:59.99999', '294276-12-30'),
  (5, '0001-01-01 BC', NULL, NULL, '0001-12-31 23:59:59.9 BC', '0001-01-01', '0001-02-29 12:00 BC', '0004-02-29'),
  (6, '2000-02-29', '01:02:03', '01:02:03.04', '2024-02-29 01:02:03.004005', '1900-03-01 00:00:00.12', '1890-06-01 12:00:00.1', '1883-11-18'),
  (7, '9999-12-31', '00:00', '00:00', '10000-01-01', '99999-12-31 23:59:59.999', '10000-01-01', '99999-12-31'),
  (8, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO moments SELECT n, date '2000-01-01' + (random() * 2000000 - 700000)::int, time '00:00' + random() * interval '1 day',
  time '00:00' + random() * interval '1 day', timestamp '2000-01-01' + (random() - 0.3) * interval '7000 years',
  timestamp '2000-01-01' + (random() - 0.5) * interval '100 years', timestamptz '2000-01-01' + (random() - 0.3) * interval '7000 years',
  timestamptz '2000-01-01' + (random() - 0.9) * interval '200 years' FROM generate_series(1000, 3000) n;
CREATE TABLE moments_in_india AS TABLE moments;
CREATE TABLE moments_in_newfoundland AS TABLE moments;
CREATE TABLE moments_in_paris AS TABLE moments;

CREATE TABLE texts (id int, body text, v varchar(10), c char(5), "quoted ""name" bpchar, j json, jb jsonb, b bytea, u uuid, m mood, s short,
  length int GENERATED ALWAYS AS (length(body)) STORED);
INSERT INTO texts VALUES
  (1, '', '', '', '', '""', '""', '', '00000000-0000-0000-0000-000000000000', 'sad', ''),
  (2, E'\\N', E'\\.', E'\\', 'a ', '{"a":  "\n\\ \u00e9"}', '{"b": "\n\\ \u00e9", "a": 1e3}', E'\\x0001ff5c0a', 'ffffffff-ffff-ffff-ffff-ffffffffffff', 'o''k', 'a    '),
  (3, E'tab\t newline\n return\r back\b feed\f vertical\x0b slash\\ \x01', 'é 😀 👩‍👩‍👧', '😀', '   ', '[1, 2]', '[1, 2.50]', E'\\\\N', '01234567-89ab-cdef-0123-456789abcdef', 'a\b', '😀😀😀😀😀'),
  (4, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
  (5, repeat(E'é\t\\', 90000), 'x', 'x', repeat('y', 70000), to_json(repeat(E'"\\', 9000)), to_jsonb(repeat(E'"\n', 9000)),
   decode(repeat('00ff5c', 50000), 'hex'), gen_random_uuid(), 'très content', 'abc');
INSERT INTO texts SELECT n, chr(n) || md5(n::text) || chr(n % 127 + 1), left(chr(n) || md5(n::text), 10), chr(n), chr(n), to_json(chr(n % 200 + 1)),
  jsonb_build_object(chr(n), n / 7.0), decode(md5(n::text), 'hex'), md5(n::text)::uuid, (enum_range(NULL::mood))[1 + n % 4], chr(n)
  FROM generate_series(1, 2000) n;

CREATE TABLE events (id bigint, at timestamptz, kind mood) PARTITION BY RANGE (id);
CREATE TABLE events_low PARTITION OF events FOR VALUES FROM (0) TO (100);
CREATE TABLE events_high (kind mood, id bigint, at timestamptz);
ALTER TABLE events ATTACH PARTITION events_high FOR VALUES FROM (100) TO (1000);
INSERT INTO events SELECT n, timestamptz '2024-01-01' + n * interval '1 hour', 'sad' FROM generate_series(1, 500) n;
CREATE TABLE parent (id int, at timestamp);
CREATE TABLE child (n numeric(4,1)) INHERITS (parent);
INSERT INTO child VALUES (1, '2024-01-01', 1.5);
"#;

/// Tables that go as text.
const AS_TEXT: &str = r#"
CREATE TYPE pair AS (a int, b int);
CREATE DOMAIN list AS int[];
CREATE TABLE of_cheap_text (a text, b varchar(3), c jsonb, d bigint, e boolean);
CREATE TABLE of_arrays (d date, a int[]);
CREATE TABLE of_lists (d date, a list);
CREATE TABLE of_ranges (d date, a int4range);
CREATE TABLE of_pairs (d date, a pair);
CREATE TABLE of_intervals (d date, a interval);
CREATE TABLE of_addresses (d date, a inet);
CREATE TABLE of_bytes (d date, a pg_catalog."char");
CREATE TABLE of_names (d date, a name);
CREATE TABLE of_zones (d date, a timetz);
CREATE TABLE of_money (d date, a money);
CREATE TABLE of_bits (d date, a bit(3));
CREATE TABLE of_searches (d date, a tsvector);
CREATE TABLE of_nothing ();
"#;

/// The rows of a load as COPY text, with times in this zone.
fn text(source: &plan_support::Database, load: &Load, zone: &str) -> Vec<String> {
    let columns: Vec<String> = load.columns.iter().map(|name| quote_identifier(name)).collect();
    let sql = format!(
        "SET TimeZone = '{zone}'; COPY {} ({}) TO STDOUT",
        load.table.sql(),
        columns.join(", ")
    );
    let lines = source.query(&sql).into_iter();
    lines.map(|row| row + "\n").collect()
}

fn zone(table: &str) -> &'static str {
    match table {
        "moments_in_india" => "Asia/Kolkata",
        "moments_in_newfoundland" => "America/St_Johns",
        "moments_in_paris" => "Europe/Paris",
        _ => "UTC",
    }
}

/// What a table holds: its rows as text, their sizes, and each column by itself.
fn contents(load: &Load) -> String {
    let columns = load.columns.iter().map(|name| {
        let column = quote_identifier(name);
        format!("md5(string_agg(coalesce(whole.{column}::text, 'NULL') || pg_column_size(whole.{column}), E'\\n' ORDER BY whole::text))")
    });
    let columns: Vec<String> = columns.collect();
    format!(
        "SET TimeZone = 'UTC'; SELECT count(*), md5(string_agg(whole::text, E'\\n' ORDER BY whole::text)), {} FROM ONLY {} AS whole",
        columns.join(", "),
        load.table.sql()
    )
}

async fn restored(database: &Database, plan: &Arc<Plan>, items: Vec<Item>) -> Result<LoadReport, Error> {
    let target = Target::open(&database.settings(), &Sink::silent()).await.unwrap();
    target
        .reset_and_create(plan, &JobRecord::default())
        .await
        .unwrap();
    let report = load(&target, plan, items).await;
    target.close().await.unwrap();
    report
}

#[tokio::test(flavor = "multi_thread")]
async fn binary_copy_stores_what_the_source_has_in_every_type() {
    let source = plan_support::Database::with("every_type", EVERY_TYPE);
    let plan = planned(&source.dump(&[]).1, &settings(&[], &[])).unwrap();
    let mut items = Vec::new();
    for load in plan.loads.values() {
        let name = load.table.name.as_str();
        let layout = load
            .binary
            .as_ref()
            .unwrap_or_else(|| panic!("{name} goes as text"));
        let lines = text(&source, load, zone(name));
        items.push(Item::TableStart(load.dump_id));
        for piece in lines.chunks(97) {
            let piece = piece.concat();
            assert!(
                layout.encode(piece.as_bytes(), &mut Splitter::new(), &mut Vec::new()),
                "{name}"
            );
            assert!(piece.len() < 1024 * 1024, "{name}: larger ones go as text");
            items.push(Item::Rows(piece.into_bytes()));
        }
        items.push(Item::TableEnd);
    }
    let database = Database::of_owner().await;
    let plan = Arc::new(plan);
    restored(&database, &plan, items).await.unwrap();
    for load in plan.loads.values() {
        let client = database.app("reader").await;
        let answer = client.simple_query(&contents(load)).await.unwrap();
        let row = answer.iter().find_map(|message| match message {
            tokio_postgres::SimpleQueryMessage::Row(row) => Some(row),
            _ => None,
        });
        let row = row.unwrap();
        let there: Vec<&str> = (0..row.len()).map(|at| row.get(at).unwrap_or("")).collect();
        let here = source.query(&contents(load)).concat();
        let here: Vec<&str> = here.split('\t').collect();
        for (at, name) in ["the number of rows", "the rows"]
            .into_iter()
            .chain(load.columns.iter().map(String::as_str))
            .enumerate()
        {
            assert_eq!(there[at], here[at], "{}: {name}", load.table);
        }
    }
    assert_eq!(
        plan.loads.values().filter(|load| load.binary.is_some()).count(),
        plan.loads.len()
    );
}

#[test]
fn citext_counts_as_text_where_it_is_the_extension_s() {
    let source = plan_support::Database::with(
        "citext",
        "CREATE EXTENSION citext; CREATE TABLE people (born date, email citext);",
    );
    let (_, entries) = source.dump(&[]);
    let forms = |entries: &[pg_dump_archive::Entry]| {
        let plan = planned(entries, &settings(&[], &[])).unwrap();
        let load = plan.loads.into_values().next().unwrap();
        load.binary.map(|layout| layout.forms().to_vec())
    };
    assert_eq!(forms(&entries), Some(vec![Form::Date, Form::Text]));
    let mut without = entries;
    without.retain(|entry| entry.kind != EntryKind::Extension);
    assert_eq!(forms(&without), None);
}

#[test]
fn what_has_no_binary_form_or_is_not_utf_8_goes_as_text() {
    let source = plan_support::Database::with("as_text", AS_TEXT);
    let plan = planned(&source.dump(&[]).1, &settings(&[], &[])).unwrap();
    for load in plan.loads.values() {
        let name = load.table.name.as_str();
        assert!(load.binary.is_none(), "{name}");
    }
    let dated = plan_support::Database::with(
        "dated",
        "CREATE TABLE dates (id int, d date); INSERT INTO dates VALUES (1, 'today')",
    );
    let binary = |options: &[&str]| {
        let plan = planned(&dated.dump(options).1, &settings(&[], &[])).unwrap();
        plan.loads.into_values().next().unwrap().binary.is_some()
    };
    assert!(binary(&[]));
    assert!(!binary(&["--inserts"]));
    assert!(!binary(&["--encoding=LATIN1"]));
}

/// A plan of one table, whose rows go in binary with these forms.
fn one_table(columns: &str, forms: Option<&[Form]>) -> Arc<Plan> {
    a_table(columns, forms).plan()
}

fn a_table(columns: &str, forms: Option<&[Form]>) -> Planner {
    let mut planner = Planner::new()
        .statement("TYPE", "mood", "CREATE TYPE public.mood AS ENUM ('sad')")
        .statement(
            "DOMAIN",
            "positive",
            "CREATE DOMAIN public.positive AS int CHECK (VALUE > 0)",
        )
        .table(1, "t", columns);
    let load = planner.0.loads.get_mut(&DumpId(1)).unwrap();
    load.binary = forms.map(|forms| Arc::new(Layout::new(forms.to_vec()).unwrap()));
    planner
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_go_in_binary_until_a_piece_cannot_and_none_is_lost() {
    let database = Database::of_owner().await;
    // As integers, the dates are days, which shows in which way they came.
    let plan = one_table("id int, d date", Some(&[Form::Int4, Form::Int4]));
    let pieces = [
        "1\t1\n2\t2\n",
        "3\t3\n",
        "4\t2024-01-02\n5\tJan 3 2024\n",
        "6\tinfinity\n",
    ];
    let report = restored(&database, &plan, rows(1, &pieces)).await.unwrap();
    assert_eq!(report.loads[0].rows, 6);
    assert_eq!(report.loads[0].bytes, pieces.concat().len() as u64);
    let stored = "SELECT string_agg(id || ' ' || d, ', ' ORDER BY id) FROM public.t";
    assert_eq!(
        database.text(stored).await,
        "1 2000-01-02, 2 2000-01-03, 3 2000-01-04, 4 2024-01-02, 5 2024-01-03, 6 infinity"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_left_of_a_piece_goes_as_text_and_what_was_sent_of_it_not_again() {
    let database = Database::of_owner().await;
    let plan = one_table("id int, d date", Some(&[Form::Int4, Form::Date]));
    let numbers =
        |rows: std::ops::Range<u32>| rows.map(|id| format!("{id}\t2000-01-02\n")).collect::<String>();
    let piece = numbers(100_000..120_000) + "1\ttoday\n" + &"2\t2000-01-02\n".repeat(10_000);
    let report = restored(&database, &plan, rows(1, &[&piece])).await.unwrap();
    assert_eq!(report.loads[0].rows, 30_001);
    assert_eq!(
        database
            .text("SELECT count(*) || ' ' || count(DISTINCT id) || ' ' || min(d) FROM public.t")
            .await,
        "30001 20002 2000-01-02"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_first_piece_that_cannot_go_in_binary_and_one_with_a_huge_field_go_as_text() {
    let database = Database::of_owner().await;
    let plan = one_table("id int, d date", Some(&[Form::Int4, Form::Int4]));
    restored(&database, &plan, rows(1, &["1\t2024-01-02\n"]))
        .await
        .unwrap();
    let plan = one_table("id int, body text", Some(&[Form::Int4, Form::Text]));
    let huge = format!("1\t{}\\\\\n", "x".repeat(3 * 1024 * 1024));
    restored(&database, &plan, rows(1, &["2\t\\N\n", &huge]))
        .await
        .unwrap();
    assert_eq!(
        database.number("SELECT max(length(body)) FROM public.t").await,
        3 * 1024 * 1024 + 1
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_table_is_committed_in_several_binary_copies() {
    let database = Database::of_owner().await;
    let forms = [Form::Int4, Form::Text];
    let plan = a_table("id int, body text", Some(&forms)).not_freezable(1).plan();
    let pieces: Vec<String> = (0..150)
        .map(|piece| format!("{piece}\t{}\n", "x".repeat(9_990)).repeat(100))
        .collect();
    let pieces: Vec<&str> = pieces.iter().map(String::as_str).collect();
    let report = restored(&database, &plan, rows(1, &pieces)).await.unwrap();
    assert_eq!(report.loads[0].rows, 15_000);
    assert_eq!(
        database
            .number("SELECT count(DISTINCT id) * 100 + max(length(body)) FROM public.t")
            .await,
        24_990
    );
    assert!(
        database
            .number("SELECT count(DISTINCT xmin::text) FROM public.t")
            .await
            > 1
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_server_refuses_it_refuses_alike_in_binary_and_in_text() {
    let database = Database::of_owner().await;
    for (columns, forms, row) in [
        ("id int, v varchar(3)", [Form::Int4, Form::Text], "1\tabcd\n"),
        ("id int, v char(3)", [Form::Int4, Form::Text], "1\tabcd\n"),
        ("id int, v numeric(3)", [Form::Int4, Form::Numeric], "1\t1000\n"),
        ("id int, v public.mood", [Form::Int4, Form::Text], "1\tglad\n"),
        ("id int, v public.positive", [Form::Int4, Form::Int4], "1\t-1\n"),
        ("id int, v text NOT NULL", [Form::Int4, Form::Text], "1\t\\N\n"),
        ("id int, v int CHECK (v > 0)", [Form::Int4, Form::Int4], "1\t-1\n"),
        ("id int UNIQUE, v int", [Form::Int4, Form::Int4], "1\t1\n1\t2\n"),
        ("id int, v json", [Form::Int4, Form::Text], "1\t{\n"),
        ("id int, v jsonb", [Form::Int4, Form::Jsonb], "1\t{\n"),
        ("id int, v jsonb", [Form::Int4, Form::Jsonb], "1\t\"\\\\u0000\"\n"),
        ("id int, v date", [Form::Int4, Form::Date], "1\t2023-02-29\n"),
        ("id int, v date", [Form::Int4, Form::Date], "1\t5874898-01-01\n"),
        (
            "id int, v timestamp",
            [Form::Int4, Form::Timestamp],
            "1\t294277-01-01 00:00:00\n",
        ),
        (
            "id int, v timestamp",
            [Form::Int4, Form::Timestamp],
            "1\t4714-11-23 23:59:59 BC\n",
        ),
        ("id int, v int", [Form::Int4, Form::Int4], "1\t2147483648\n"),
        (
            "id int, v double precision",
            [Form::Int4, Form::Float8],
            "1\t1e309\n",
        ),
        ("id int, v uuid", [Form::Int4, Form::Uuid], "1\tada\n"),
        ("id int, v boolean", [Form::Int4, Form::Boolean], "1\tmaybe\n"),
        ("id int, v int", [Form::Int4, Form::Int4], "1\n"),
        ("id int, v int", [Form::Int4, Form::Int4], "1\t2\t3\n"),
        ("id int, v text", [Form::Int4, Form::Text], "1\ta\\000b\n"),
    ] {
        let mut reported = Vec::new();
        for forms in [None, Some(&forms[..])] {
            let plan = one_table(columns, forms);
            let error = restored(&database, &plan, rows(1, &[row])).await.expect_err(row);
            reported.push(error.to_string());
        }
        assert_eq!(reported[0], reported[1], "{columns} {row}");
    }
    // Not UTF-8.
    let mut reported = Vec::new();
    for forms in [None, Some(&[Form::Int4, Form::Text][..])] {
        let plan = one_table("id int, v text", forms);
        let items = vec![
            Item::TableStart(DumpId(1)),
            Item::Rows(b"1\t\xff\n".to_vec()),
            Item::TableEnd,
        ];
        reported.push(restored(&database, &plan, items).await.unwrap_err().to_string());
    }
    assert_eq!(reported[0], reported[1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn modifiers_round_pad_and_cut_alike_in_binary_and_in_text() {
    let columns =
        "id int, c char(4), v varchar(2), n numeric(5,1), t time(1), ts timestamp(2), tz timestamptz(0)";
    let forms = [
        Form::Int4,
        Form::Text,
        Form::Text,
        Form::Numeric,
        Form::Time,
        Form::Timestamp,
        Form::TimestampTz,
    ];
    let row = "1\ta \tab   \t1.25\t01:02:03.45\t2024-01-01 00:00:00.125\t1999-12-31 23:59:59.5+00\n\
               2\té\t\t-0.05\t23:59:59.99\t1999-12-31 23:59:59.995\t2024-01-01 00:00:01.500001-03:30\n";
    let mut stored = Vec::new();
    for forms in [None, Some(&forms[..])] {
        let database = Database::of_owner().await;
        let plan = one_table(columns, forms);
        restored(&database, &plan, rows(1, &[row])).await.unwrap();
        stored.push(
            database
                .text("SELECT string_agg(whole::text, ' ' ORDER BY id) FROM public.t AS whole")
                .await,
        );
    }
    assert_eq!(stored[0], stored[1]);
    assert!(stored[1].contains("1.3"), "{}", stored[1]);
}

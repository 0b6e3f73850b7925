//! What archives hold and the plan makes of it, on tables of contents built by hand: what is left out, what waits for
//! what.

#![allow(clippy::unwrap_used, clippy::panic)]

mod plan_support;

use masking::Key;
use pg_dump_archive::{DumpId, EntryKind, Version};
use plan_support::{header, made, many_partitions, planned, problem, settings, shop, Toc, USERS};
use staging_sync_engine::left_out::Why;
use staging_sync_engine::plan::schema::Schema;
use staging_sync_engine::plan::{plan, PlanInput, Refusal, TaskId};

fn columns(schema: &Schema, name: &str) -> Vec<(String, bool)> {
    let table = schema
        .tables
        .iter()
        .find(|table| table.name.name == name)
        .unwrap();
    let columns = table.columns.iter();
    columns
        .map(|column| (column.name.clone(), column.not_null))
        .collect()
}

fn column(name: &str, not_null: bool) -> (String, bool) {
    (name.to_owned(), not_null)
}

#[test]
fn postgresql_18s_not_null_constraints_and_virtual_columns_are_read() {
    let mut toc = Toc::default();
    // NOT NULL with and without a name, also of inherited columns.
    toc.table("users", "id bigint CONSTRAINT users_id_nn NOT NULL,\ncity text DEFAULT 'x, y'::text CONSTRAINT \"a, b\" NOT NULL,\nemail text GENERATED ALWAYS AS (lower(city)),\nexclude text,\nseen timestamp(6) with time zone NOT NULL");
    let sql = "CREATE TABLE public.staff (\n    wage integer,\n    CONSTRAINT staff_exclude_nn NOT NULL exclude,\n    NOT NULL email NO INHERIT\n)\nINHERITS (public.users);\n";
    toc.add("TABLE", "public", "staff", sql, &[DumpId(1)]);
    let schema = Schema::read(&toc.entries);
    let users = [
        column("id", true),
        column("city", true),
        column("email", false),
        column("exclude", false),
        column("seen", true),
    ];
    assert_eq!(columns(&schema, "users"), users);
    assert_eq!(
        columns(&schema, "staff")[2..],
        [
            column("email", true),
            column("exclude", true),
            column("seen", true),
            column("wage", false)
        ]
    );
    let users = &schema.tables[0];
    assert!(users.columns[2].generated.is_some());
    assert_eq!(
        users.columns[4].column_type.as_ref().unwrap().name,
        "timestamp with time zone"
    );
}

#[test]
fn partitions_that_postgresql_10_creates_in_one_statement_are_read() {
    let mut toc = Toc::default();
    let sql = "CREATE TABLE public.parts (id bigint, email text) PARTITION BY HASH (id);\n";
    toc.add("TABLE", "public", "parts", sql, &[]);
    let sql = "CREATE TABLE public.part PARTITION OF public.parts (\n    email NOT NULL,\n    CONSTRAINT c CHECK ((id > 0))\n)\nFOR VALUES WITH (modulus 2, remainder 0);\n";
    toc.add("TABLE", "public", "part", sql, &[]);
    let schema = Schema::read(&toc.entries);
    assert_eq!(
        columns(&schema, "part"),
        [column("id", false), column("email", true)]
    );
}

#[test]
fn keys_without_overlaps_are_read_as_keys_of_their_columns() {
    let mut toc = Toc::default();
    let rooms = toc.table("rooms", "id integer,\nduring daterange");
    toc.key(
        ("rooms", rooms.0),
        "rooms_pkey",
        "PRIMARY KEY (id, during WITHOUT OVERLAPS)",
    );
    toc.key(
        ("rooms", rooms.0),
        "rooms_fk",
        "FOREIGN KEY (id, PERIOD during) REFERENCES public.rooms(id, PERIOD during)",
    );
    let schema = Schema::read(&toc.entries);
    assert_eq!(
        columns(&schema, "rooms"),
        [column("id", true), column("during", true)]
    );
    let key = &schema.tables[0].foreign_keys[0];
    assert_eq!(key.columns, ["id", "during"]);
    assert_eq!(key.referenced_columns, ["id", "during"]);
}

#[test]
fn rows_whose_table_cannot_be_read_are_never_silently_lost() {
    let mut toc = Toc::default();
    let table = toc.add(
        "TABLE",
        "public",
        "odd",
        "CREATE SOMETHING NEW public.odd (a int);\n",
        &[],
    );
    toc.data("odd", "a x", table);
    assert!(problem(&toc, &[], &[]).contains(r#""table_unread","table":"public.odd""#));
}

#[test]
fn an_archive_without_a_schema_is_refused_and_one_without_rows_is_a_warning() {
    let mut toc = Toc::default();
    toc.data("users", USERS, DumpId(99));
    assert!(problem(&toc, &[], &[]).contains("no_tables"));
    let mut toc = shop();
    toc.entries.retain(|entry| entry.kind != EntryKind::TableData);
    assert!(made(&toc, &[], &[]).warnings[0].is("no_rows"));
}

#[test]
fn strings_and_encodings_that_mean_something_else_are_refused() {
    let mut toc = shop();
    toc.add(
        "STDSTRINGS",
        "",
        "STDSTRINGS",
        "SET standard_conforming_strings = 'off';\n",
        &[],
    );
    toc.add("ENCODING", "", "ENCODING", "SET client_encoding = 'SJIS';\n", &[]);
    let message = problem(&toc, &[], &[]);
    assert!(
        message.contains("other_strings") && message.contains("SJIS"),
        "{message}"
    );
    let mut toc = shop();
    toc.add(
        "ENCODING",
        "",
        "ENCODING",
        "SET client_encoding = 'LATIN1';\n",
        &[],
    );
    assert_eq!(made(&toc, &[], &[]).encoding, "LATIN1");
}

#[test]
fn a_table_that_needs_something_left_out_goes_with_a_warning() {
    let mut toc = shop();
    let kind = toc.add(
        "TYPE",
        "pghero",
        "level",
        "CREATE TYPE pghero.level AS ENUM (\n'a'\n);\n",
        &[],
    );
    let table = toc.add(
        "TABLE",
        "public",
        "levels",
        "CREATE TABLE public.levels (id int, l pghero.level);\n",
        &[kind],
    );
    let data = toc.data("levels", "id x,\nl x", table);
    let index = toc.key(
        ("levels", table),
        "levels_id",
        "CREATE INDEX levels_id ON public.levels USING btree (id);\n",
    );
    let plan = made(&toc, &[], &[]);
    assert!(plan
        .warnings
        .iter()
        .any(|warning| warning.contains("table_left_out") && warning.contains("public.levels")));
    assert!(!plan.loads.contains_key(&data) && plan.steps.iter().all(|step| step.id != TaskId::Entry(index)));
    let why = |name: &str| &plan.left_out.iter().find(|left| left.name == name).unwrap().why;
    let needs = |object: &str| {
        [Why::NeedsLeftOut {
            object: object.into(),
        }]
    };
    assert_eq!(*why("public.levels"), needs("TYPE pghero.level"));
    assert_eq!(*why("public.levels_id"), needs("TABLE public.levels"));
}

#[test]
fn sequences_have_their_values_before_any_row_comes_so_that_rules_in_sql_may_take_numbers() {
    let mut toc = shop();
    let sequence = toc.add(
        "SEQUENCE",
        "public",
        "codes",
        "CREATE SEQUENCE public.codes;\n",
        &[],
    );
    let set = toc.add(
        "SEQUENCE SET",
        "public",
        "codes",
        "SELECT pg_catalog.setval('public.codes', 7, true);\n",
        &[sequence],
    );
    let plan = made(&toc, &[], &[]);
    let place = |id: DumpId| plan.schema.iter().position(|statement| statement.dump_id == id);
    assert!(place(sequence).is_some() && place(sequence) < place(set));
    assert!(plan.steps.iter().all(|step| step.id != TaskId::Entry(set)));
}

#[test]
fn rows_of_an_extensions_own_tables_come_apart_and_its_sequences_are_left_out() {
    let mut toc = shop();
    let postgis = toc.add(
        "EXTENSION",
        "",
        "postgis",
        "CREATE EXTENSION IF NOT EXISTS postgis WITH SCHEMA public;\n",
        &[],
    );
    let data = toc.data("spatial_ref_sys", "srid x", postgis);
    toc.add(
        "SEQUENCE SET",
        "public",
        "cron_seq",
        "SELECT pg_catalog.setval('public.cron_seq', 1, false);\n",
        &[postgis],
    );
    let plan = made(&toc, &[], &[]);
    assert!(!plan.loads.contains_key(&data) && plan.extension_rows.contains_key(&data));
    assert_eq!(
        plan.left_out
            .iter()
            .filter(|left| left.why == [Why::ExtensionsSequence])
            .count(),
        1
    );
    assert_eq!(
        plan.schema
            .iter()
            .find(|statement| statement.name == "postgis")
            .unwrap()
            .refusal,
        Refusal::LeftOut
    );
}

#[test]
fn an_extension_in_a_schema_that_is_never_restored_is_left_out_unless_it_is_needed() {
    let mut toc = shop();
    let home = toc.add("SCHEMA", "", "heroku_ext", "CREATE SCHEMA heroku_ext;\n", &[]);
    let sql = "CREATE EXTENSION IF NOT EXISTS pgcrypto WITH SCHEMA heroku_ext;\n";
    toc.add("EXTENSION", "", "pgcrypto", sql, &[home]);
    let plan = made(&toc, &[], &[]);
    assert!(plan
        .schema
        .iter()
        .all(|statement| statement.kind != EntryKind::Extension && statement.kind != EntryKind::Schema));
    // The text of a function is no dependency that pg_dump knows.
    toc.add("FUNCTION", "public", "f()", "CREATE FUNCTION public.f() RETURNS text LANGUAGE plpgsql AS $$ BEGIN RETURN heroku_ext.digest('x'); END $$;\n", &[]);
    let plan = made(&toc, &[], &[]);
    let refusals: Vec<Refusal> = plan
        .schema
        .iter()
        .filter(|statement| matches!(statement.kind, EntryKind::Extension | EntryKind::Schema))
        .map(|statement| statement.refusal)
        .collect();
    assert_eq!(refusals, [Refusal::LeftOut, Refusal::LeftOut]);
}

#[test]
fn old_archives_and_other_access_methods_get_the_settings_that_pg_restore_gives_them() {
    let mut toc = shop();
    toc.entries[0].table_am = "columnar".into();
    let settings = settings(&[], &[]);
    let key = Key::new(&settings.masking.secret);
    let made = plan(&PlanInput::read(&header(), &toc.entries), &settings, &key).unwrap();
    assert!(made.schema[0]
        .sql
        .starts_with("SET LOCAL default_table_access_method = \"columnar\";\nCREATE TABLE"));
    assert!(made.schema[0]
        .sql
        .ends_with("SET LOCAL default_table_access_method = DEFAULT;\n"));
    assert!(made.schema[1].sql.starts_with("CREATE TABLE"));
    let mut old = header();
    old.version = Version {
        major: 1,
        minor: 12,
        revision: 0,
    };
    let made = plan(&PlanInput::read(&old, &toc.entries), &settings, &key).unwrap();
    assert!(made.schema[1]
        .sql
        .starts_with("SET LOCAL search_path = \"public\", pg_catalog;\nCREATE TABLE"));
}

#[test]
fn large_objects_are_named_by_old_and_new_archives_alike() {
    let mut toc = shop();
    toc.add(
        "BLOB",
        "",
        "16404",
        "SELECT pg_catalog.lo_create('16404');\n",
        &[],
    );
    toc.add("BLOB METADATA", "", "16405..16406", "16405\n16406\n", &[]);
    let blobs = toc.add("BLOBS", "", "BLOBS", "", &[]);
    let plan = made(&toc, &[], &[]);
    assert_eq!(plan.large_objects.oids, [16404, 16405, 16406]);
    assert!(plan.large_objects.blocks.contains(&blobs));
    assert!(plan
        .schema
        .iter()
        .all(|statement| !statement.sql.contains("lo_create")));
}

#[test]
fn what_can_hold_raw_values_or_passwords_is_always_left_out() {
    let mut toc = shop();
    for kind in [
        "STATISTICS DATA",
        "USER MAPPING",
        "SECURITY LABEL",
        "PUBLICATION TABLE",
        "SUBSCRIPTION",
        "DATABASE PROPERTIES",
    ] {
        toc.add(kind, "public", "secret", "SELECT 'secret';\n", &[DumpId(1)]);
    }
    let plan = made(&toc, &[], &[]);
    assert_eq!(plan.left_out.len(), 6);
    assert!(plan
        .schema
        .iter()
        .all(|statement| !statement.sql.contains("secret")));
    assert!(plan.steps.iter().all(|step| !step.sql.contains("secret")));
}

#[test]
fn foreign_keys_in_a_cycle_do_not_wait_for_one_another() {
    let mut toc = Toc::default();
    let a = toc.table("a", "id int NOT NULL,\nb_id int");
    let b = toc.table("b", "id int NOT NULL,\na_id int");
    let a_key = toc.key(("a", a.0), "a_pkey", "PRIMARY KEY (id)");
    let b_key = toc.key(("b", b.0), "b_pkey", "PRIMARY KEY (id)");
    let to_b = toc.key(("a", a.0), "a_b", "FOREIGN KEY (b_id) REFERENCES public.b(id)");
    let to_a = toc.key(("b", b.0), "b_a", "FOREIGN KEY (a_id) REFERENCES public.a(id)");
    let plan = made(&toc, &[], &[]);
    let waits = |id: DumpId| {
        plan.steps
            .iter()
            .find(|step| step.id == TaskId::Entry(id))
            .unwrap()
            .waits_for
            .clone()
    };
    // pg_dump's dependencies name neither the other table's rows nor its key here.
    assert_eq!(waits(to_b), [a.1, b.1, b_key].map(TaskId::Entry));
    assert_eq!(waits(to_a), [a.1, b.1, a_key].map(TaskId::Entry));
}

#[test]
fn a_damaged_archive_never_makes_the_plan_panic() {
    let mut toc = shop();
    for (kind, sql) in [
        ("TABLE", "CREATE TABLE"),
        ("TABLE", "CREATE TABLE public.x ("),
        ("TABLE", "CREATE TABLE public.y (a, , \"b"),
        ("TYPE", "CREATE TYPE x AS ENUM ("),
        ("DOMAIN", "CREATE DOMAIN d AS public.d"),
        ("INDEX", "CREATE UNIQUE INDEX"),
        ("DOMAIN", "CREATE DOMAIN public.d AS public.d"),
        ("TABLE", "CREATE TABLE public.z (a public.d) INHERITS (public.z)"),
        (
            "FK CONSTRAINT",
            "ALTER TABLE public.users ADD CONSTRAINT x FOREIGN KEY",
        ),
        (
            "TABLE ATTACH",
            "ALTER TABLE public.users ATTACH PARTITION public.users",
        ),
        (
            "FK CONSTRAINT",
            "ALTER TABLE public.users ADD CONSTRAINT x FOREIGN KEY (a, b) REFERENCES public.nowhere(c)",
        ),
        (
            "TABLE ATTACH",
            "ALTER TABLE public.users ATTACH PARTITION public.orders",
        ),
        (
            "TABLE ATTACH",
            "ALTER TABLE public.orders ATTACH PARTITION public.users",
        ),
        ("TRIGGER", "CREATE TRIGGER"),
        ("BLOB METADATA", "x"),
        ("BLOB", ""),
        ("INDEX ATTACH", ""),
        ("NEW KIND", "NEW"),
        ("TABLE DATA", ""),
        ("EXTENSION", ""),
        ("ENCODING", ""),
    ] {
        toc.add(
            kind,
            "public",
            "broken",
            sql,
            &[1, 2, 3, 77, 4, 5, 6, 7, 8, 9, 10].map(DumpId),
        );
    }
    let _ = planned(
        &toc.entries,
        &settings(
            &[("users", "user_anonymization"), ("broken", "user_anonymization")],
            &["orders"],
        ),
    );
    let _ = planned(&toc.entries, &settings(&[("users", "user_anonymization")], &[]));
}

#[test]
fn a_partitions_index_is_attached_after_its_own_its_parents_and_its_tables() {
    let toc = many_partitions(3);
    let plan = planned(&toc.entries, &settings(&[], &[])).unwrap();
    let attached: Vec<usize> = (plan.steps.iter())
        .filter(|step| step.kind == EntryKind::IndexAttach)
        .map(|step| step.waits_for.len())
        .collect();
    assert_eq!(attached, [3, 3, 3]);
}

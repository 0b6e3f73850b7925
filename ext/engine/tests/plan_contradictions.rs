//! Archives that contradict themselves, as no pg_dump writes them: refused before anything is touched.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod plan_support;

use pg_dump_archive::{DumpId, Entry, EntryKind, Section};
use plan_support::{made, planned, settings, shop, Database, Toc, EVERYTHING, USERS};
use staging_sync_engine::error::Kind;
use staging_sync_engine::settings::SqlRule;

/// What is said of an archive that contradicts itself.
fn refusal(entries: &[Entry]) -> String {
    let error = planned(entries, &settings(&[("users", "email_anonymization")], &[])).unwrap_err();
    assert_eq!(error.kind, Kind::Archive, "{error}");
    error.to_string()
}

/// A shop of which one entry of a kind is another.
fn shop_with(kind: EntryKind, tag: &str, change: impl FnOnce(&mut Entry)) -> Vec<Entry> {
    let mut toc = shop();
    toc.add(
        "SEQUENCE SET",
        "public",
        "users_id_seq",
        "SELECT pg_catalog.setval('public.users_id_seq', 7, true);\n",
        &[],
    );
    toc.add(
        "SEQUENCE",
        "public",
        "users_id_seq",
        "CREATE SEQUENCE public.users_id_seq;\n",
        &[],
    );
    made(&toc, &[], &[]);
    let mut entries = toc.entries.into_iter();
    let mut entries: Vec<Entry> = entries.by_ref().collect();
    let one = entries
        .iter_mut()
        .find(|entry| entry.kind == kind && entry.tag == tag);
    change(one.unwrap());
    entries
}

#[test]
fn rows_of_one_table_under_the_entry_of_another_are_refused() {
    for copy in [
        "COPY public.users (id, user_id, total) FROM stdin;\n",
        "COPY other.orders (id, user_id, total) FROM stdin;\n",
        "COPY users FROM stdin;\n",
    ] {
        let said = refusal(&shop_with(EntryKind::TableData, "orders", |entry| {
            entry.copy_stmt = copy.into();
        }));
        assert!(
            said.contains("TABLE DATA public.orders") && said.contains("rows_of_other"),
            "{said}"
        );
    }
}

#[test]
fn inserts_of_one_table_under_the_entry_of_another_are_refused() {
    let said = refusal(&shop_with(EntryKind::TableData, "orders", |entry| {
        entry.copy_stmt.clear();
        entry.defn = "-- load via partition root public.users".into();
    }));
    assert!(
        said.contains(r#""rows_of_other","table":"public.users""#),
        "{said}"
    );
}

#[test]
fn a_copy_that_is_more_than_one_is_refused() {
    for copy in [
        "COPY public.orders (id, user_id) FROM stdin; DROP TABLE public.users;\n",
        "COPY public.orders (id, user_id) FROM '/etc/passwd';\n",
        "COPY public.orders (id, user_id) FROM PROGRAM 'id';\n",
        "COPY public.orders (id, user_id) TO stdout;\n",
        "COPY (SELECT 1) TO stdout;\n",
        "INSERT INTO public.orders VALUES (1);\n",
    ] {
        refusal(&shop_with(EntryKind::TableData, "orders", |entry| {
            entry.copy_stmt = copy.into();
        }));
    }
}

#[test]
fn columns_that_are_named_twice_or_are_not_there_are_refused() {
    for (columns, said) in [
        ("id, user_id, user_id", r#""column_twice","column":"user_id""#),
        ("id, secret", r#""column_unknown","column":"secret""#),
        ("id, \"Total\"", r#""column_unknown","column":"Total""#),
    ] {
        let message = refusal(&shop_with(EntryKind::TableData, "orders", |entry| {
            entry.copy_stmt = format!("COPY public.orders ({columns}) FROM stdin;\n");
        }));
        assert!(message.contains(said), "{message}");
    }
}

#[test]
fn columns_that_an_extensions_table_hands_down_are_not_asked_about() {
    let mut toc = Toc::default();
    let child = "CREATE TABLE public.child (\n    a integer\n)\nINHERITS (extension.parent);\n";
    let table = toc.add("TABLE", "public", "child", child, &[]);
    toc.data("child", "a,\nfrom_parent", table);
    made(&toc, &[], &[]);
}

#[test]
fn a_table_entry_creates_its_own_table_and_no_other() {
    for definition in [
        "CREATE TABLE public.decoy (\n    id bigint\n);\n",
        "CREATE TABLE public.orders (id bigint);\nCREATE TABLE public.more (id bigint);\n",
        "ALTER TABLE public.orders ADD id bigint;\n",
    ] {
        let said = refusal(&shop_with(EntryKind::Table, "orders", |entry| {
            entry.defn = definition.into();
        }));
        assert!(
            said.contains("TABLE public.orders") && said.contains("creates_other"),
            "{said}"
        );
    }
}

#[test]
fn a_definition_that_does_more_than_define_is_refused() {
    for more in [
        "COMMIT;",
        "-- harmless\nCOMMIT;",
        "/* /* */ */ ABORT ;",
        "END;",
        "DO $$ BEGIN EXECUTE 'COMMIT'; END $$;",
        "CALL public.commits();",
        "COPY public.users FROM stdin;",
        "INSERT INTO public.users VALUES (1);",
        "SET standard_conforming_strings = off;",
        "PREPARE TRANSACTION 'x';",
        "ALTER ROLE postgres SET work_mem = '1GB';",
        "DROP TABLE public.users;",
        "SELECT pg_catalog.set_config('session_replication_role', 'replica', false);",
    ] {
        for (kind, tag) in [
            (EntryKind::Table, "orders"),
            (EntryKind::Constraint, "users users_pkey"),
        ] {
            let said = refusal(&shop_with(kind, tag, |entry| entry.defn.push_str(more)));
            assert!(said.contains("strange_statement"), "{said}");
        }
    }
}

#[test]
fn what_only_looks_like_a_statement_of_its_own_passes() {
    let mut toc = Toc::default();
    for (name, body) in [
        ("text", "LANGUAGE plpgsql AS 'BEGIN COMMIT; END';"),
        ("dollar", "LANGUAGE plpgsql AS $_$ BEGIN; COMMIT; END; $_$;"),
        ("escape", "LANGUAGE sql AS E'SELECT \\'; COMMIT; \\'';"),
        (
            "atomic",
            "LANGUAGE sql\n    BEGIN ATOMIC\n SELECT CASE WHEN true THEN 1 END;\n SELECT 2;\nEND;\n",
        ),
    ] {
        let tag = format!("{name}()");
        let sql = format!("CREATE FUNCTION public.{name}() RETURNS integer {body}\n");
        toc.add("FUNCTION", "public", &tag, &sql, &[]);
    }
    toc.add(
        "RULE",
        "public",
        "users log",
        "CREATE RULE log AS\n    ON INSERT TO public.users DO ( INSERT INTO public.log VALUES (1);\n SELECT 1;\n);\n",
        &[],
    );
    toc.table("users", USERS);
    made(&toc, &[], &[]);
}

#[test]
fn what_follows_a_functions_body_is_looked_at() {
    let mut toc = shop();
    let sql = "CREATE FUNCTION public.f() RETURNS integer LANGUAGE sql BEGIN ATOMIC SELECT 1; END; COMMIT;";
    toc.add("FUNCTION", "public", "f()", sql, &[]);
    refusal(&toc.entries);
}

#[test]
fn a_sequences_value_is_that_sequences_value() {
    for sql in [
        "SELECT pg_catalog.setval('public.orders_id_seq', 7, true);\n",
        "SELECT pg_catalog.setval('public.users_id_seq', (SELECT 7), true);\n",
        "SELECT pg_catalog.setval('public.users_id_seq', 7, true), pg_catalog.pg_sleep(9);\n",
        "SELECT pg_catalog.setval('public.users_id_seq', 7, true); COMMIT;\n",
        "COMMIT;\n",
    ] {
        refusal(&shop_with(EntryKind::SequenceSet, "users_id_seq", |entry| {
            entry.defn = sql.into();
        }));
    }
    shop_with(EntryKind::SequenceSet, "users_id_seq", |entry| {
        entry.defn = "SELECT pg_catalog.setval('public.users_id_seq', -7, false);\n".into();
    });
}

#[test]
fn a_trigger_before_the_rows_is_refused() {
    let mut toc = shop();
    let sql =
        "CREATE TRIGGER leak AFTER INSERT ON public.orders FOR EACH ROW EXECUTE FUNCTION public.leak();\n";
    toc.add("TRIGGER", "public", "orders leak", sql, &[]);
    made(&toc, &[], &[]);
    toc.entries.last_mut().unwrap().section = Section::PreData;
    let said = refusal(&toc.entries);
    assert!(
        said.contains("TRIGGER public.orders leak") && said.contains("in_other_section"),
        "{said}"
    );
}

#[test]
fn entries_that_need_one_another_are_refused_before_anything_is_touched() {
    let mut toc = shop();
    let users = DumpId(1);
    let first = toc.key(
        ("users", users),
        "users_email",
        "CREATE INDEX users_email ON public.users (email);\n",
    );
    let second = toc.key(
        ("users", users),
        "users_name",
        "CREATE INDEX users_name ON public.users (first_name);\n",
    );
    let at = |id: DumpId| usize::try_from(id.0).unwrap() - 1;
    toc.entries[at(second)].dependencies.push(first);
    made(&toc, &[], &[]);
    toc.entries[at(first)].dependencies.push(second);
    let said = refusal(&toc.entries);
    assert!(said.contains("INDEX public.users_"), "{said}");
    assert!(said.contains("waits_for_itself"), "{said}");
}

#[test]
fn a_name_with_a_newline_stays_on_its_line_of_the_message() {
    let mut toc = shop();
    toc.add("VIEW", "public", "v\n\u{1b}[31mdone", "COMMIT;", &[]);
    let said = refusal(&toc.entries);
    assert!(
        said.contains(r"v\\n\\u{1b}[31mdone") && !said.contains('\n'),
        "{said}"
    );
}

#[test]
fn a_search_path_that_is_more_than_one_is_not_taken_over() {
    let path = |sql: &str| {
        let mut toc = shop();
        toc.add("DATABASE PROPERTIES", "", "production", sql, &[]);
        made(&toc, &[], &[]).search_path
    };
    assert_eq!(
        path("ALTER DATABASE production SET search_path TO '$user', 'Odd \"name', public;\n"),
        "\"$user\", \"Odd \"\"name\", \"public\""
    );
    let default = "\"public\"";
    assert_eq!(
        path("ALTER DATABASE production SET search_path TO public -- "),
        default
    );
    assert_eq!(
        path("ALTER DATABASE production SET search_path TO (SELECT 1);\n"),
        default
    );
}

#[test]
fn a_rule_for_one_partition_does_not_miss_rows_that_come_through_the_root() {
    let columns = "id bigint NOT NULL,\nemail text";
    let mut toc = Toc::default();
    let root =
        "CREATE TABLE public.people (\n    id bigint NOT NULL,\n    email text\n)\nPARTITION BY HASH (id);\n";
    let root = toc.add("TABLE", "public", "people", root, &[]);
    for name in ["people_0", "people_1"] {
        let (table, _) = toc.table(name, columns);
        toc.entries.last_mut().unwrap().copy_stmt = "COPY public.people (id, email) FROM stdin;\n".into();
        let sql = format!("ALTER TABLE ONLY public.people ATTACH PARTITION public.{name} FOR VALUES WITH (modulus 2, remainder 0);\n");
        toc.add("TABLE ATTACH", "public", name, &sql, &[root, table]);
    }
    made(&toc, &[("people", "email_anonymization")], &[]);
    let said = plan_support::problem(&toc, &[("people_1", "email_anonymization")], &[]);
    assert!(
        said.contains(r#""table":"public.people_0","column":"email","root":"public.people""#),
        "{said}"
    );
    let mut in_sql = settings(&[], &[]);
    in_sql.masking.sql_rules = vec![SqlRule {
        table: "people_1".into(),
        query: Some("UPDATE people_1 SET email = 'x'".into()),
        ..SqlRule::default()
    }];
    let error = planned(&toc.entries, &in_sql).unwrap_err().to_string();
    let message = r#""partition_missed","root":"public.people","table":"public.people_1""#;
    assert!(error.contains(message), "{error}");
}

#[test]
fn everything_that_pg_dump_writes_agrees_with_itself() {
    let database = Database::with("agrees", EVERYTHING);
    for options in [&[][..], &["--inserts"], &["--load-via-partition-root"]] {
        let (_, entries) = database.dump(options);
        planned(&entries, &settings(&[], &[])).unwrap();
    }
}

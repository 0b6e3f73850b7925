//! Everything that can be wrong with rules and names, on tables of contents built by hand.

#![allow(clippy::unwrap_used, clippy::panic)]

mod plan_support;

use pg_dump_archive::DumpId;
use plan_support::{made, planned, problem, settings, shop, Toc};
use staging_sync_engine::plan::Plan;
use std::sync::Arc;

/// The masked columns of a table's load.
fn masked(plan: &Plan, table: &str) -> Vec<String> {
    let load = plan.loads.values().find(|load| load.table.name == table).unwrap();
    load.mask
        .iter()
        .flat_map(|mask| mask.columns())
        .map(|column| column.name.clone())
        .collect()
}

/// What a table's rows become.
fn rows(plan: &Plan, table: &str, rows: &str) -> String {
    let load = plan.loads.values().find(|load| load.table.name == table).unwrap();
    let mut out = Vec::new();
    Arc::clone(load.mask.as_ref().unwrap())
        .masker()
        .mask_piece(rows.as_bytes(), &mut out)
        .unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn a_rule_masks_the_documented_columns_that_its_table_has() {
    let plan = made(&shop(), &[("users", "user_anonymization")], &[]);
    assert_eq!(masked(&plan, "users"), ["email", "first_name"]);
    assert!(plan
        .loads
        .values()
        .find(|load| load.table.name == "orders")
        .unwrap()
        .mask
        .is_none());
    for name in [
        "public.users",
        "\"users\"",
        "public.\"users\"",
        "USERS",
        " users ",
    ] {
        assert_eq!(
            masked(&made(&shop(), &[(name, "email_anonymization")], &[]), "users"),
            ["email"],
            "{name}"
        );
    }
}

#[test]
fn a_rule_whose_table_has_none_of_its_columns_names_those_looked_for() {
    let message = problem(&shop(), &[("orders", "phone_anonymization")], &[]);
    assert!(
        message.contains(
            r#""none_of_its_columns","rule":"orders: phone_anonymization","table":"public.orders""#
        ),
        "{message}"
    );
    assert!(
        message.contains(r#""number","phone","phone_number""#),
        "{message}"
    );
}

#[test]
fn an_unknown_table_strategy_or_name_is_reported_with_what_was_meant() {
    let message = problem(&shop(), &[("user", "user_anonymization")], &[]);
    assert!(
        message
            .contains(r#""none_matches","text":"user","advice":{"kind":"meant","name":"\"public.users\"""#),
        "{message}"
    );
    let message = problem(&shop(), &[("users", "users_anonymization")], &[]);
    assert!(
        message.contains("other_strategy") && message.contains(r#""meant":"user_anonymization""#),
        "{message}"
    );
    let message = problem(&shop(), &[("a.b.c", "user_anonymization")], &[]);
    assert!(message.contains("not_a_name"), "{message}");
    let message = problem(&shop(), &[], &["order", "\"x", "zzz"]);
    assert!(
        message.contains(r#"{"kind":"meant","name":"\"public.orders\""}"#)
            && message.contains("\"x")
            && message.contains("\"zzz\""),
        "{message}"
    );
    assert!(
        message.contains(r#""does_not_fit","count":3"#),
        "everything is reported together: {message}"
    );
}

#[test]
fn a_view_has_no_rows_to_exclude_or_mask() {
    let mut toc = shop();
    toc.add(
        "VIEW",
        "public",
        "people",
        "CREATE VIEW public.people AS SELECT 1;\n",
        &[DumpId(1)],
    );
    assert!(problem(&toc, &[], &["people"]).contains(r#""sort":"view","name":"public.people""#));
    assert!(problem(&toc, &[("people", "user_anonymization")], &[]).contains("named_a_view"));
}

#[test]
fn two_rules_on_one_column_are_reported_and_different_columns_combine() {
    let message = problem(
        &shop(),
        &[
            ("users", "user_anonymization"),
            ("public.users", "email_anonymization"),
        ],
        &[],
    );
    assert!(
        message.contains(r#""rule":"public.users: email_anonymization","other":"users: user_anonymization""#),
        "{message}"
    );
    assert!(message.contains("public.users.email"), "{message}");
    assert!(problem(&shop(), &[("users", "email_anonymization"); 2], &[]).contains("both_mask"));
    let mut toc = Toc::default();
    toc.table("users", "id int NOT NULL,\nemail text,\nphone text");
    let plan = made(
        &toc,
        &[("users", "email_anonymization"), ("users", "phone_anonymization")],
        &[],
    );
    assert_eq!(masked(&plan, "users"), ["email", "phone"]);
}

/// `users` partitioned by `at`, with two partitions, the second of which has its columns in another order.
fn partitioned() -> Toc {
    let mut toc = Toc::default();
    let columns = "id bigint NOT NULL,\nat date NOT NULL,\nemail text,\nphone text";
    let root = toc.add(
        "TABLE",
        "public",
        "users",
        &format!("CREATE TABLE public.users (\n{columns}\n)\nPARTITION BY RANGE (at);\n"),
        &[],
    );
    let leaf = |toc: &mut Toc, name: &str, columns: &str| {
        let (table, _) = toc.table(name, columns);
        let sql = format!("ALTER TABLE ONLY public.users ATTACH PARTITION public.{name} DEFAULT;\n");
        toc.add("TABLE ATTACH", "public", name, &sql, &[root, table]);
    };
    leaf(&mut toc, "users_a", columns);
    leaf(
        &mut toc,
        "users_b",
        "phone text,\nemail text,\nat date NOT NULL,\nid bigint NOT NULL",
    );
    toc
}

#[test]
fn a_rule_on_a_partitioned_table_covers_its_partitions_and_one_on_a_partition_only_that() {
    let plan = made(
        &partitioned(),
        &[
            ("users", "email_anonymization"),
            ("users_b", "phone_anonymization"),
        ],
        &[],
    );
    assert_eq!(masked(&plan, "users_a"), ["email"]);
    assert_eq!(masked(&plan, "users_b"), ["phone", "email"]);
    let message = problem(
        &partitioned(),
        &[
            ("users", "email_anonymization"),
            ("users_b", "email_anonymization"),
        ],
        &[],
    );
    assert!(
        message.contains(r#""rule":"users_b: email_anonymization","other":"users: email_anonymization""#)
            && message.contains("public.users_b.email"),
        "{message}"
    );
    let plan = made(&partitioned(), &[], &["users"]);
    assert!(plan.loads.is_empty());
    let plan = made(&partitioned(), &[], &["users_b"]);
    assert_eq!(plan.loads.len(), 1);
}

#[test]
fn a_masked_partition_key_is_refused() {
    let mut toc = Toc::default();
    toc.add(
        "TABLE",
        "public",
        "people",
        "CREATE TABLE public.people (id int, city text) PARTITION BY LIST (lower(city));\n",
        &[],
    );
    let (leaf, _) = toc.table("people_a", "id int,\ncity text");
    let sql = "ALTER TABLE ONLY public.people ATTACH PARTITION public.people_a DEFAULT;\n";
    toc.add("TABLE ATTACH", "public", "people_a", sql, &[DumpId(1), leaf]);
    let message = problem(&toc, &[("people", "address_anonymization")], &[]);
    assert!(
        message.contains("masks_partition_key") && message.contains(r#""table":"public.people""#),
        "{message}"
    );
    assert!(problem(&toc, &[("people_a", "address_anonymization")], &[]).contains("masks_partition_key"));
}

#[test]
fn a_masked_column_in_a_foreign_key_needs_the_same_mask_on_both_sides() {
    let mut toc = Toc::default();
    let accounts = toc.table("accounts", "id int NOT NULL,\nemail text,\nphone text");
    toc.key(("accounts", accounts.0), "accounts_email", "UNIQUE (email)");
    let logins = toc.table("logins", "id int NOT NULL,\nemail text,\nphone text");
    toc.key(
        ("logins", logins.0),
        "logins_email_fkey",
        "FOREIGN KEY (email) REFERENCES public.accounts(email)",
    );
    let message = problem(&toc, &[("accounts", "email_anonymization")], &[]);
    assert!(
        message.contains("logins_email_fkey") && message.contains("key_no_longer_matches"),
        "{message}"
    );
    problem(&toc, &[("logins", "email_anonymization")], &[]);
    let both = [
        ("accounts", "email_anonymization"),
        ("logins", "user_anonymization"),
    ];
    let plan = made(&toc, &both, &[]);
    // The index of one side distinguishes case, so both do.
    let masked = rows(&plan, "logins", "1\tAda@x.fr\t\\N\n2\tada@x.fr\t\\N\n");
    assert_eq!(
        masked,
        rows(&plan, "accounts", "1\tAda@x.fr\t\\N\n2\tada@x.fr\t\\N\n")
    );
    assert_ne!(
        masked.lines().next().unwrap()[2..],
        masked.lines().nth(1).unwrap()[2..]
    );
    // Rows that are not there cannot disagree.
    made(&toc, &[("accounts", "email_anonymization")], &["logins"]);
    made(&toc, &[("logins", "email_anonymization")], &["accounts"]);
    toc.key(
        ("logins", logins.0),
        "logins_phone_fkey",
        "FOREIGN KEY (phone) REFERENCES public.accounts(phone)",
    );
    let phones = [
        ("accounts", "phone_anonymization"),
        ("logins", "phone_anonymization"),
    ];
    assert!(
        problem(&toc, &phones, &[]).contains("logins_phone_fkey"),
        "a phone number is no function of its value"
    );
}

#[test]
fn a_generated_column_must_read_what_is_masked() {
    let mut toc = Toc::default();
    toc.table(
        "users",
        "id int NOT NULL,\nemail text,\nfull_name text GENERATED ALWAYS AS (lower(nick)) STORED,\nnick text",
    );
    let message = problem(&toc, &[("users", "user_anonymization")], &[]);
    assert!(
        message.contains("generated_stays_raw")
            && message.contains(r#""column":"public.users.full_name","read":["nick"]"#),
        "{message}"
    );
    let mut toc = Toc::default();
    toc.table("users", "id int NOT NULL,\nfull_name text GENERATED ALWAYS AS (((first_name || ' '::text) || nick)) STORED,\nfirst_name text,\nnick text");
    let plan = made(&toc, &[("users", "user_anonymization")], &[]);
    assert_eq!(masked(&plan, "users"), ["first_name"]);
    assert!(plan.warnings.iter().any(|warning| warning.is("also_reads_raw")
        && warning.contains("full_name")
        && warning.contains("nick")));
}

#[test]
fn a_tsvector_beside_masked_columns_is_a_warning() {
    let mut toc = Toc::default();
    toc.table("users", "id int NOT NULL,\nemail text,\nsearch tsvector");
    let plan = made(&toc, &[("users", "email_anonymization")], &[]);
    assert!(plan
        .warnings
        .iter()
        .any(|warning| warning.contains(r#""vector_not_masked","column":"public.users.search""#)));
    assert!(made(&toc, &[], &[]).warnings.is_empty());
}

#[test]
fn unique_indexes_decide_how_a_column_is_masked() {
    let email = |index: &str| {
        let mut toc = Toc::default();
        let users = toc.table("users", "id int NOT NULL,\nemail text");
        toc.key(("users", users.0), "users_email", index);
        let plan = made(&toc, &[("users", "email_anonymization")], &[]);
        let rows = rows(&plan, "users", "1\tAda@x.fr\n1\tada@x.fr\n");
        let (upper, lower) = rows.trim_end().split_once('\n').unwrap();
        upper != lower
    };
    assert!(email(
        "CREATE UNIQUE INDEX users_email ON public.users USING btree (email);\n"
    ));
    assert!(email("CREATE UNIQUE INDEX users_email ON public.users USING btree (email COLLATE \"C\" text_pattern_ops DESC) WHERE (id > 0);\n"));
    assert!(email("UNIQUE (id, email)"));
    assert!(email(
        "CREATE UNIQUE INDEX users_email ON public.users USING btree (btrim(email));\n"
    ));
    assert!(!email(
        "CREATE UNIQUE INDEX users_email ON public.users USING btree (lower((email)::text));\n"
    ));
    assert!(!email(
        "CREATE UNIQUE INDEX users_email ON public.users USING btree (((email)::public.citext));\n"
    ));
    assert!(!email(
        "CREATE INDEX users_email ON public.users USING btree (email);\n"
    ));
    assert!(!email(
        "CREATE UNIQUE INDEX users_email ON public.users USING btree (id) INCLUDE (email);\n"
    ));

    let token = |constraint: &str| {
        let mut toc = Toc::default();
        let users = toc.table("users", "id int NOT NULL,\napple_id text");
        toc.key(("users", users.0), "key", constraint);
        rows(
            &made(&toc, &[("users", "user_anonymization")], &[]),
            "users",
            "1\tx\n",
        )
        .len()
            > 20
    };
    assert!(!token("UNIQUE (apple_id)"));
    assert!(token("UNIQUE NULLS NOT DISTINCT (apple_id)"));
    assert!(token(
        "CREATE UNIQUE INDEX key ON public.users USING btree (COALESCE(apple_id, ''::text));\n"
    ));
    assert!(!token(
        "CREATE UNIQUE INDEX key ON public.users USING btree (lower(apple_id));\n"
    ));
    assert!(token(
        "CREATE UNIQUE INDEX key ON public.users USING btree (apple_id) NULLS NOT DISTINCT;\n"
    ));
    assert!(token("PRIMARY KEY (apple_id)"), "a primary key is NOT NULL");
}

#[test]
fn columns_that_cannot_hold_their_pseudonyms_are_reported_with_their_rule() {
    let mut toc = Toc::default();
    toc.table(
        "users",
        "id int NOT NULL,\nemail character varying(30),\nfirst_name integer",
    );
    let message = problem(&toc, &[("users", "user_anonymization")], &[]);
    assert!(
        message.contains(r#""rule":"users: user_anonymization","column":"public.users.email","misfit":{"kind":"mask_email_domain""#),
        "{message}"
    );
    assert!(
        message.contains(
            r#""column":"public.users.first_name","misfit":{"kind":"mask_cannot_hold","column_type":"integer""#
        ),
        "{message}"
    );
}

#[test]
fn the_domain_of_pseudonyms_must_be_one() {
    for domain in ["", "a b", "x@y", "démo.fr", "a..b", "it's"] {
        let mut settings = settings(&[("users", "email_anonymization")], &[]);
        settings.masking.email_domain = domain.into();
        let error = planned(&shop().entries, &settings).unwrap_err();
        assert!(error.what.contains("not_a_domain"), "{domain}");
    }
}

#[test]
fn a_unique_index_of_a_partitioned_table_counts_in_its_partitions() {
    let mut toc = partitioned();
    toc.key(
        ("users", DumpId(1)),
        "users_email",
        "CREATE UNIQUE INDEX users_email ON ONLY public.users USING btree (email, at);\n",
    );
    let plan = made(&toc, &[("users", "email_anonymization")], &[]);
    let rows = rows(
        &plan,
        "users_a",
        "1\t2020-01-01\tAda@x.fr\t\\N\n1\t2020-01-01\tada@x.fr\t\\N\n",
    );
    let (upper, lower) = rows.trim_end().split_once('\n').unwrap();
    assert_ne!(upper, lower);
}

#[test]
fn domains_and_enums_are_followed_to_what_they_are() {
    let mut toc = Toc::default();
    toc.add(
        "DOMAIN",
        "public",
        "address",
        "CREATE DOMAIN public.address AS character varying(30);\n",
        &[],
    );
    toc.add(
        "DOMAIN",
        "public",
        "mail",
        "CREATE DOMAIN public.mail AS public.address NOT NULL;\n",
        &[],
    );
    toc.add(
        "TYPE",
        "public",
        "town",
        "CREATE TYPE public.town AS ENUM (\n    'Lyon'\n);\n",
        &[],
    );
    toc.table("users", "id int NOT NULL,\nemail public.mail,\ncity public.town");
    let message = problem(&toc, &[("users", "user_anonymization")], &[]);
    assert!(
        message.contains(r#""column_type":"character varying(30)""#)
            && message.contains(r#""column_type":"an enum""#),
        "{message}"
    );
}

#[test]
fn a_column_of_the_data_that_the_model_does_not_know_is_an_error_only_for_a_rule_that_needs_it() {
    let mut toc = Toc::default();
    let table = toc.add(
        "TABLE",
        "public",
        "odd",
        "CREATE TABLE public.odd OF public.unknown_type (\n    email NOT NULL\n);\n",
        &[],
    );
    toc.data("odd", "id x,\nemail x", table);
    assert_eq!(made(&toc, &[], &[]).loads[&DumpId(2)].columns, ["id", "email"]);
    assert!(problem(&toc, &[("odd", "email_anonymization")], &[]).contains(r#""column":"public.odd.email""#));
}

#[test]
fn a_rule_without_rows_is_a_warning() {
    let plan = made(&shop(), &[("users", "user_anonymization")], &["users"]);
    assert!(plan.warnings.iter().any(|warning| warning.is("rule_idle")));
}

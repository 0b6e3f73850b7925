//! Which part of production a configuration asks for, as the table of contents shows it: the tables that may lose rows, what
//! is looked at of them, and how they refer to one another.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod left_out;
#[path = "../plan_support/mod.rs"]
mod plan_support;

use plan_support::{header, planned, settings, Toc};
use serde_json::{json, Value};
use staging_sync_engine::plan::part::{Compared, Missing, Part, PartRule, Relation};
use staging_sync_engine::plan::{attempt, PlanInput};

/// Organisations, their users and orders, and countries that nothing refers to.
fn shop() -> Toc {
    let mut toc = Toc::default();
    let organisations = toc.table("organisations", "id bigint NOT NULL,\nname text");
    toc.key(
        ("organisations", organisations.0),
        "organisations_pkey",
        "PRIMARY KEY (id)",
    );
    let users = toc.table(
        "users",
        "id integer NOT NULL,\norganisation_id bigint,\nemail text,\ncode numeric(8,2)",
    );
    toc.key(("users", users.0), "users_pkey", "PRIMARY KEY (id)");
    let to_organisations = "FOREIGN KEY (organisation_id) REFERENCES public.organisations(id)";
    toc.key(("users", users.0), "users_organisation", to_organisations);
    let orders = toc.table(
        "orders",
        "id bigint NOT NULL,\nuser_id bigint NOT NULL,\nreviewer_id bigint",
    );
    toc.key(
        ("orders", orders.0),
        "orders_user",
        "FOREIGN KEY (user_id) REFERENCES public.users(id)",
    );
    toc.key(
        ("orders", orders.0),
        "orders_reviewer",
        "FOREIGN KEY (reviewer_id) REFERENCES public.users(id)",
    );
    toc.table(
        "comments",
        "id bigint NOT NULL,\nsubject_type text,\nsubject_id text",
    );
    toc.table("countries", "code text");
    toc
}

fn part_of(toc: &Toc, tables: Value, others: &str, references: Value) -> Result<Option<Part>, String> {
    let mut settings = settings(&[("users", "user_anonymization")], &[]);
    settings.subset =
        serde_json::from_value(json!({ "tables": tables, "others": others, "references": references }))
            .unwrap();
    let plan = planned(&toc.entries, &settings).map_err(|error| error.to_string())?;
    Ok(plan.part)
}

fn part(toc: &Toc, tables: Value) -> Part {
    part_of(toc, tables, "follow", json!([])).unwrap().unwrap()
}

fn names(part: &Part) -> Vec<String> {
    part.relations
        .iter()
        .map(|relation| relation.table.name.clone())
        .collect()
}

fn rule(table: &str, further: Value) -> Value {
    let mut rule = json!({ "table": table, "option": "subset" });
    rule.as_object_mut()
        .unwrap()
        .extend(further.as_object().unwrap().clone());
    rule
}

#[test]
fn only_tables_that_may_lose_rows_are_looked_at_and_of_them_only_what_decides() {
    let part = part(
        &shop(),
        json!([rule("users", json!({ "where": "email LIKE 'a%'" }))]),
    );
    assert_eq!(names(&part), ["users", "orders"]);
    let columns: Vec<(&str, bool)> = part.relations[0]
        .columns
        .iter()
        .map(|column| (column.name.as_str(), column.is_key))
        .collect();
    assert_eq!(columns, [("email", false), ("id", true)]);
    assert_eq!(part.references.len(), 2);
    assert!(part
        .references
        .iter()
        .all(|reference| reference.enforced && reference.missing == Missing::Drop));
}

#[test]
fn without_a_rule_that_takes_rows_away_everything_comes() {
    let everything = json!([rule("countries", json!({ "keep": "all" }))]);
    assert!(part_of(&shop(), everything, "follow", json!([]))
        .unwrap()
        .is_none());
}

#[test]
fn under_limits_other_tables_come_whole_and_are_looked_at_for_what_they_need() {
    let limit = json!([{ "table": "users", "option": "limits", "rows": 5, "descending": true }]);
    let part = part_of(&shop(), limit, "whole", json!([])).unwrap().unwrap();
    assert_eq!(names(&part), ["users", "orders"]);
    assert_eq!(part.relations[1].rule, PartRule::All);
    let load = part.relations[1].blocks[0].load;
    assert!(part.looks_at(load) && !part.waits(load));
    assert!(part.waits(part.relations[0].blocks[0].load));
}

#[test]
fn a_condition_and_a_cap_of_one_table_go_together() {
    let both = json!([
        rule("users", json!({ "where": "id > 3" })),
        { "table": "users", "option": "limits", "rows": 5, "order_by": ["email"], "descending": false }
    ]);
    let part = part(&shop(), both);
    let PartRule::Own { condition, cap } = &part.relations[0].rule else {
        panic!("{part:?}");
    };
    assert_eq!(condition.as_deref(), Some("id > 3"));
    let cap = cap.as_ref().unwrap();
    assert_eq!(
        (cap.rows, cap.order.join(" "), cap.descending),
        (5, "email id".to_owned(), false)
    );
}

#[test]
fn a_reference_becomes_null_where_all_of_a_table_does_and_its_columns_can() {
    let rules = json!([
        rule("users", json!({ "rows": 1 })),
        rule("orders", json!({ "nullify_all": true }))
    ]);
    let part = part(&shop(), rules);
    let missing: Vec<&Missing> = part
        .references
        .iter()
        .map(|reference| &reference.missing)
        .collect();
    assert_eq!(
        missing,
        [&Missing::Drop, &Missing::Nullify(vec!["reviewer_id".into()])]
    );
}

#[test]
fn numbers_of_two_sizes_compare_as_numbers_and_an_id_of_several_tables_as_text() {
    let toc = shop();
    let compared = |part: &Part, table: &str, column: &str| {
        let relation = part
            .relations
            .iter()
            .find(|relation| relation.table.name == table)
            .unwrap();
        relation
            .columns
            .iter()
            .find(|one| one.name == column)
            .unwrap()
            .compared
    };
    let rules = json!([rule("users", json!({ "rows": 1 }))]);
    let plain = part(&toc, rules.clone());
    assert_eq!(compared(&plain, "users", "id"), Compared::Number);
    assert_eq!(compared(&plain, "orders", "user_id"), Compared::Number);
    let reference = json!([{ "table": "comments", "columns": ["subject_id"], "references": "users",
                             "type_column": "subject_type", "types": ["User"] }]);
    let mixed = part_of(&toc, rules, "follow", reference).unwrap().unwrap();
    for (table, column) in [("users", "id"), ("orders", "user_id"), ("comments", "subject_id")] {
        assert_eq!(
            compared(&mixed, table, column),
            Compared::Text,
            "{table}.{column}"
        );
    }
    let reference = mixed.references.last().unwrap();
    assert!(!reference.enforced && reference.only_where.is_some());
}

#[test]
fn a_reference_that_a_foreign_key_says_already_is_one_and_enforced() {
    let rules = json!([rule("users", json!({ "rows": 1 }))]);
    let again = json!([{ "table": "orders", "columns": ["user_id"], "references": "users" }]);
    let part = part_of(&shop(), rules, "follow", again).unwrap().unwrap();
    assert_eq!(part.references.len(), 2);
    assert!(part.references.iter().all(|reference| reference.enforced));
}

#[test]
fn a_key_of_one_partition_is_of_its_rows_alone_and_one_to_a_partition_leads_there() {
    let mut toc = Toc::default();
    let events = toc.add(
        "TABLE",
        "public",
        "events",
        "CREATE TABLE public.events (\nid bigint NOT NULL,\nuser_id bigint\n)\nPARTITION BY RANGE (id);\n",
        &[],
    );
    for name in ["events_a", "events_b"] {
        let (table, _) = toc.table(name, "id bigint NOT NULL,\nuser_id bigint");
        let attach = format!(
            "ALTER TABLE ONLY public.events ATTACH PARTITION public.{name} FOR VALUES FROM (1) TO (2);\n"
        );
        toc.add("TABLE ATTACH", "public", name, &attach, &[events, table]);
        toc.key((name, table), &format!("{name}_pkey"), "PRIMARY KEY (id)");
    }
    let users = toc.table("users", "id bigint NOT NULL,\nemail text,\nevent_id bigint");
    toc.key(("users", users.0), "users_pkey", "PRIMARY KEY (id)");
    toc.key(
        ("events_a", users.0),
        "a_user",
        "FOREIGN KEY (user_id) REFERENCES public.users(id)",
    );
    toc.key(
        ("users", users.0),
        "users_event",
        "FOREIGN KEY (event_id) REFERENCES public.events_b(id)",
    );
    let part = part(&toc, json!([rule("users", json!({ "rows": 1 }))]));
    assert_eq!(names(&part), ["events", "users"]);
    assert_eq!(part.relations[0].blocks.len(), 2);
    let of_a = part
        .references
        .iter()
        .find(|reference| reference.from == 0)
        .unwrap();
    assert_eq!(
        (of_a.from_block, of_a.to_block, of_a.enforced),
        (Some(0), None, true)
    );
    let to_b = part
        .references
        .iter()
        .find(|reference| reference.from == 1)
        .unwrap();
    assert_eq!(
        (to_b.from_block, to_b.to_block, to_b.enforced),
        (None, Some(1), false)
    );
}

#[test]
fn what_is_wrong_is_reported_together_with_what_is_wrong_otherwise() {
    let rules = json!([
        rule("user", json!({})),
        rule("users", json!({ "where": "emial = 'x'" }))
    ]);
    let references = json!([
        { "table": "orders", "columns": ["user_id", "id"], "references": "users" },
        { "table": "orders", "columns": ["reviewer_id"], "references": "countries" },
        { "table": "orders", "columns": ["reviewer_id"], "references": "users", "referenced_columns": ["email"] },
        { "table": "orders", "columns": ["reviewer"], "references": "users" }
    ]);
    let message = part_of(&shop(), rules, "follow", references).unwrap_err();
    for expected in [
        r#""place":"subset","fault":{"kind":"none_matches","text":"user""#,
        r#""entry":"subset: \"users\"","fault":{"kind":"part_no_column","table":"public.users","column":"emial","advice":{"kind":"meant","name":"email"}"#,
        r#""reference_more_columns","count":2,"table":"public.users","of":1,"key":["id"],"entry":"orders.user_id""#,
        r#""reference_no_key","table":"public.countries","count":1"#,
        r#""reference_not_unique","table":"public.users","columns":["email"],"keys":["id"]"#,
        r#""table":"public.orders","column":"reviewer","advice":{"kind":"meant","name":"reviewer_id"}"#,
    ] {
        assert!(message.contains(expected), "{expected}\n{message}");
    }
}

#[test]
fn of_rules_that_exclude_one_another_each_is_read_for_what_else_is_wrong() {
    let rules = json!([
        rule("users", json!({ "where": "emial = 'x'" })),
        rule("users", json!({ "rows": 3, "order_by": ["nme"] }))
    ]);
    let message = part_of(&shop(), rules, "follow", json!([])).unwrap_err();
    for expected in [
        r#""does_not_fit","count":3"#,
        "subset_one_table",
        r#""table":"public.users","column":"emial""#,
        r#""table":"public.users","column":"nme""#,
    ] {
        assert!(message.contains(expected), "{expected}\n{message}");
    }
}

#[test]
fn where_there_is_no_plan_the_rules_that_are_not_known_to_be_wrong_can_be_asked_about() {
    let mut settings = settings(&[("users", "user_anonymization")], &[]);
    let rules = json!([
        rule("user", json!({})),
        rule("users", json!({ "where": "emial = 'x'" })),
        rule("orders", json!({ "where": "id > 'many'" }))
    ]);
    settings.subset = serde_json::from_value(json!({ "tables": rules, "others": "follow" })).unwrap();
    let (header, toc) = (header(), shop());
    let contents = PlanInput::read(&header, &toc.entries);
    let unplanned = attempt(&contents, &settings, &masking::Key::new(&settings.masking.secret)).unwrap_err();
    let unsettled = unplanned.unsettled.unwrap();
    let asked: Vec<String> = unsettled
        .part
        .unwrap()
        .relations
        .iter()
        .flat_map(Relation::questions)
        .map(|question| question.sql)
        .collect();
    let whole = "SELECT 1 FROM \"public\".\"orders\" AS \"orders\" WHERE (id > 'many'\n)";
    assert_eq!(asked, [whole]);
    assert_eq!(unplanned.error.about.faults.len(), 2);
}

#[test]
fn tables_that_only_wait_to_be_referred_to_are_refused_unless_that_is_meant() {
    let mut toc = Toc::default();
    let users = toc.table("users", "id bigint NOT NULL,\nemail text");
    toc.key(("users", users.0), "users_pkey", "PRIMARY KEY (id)");
    let wait = |meant: bool| {
        json!([rule(
            "users",
            json!({ "keep": "referenced", "allow_empty": meant })
        )])
    };
    let message = part_of(&toc, wait(false), "follow", json!([])).unwrap_err();
    assert!(message.contains("subset_only_referenced"), "{message}");
    assert!(part_of(&toc, wait(true), "follow", json!([])).unwrap().is_some());
}

fn reflected(table: &str, column: &str, references: &str) -> Value {
    json!({ "table": table, "columns": [column], "references": references, "reflected": true })
}

fn declared_references(part: &Part) -> Vec<(String, String, bool)> {
    let mut message: Vec<_> = part
        .references
        .iter()
        .map(|one| {
            let to = part.relations[one.to].table.name.clone();
            (one.name.clone(), to, one.enforced)
        })
        .collect();
    message.sort();
    message
}

#[test]
fn what_models_say_counts_where_the_backup_has_it_and_is_no_mistake_where_not() {
    let mut toc = shop();
    toc.table("notes", "id bigint NOT NULL,\norganisation_id bigint");
    let cut = json!([rule("organisations", json!({ "where": "id = 1" }))]);
    let said = json!([
        reflected("comments", "id", "users"),
        reflected("orders", "user_id", "users"),
        reflected("orders", "shop_id", "shops"),
        reflected("nowhere", "user_id", "users"),
        reflected("*", "organisation_id", "organisations")
    ]);
    let part = part_of(&toc, cut, "follow", said).unwrap().unwrap();
    let expected = [
        ("comments.id", "users", false),
        ("notes.organisation_id", "organisations", false),
        ("orders.reviewer_id", "users", true),
        ("orders.user_id", "users", true),
        ("users.organisation_id", "organisations", true),
    ];
    let expected: Vec<_> = expected
        .iter()
        .map(|(name, to, enforced)| ((*name).to_owned(), (*to).to_owned(), *enforced))
        .collect();
    assert_eq!(declared_references(&part), expected);
}

#[test]
fn what_the_configuration_says_of_a_column_holds_against_the_models() {
    let cut = json!([rule("users", json!({ "where": "id = 1" }))]);
    let said = json!([
        { "table": "comments", "columns": ["id"], "references": "", "nothing": true },
        reflected("comments", "id", "users")
    ]);
    let part = part_of(&shop(), cut.clone(), "follow", said).unwrap().unwrap();
    assert!(!names(&part).contains(&"comments".to_owned()));
    let key = json!([{ "table": "orders", "columns": ["user_id"], "references": "", "nothing": true }]);
    let message = part_of(&shop(), cut, "follow", key).unwrap_err();
    assert!(
        message.contains(r#"orders.user_id\"","fault":{"kind":"reference_not_nothing"}"#),
        "{message}"
    );
}

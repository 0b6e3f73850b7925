//! What is wrong with a part of production: everything that is, of each entry, and nothing that is not, whichever tables
//! come with their rows.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../plan_support/mod.rs"]
mod plan_support;
mod references;
mod remedies;
mod tables;

use plan_support::{header, settings, Toc};
use serde_json::{json, Value};
use staging_sync_engine::plan::part::{Aspect, PartRule, Question};
use staging_sync_engine::plan::{attempt, Plan, PlanInput, Unplanned};
use staging_sync_engine::settings::Settings;

/// Users with their orders and notes, and logs without a key.
fn shop() -> Toc {
    let mut toc = Toc::default();
    let users = toc.table("users", "id bigint NOT NULL,\nemail text,\nabout json");
    toc.key(("users", users.0), "users_pkey", "PRIMARY KEY (id)");
    let orders = toc.table(
        "orders",
        "id bigint NOT NULL,\nuser_id bigint NOT NULL,\nreviewer_id bigint,\nowner_type text,\nowner_id bigint,\n\
         double_id bigint GENERATED ALWAYS AS ((user_id * 2)) STORED",
    );
    toc.key(("orders", orders.0), "orders_pkey", "PRIMARY KEY (id)");
    for (name, column) in [("orders_user", "user_id"), ("orders_reviewer", "reviewer_id")] {
        let key = format!("FOREIGN KEY ({column}) REFERENCES public.users(id)");
        toc.key(("orders", orders.0), name, &key);
    }
    toc.table("logs", "line text,\nat timestamp with time zone");
    toc
}

fn rule(table: &str, further: Value) -> Value {
    let mut rule = json!({ "table": table, "option": "subset" });
    rule.as_object_mut()
        .unwrap()
        .extend(further.as_object().unwrap().clone());
    rule
}

/// Settings with these rules and references.
fn asked(tables: Value, references: Value) -> Settings {
    let mut settings = settings(&[("users", "user_anonymization")], &[]);
    let subset = json!({ "tables": tables, "others": "follow", "references": references });
    settings.subset = serde_json::from_value(subset).unwrap();
    settings
}

fn planned(settings: &Settings) -> Result<Plan, Unplanned> {
    let (header, toc) = (header(), shop());
    let contents = PlanInput::read(&header, &toc.entries);
    attempt(&contents, settings, &masking::Key::new(&settings.masking.secret))
}

/// The faults, which have to be these and no others.
fn assert_faults(settings: &Settings, expected: &[&str]) {
    let faults = planned(settings).unwrap_err().error.about.faults.clone();
    let listed: Vec<String> = faults.iter().map(ToString::to_string).collect();
    for expected in expected {
        let found = listed.iter().any(|fault| fault.contains(expected));
        assert!(found, "{expected}\n{listed:#?}");
    }
    assert_eq!(listed.len(), expected.len(), "{listed:#?}");
}

fn questions(relations: &[staging_sync_engine::plan::part::Relation]) -> Vec<Question> {
    relations.iter().flat_map(|one| one.questions()).collect()
}

#[test]
fn a_rule_is_checked_whether_or_not_the_rows_of_its_table_come() {
    let wrong = json!([
        rule("users", json!({ "where": "emial = 'x'" })),
        rule("orders", json!({ "nullify": ["user_id", "revewer_id"] })),
        rule("logs", json!({ "rows": 3, "order_by": ["when"] }))
    ]);
    let expected = [
        r#""part_no_column","table":"public.users","column":"emial","advice":{"kind":"meant","name":"email"}"#,
        r#""nulls_no_column","table":"public.orders","column":"revewer_id""#,
        r#""nulls_never","table":"public.orders","column":"user_id""#,
        r#""part_no_column","table":"public.logs","column":"when""#,
    ];
    let mut left_out = asked(wrong.clone(), json!([]));
    left_out.exclude_tables = vec!["users".into(), "orders".into(), "logs".into()];
    assert_faults(&left_out, &expected);
    let mut mistyped = asked(wrong.clone(), json!([]));
    mistyped.include_tables = vec!["usrs".into()];
    let typo = r#""place":"include_tables","fault":{"kind":"none_matches","text":"usrs""#;
    assert_faults(&mistyped, &[&expected[..], &[typo]].concat());
    let mut kept = asked(json!([wrong[0]]), json!([]));
    kept.keep_tables = vec!["users".into()];
    assert_faults(
        &kept,
        &[
            expected[0],
            r#""keeps_and_more","table":"public.users","also":{"kind":"also_named","option":"subset"}"#,
            r#""keeps_and_more","table":"public.users","also":{"kind":"also_masked"}"#,
        ],
    );
}

#[test]
fn the_server_is_asked_about_a_rule_without_effect_too() {
    let rules = json!([
        rule("users", json!({ "where": "id > 'x'" })),
        rule("orders", json!({ "rows": 3, "order_by": ["user_id"] }))
    ]);
    let mut settings = asked(rules, json!([]));
    settings.include_tables = vec!["logs".into()];
    let plan = planned(&settings).unwrap();
    assert!(plan.part.is_none());
    let about: Vec<Aspect> = questions(&plan.idle).into_iter().map(|one| one.about).collect();
    let order = |name: &str| Aspect::Order(name.to_owned());
    assert_eq!(about, [Aspect::Condition, order("user_id"), order("id")]);
    let both = json!([
        rule("users", json!({ "where": "id > 1" })),
        rule("users", json!({ "where": "id > 2" }))
    ]);
    let unsettled = planned(&asked(both, json!([]))).unwrap_err().unsettled.unwrap();
    assert_eq!(
        questions(&unsettled.part.unwrap().relations)[0].about,
        Aspect::Condition
    );
    assert!(questions(&unsettled.idle)[0].sql.contains("id > 2"));
}

#[test]
fn a_pattern_is_checked_against_the_tables_that_come_and_has_to_fit_one_where_none_does() {
    let by_user = json!([rule("*s", json!({ "where": "user_id = 1" }))]);
    let mut settings = asked(by_user.clone(), json!([]));
    settings.exclude_tables = vec!["users".into(), "logs".into()];
    assert!(planned(&settings).unwrap().part.is_some());
    settings.exclude_tables.push("orders".into());
    assert!(planned(&settings).unwrap().part.is_none());
    settings.subset.as_mut().unwrap().tables[0].condition = Some("usr_id = 1".into());
    assert_faults(
        &settings,
        &[r#""part_no_column","table":"public.users","column":"usr_id""#],
    );
}

#[test]
fn everything_that_is_wrong_with_one_entry_is_reported() {
    let rules = json!([
        rule("usrs", json!({ "where": "(" })),
        rule(
            "users",
            json!({ "where": "emial IN (SELECT x FROM y) OR nme = 1", "rows": 2, "order_by": ["agee", "emaill"] })
        ),
        rule("\"", json!({ "where": "id =" }))
    ]);
    let references = json!([
        { "table": "orders", "columns": ["ownr_id"], "references": "usrs", "type_column": "ownr_type", "types": ["User"] },
        { "table": "orders", "columns": ["ownr_id", "idd"], "references": "users", "referenced_columns": ["emial", "abot"] },
        { "table": "orders", "columns": ["wrong", "also_wrong"], "references": "", "nothing": true }
    ]);
    assert_faults(
        &asked(rules, references),
        &[
            r#""names_nothing","place":"subset","fault":{"kind":"none_matches","text":"usrs""#,
            r#""entry":"subset: \"usrs\"","fault":{"kind":"where_unread""#,
            r#""where_query""#,
            r#""table":"public.users","column":"emial","advice":{"kind":"meant","name":"email"}"#,
            r#""table":"public.users","column":"nme""#,
            r#""table":"public.users","column":"agee""#,
            r#""table":"public.users","column":"emaill""#,
            r#""not_a_pattern","place":"subset","text":"\"""#,
            r#""entry":"subset: \"\"\"","fault":{"kind":"where_unread""#,
            r#"\"orders.ownr_id\"","fault":{"kind":"part_no_table","fault":{"kind":"none_matches","text":"usrs""#,
            r#"\"orders.ownr_id\"","fault":{"kind":"part_no_column","table":"public.orders","column":"ownr_id","advice":{"kind":"meant","name":"owner_id"}"#,
            r#"\"orders.ownr_id\"","fault":{"kind":"part_no_column","table":"public.orders","column":"ownr_type""#,
            r#"\"orders.ownr_id,idd\"","fault":{"kind":"part_no_column","table":"public.orders","column":"ownr_id""#,
            r#"\"orders.ownr_id,idd\"","fault":{"kind":"part_no_column","table":"public.orders","column":"idd""#,
            r#"\"orders.ownr_id,idd\"","fault":{"kind":"part_no_column","table":"public.users","column":"emial""#,
            r#"\"orders.ownr_id,idd\"","fault":{"kind":"part_no_column","table":"public.users","column":"abot""#,
            r#""table":"public.orders","column":"wrong""#,
            r#""table":"public.orders","column":"also_wrong""#,
        ],
    );
}

#[test]
fn a_fault_makes_no_other_that_would_not_be_there_without_it() {
    let waiting = json!([rule("users", json!({ "keep": "referenced" }))]);
    let mut settings = asked(waiting, json!([]));
    settings.include_tables = vec!["users".into(), "ordrs".into()];
    assert_faults(
        &settings,
        &[r#""place":"include_tables","fault":{"kind":"none_matches","text":"ordrs""#],
    );
    let nulled = json!([rule("orders", json!({ "nullify": ["owner_id"] }))]);
    let reference = json!([{ "table": "orders", "columns": ["owner_id"], "references": "usrs" }]);
    assert_faults(
        &asked(nulled, reference),
        &[r#""part_no_table","fault":{"kind":"none_matches","text":"usrs""#],
    );
}

#[test]
fn columns_of_one_reference_may_all_be_named_to_become_null() {
    let both = json!([
        rule("orders", json!({ "nullify": ["owner_id", "owner_type"] })),
        rule("users", json!({ "rows": 1 }))
    ]);
    let mut toc = shop();
    let pairs = toc.table("pairs", "a bigint NOT NULL,\nb text NOT NULL");
    toc.key(("pairs", pairs.0), "pairs_pkey", "PRIMARY KEY (a, b)");
    let reference =
        json!([{ "table": "orders", "columns": ["owner_id", "owner_type"], "references": "pairs" }]);
    let settings = asked(both, reference);
    let (header, key) = (header(), masking::Key::new(&settings.masking.secret));
    attempt(&PlanInput::read(&header, &toc.entries), &settings, &key).unwrap();
}

#[test]
fn a_generated_column_in_a_declared_reference_is_reported_with_what_can_be_declared_instead() {
    let cut = json!([rule("users", json!({ "rows": 1 }))]);
    let reference = |reflected: bool| json!([{ "table": "orders", "columns": ["double_id"], "references": "users", "reflected": reflected }]);
    let expected = r#""entry":"subset_references: \"orders.double_id\"","fault":{"kind":"reference_generated","column":"public.orders.double_id","read":["user_id"]}"#;
    assert_faults(&asked(cut.clone(), reference(false)), &[expected]);
    assert_faults(&asked(json!([]), reference(false)), &[expected]);
    assert_faults(
        &asked(cut, reference(true)),
        &[r#""subset_generated_by_models","column":"public.orders.double_id","entry":"orders.double_id""#],
    );
    let false_ = json!([
        reference(true)[0],
        { "table": "orders", "columns": ["double_id"], "references": "", "nothing": true }
    ]);
    planned(&asked(json!([rule("users", json!({ "rows": 1 }))]), false_)).unwrap();
}

#[test]
fn a_reference_is_checked_without_a_rule_and_an_order_without_a_number_of_rows() {
    let reference = json!([{ "table": "ordrs", "columns": ["user_id"], "references": "users" }]);
    assert_faults(
        &asked(json!([]), reference),
        &[r#""entry":"subset_references: \"ordrs.user_id\"","fault":{"kind":"part_no_table""#],
    );
    let fine = json!([{ "table": "orders", "columns": ["owner_id"], "references": "users" }]);
    assert!(planned(&asked(json!([]), fine)).unwrap().part.is_none());
    let order = json!([{ "table": "logs", "option": "limits", "order_by": ["when"] }]);
    assert_faults(
        &asked(order, json!([])),
        &[
            r#""entry":"limits: \"logs\"","fault":{"kind":"part_no_column","table":"public.logs","column":"when""#,
        ],
    );
    let none = json!([{ "table": "logs", "option": "limits" }]);
    assert!(planned(&asked(none, json!([]))).is_ok());
}

#[test]
fn a_query_in_a_condition_is_called_one_however_it_is_written() {
    for condition in [
        "EXISTS (SELECT FROM logs)",
        "EXISTS (TABLE logs)",
        "id IN (TABLE logs)",
        "id IN (VALUES (1), (2))",
        "id = ANY ( /* all */ table logs)",
        "id = ANY (ARRAY(SELECT user_id FROM logs))",
        "id = ANY (array (VALUES (1)))",
        "id = ANY (ARRAY(TABLE logs))",
    ] {
        assert_faults(
            &asked(json!([rule("users", json!({ "where": condition }))]), json!([])),
            &[r#"{"kind":"where_query"}"#],
        );
    }
    let list = json!([rule("users", json!({ "where": "id IN (12, 47)" }))]);
    assert!(planned(&asked(list, json!([]))).is_ok());
}

#[test]
fn every_unknown_column_of_a_condition_is_reported() {
    let wrong = json!([rule(
        "users",
        json!({ "where": "emial = 'x' AND (nme IS NULL OR lower(abuot::text) = 'y')" })
    )]);
    assert_faults(
        &asked(wrong, json!([])),
        &[
            r#""column":"emial","advice":{"kind":"meant","name":"email"}"#,
            r#""column":"nme""#,
            r#""column":"abuot","advice":{"kind":"meant","name":"about"}"#,
        ],
    );
}

#[test]
fn a_cap_without_an_order_names_a_column_that_is_there_as_its_option_takes_it() {
    let subset = json!([rule("logs", json!({ "rows": 3 }))]);
    let limits = json!([{ "table": "logs", "option": "limits", "rows": 3 }]);
    let both = json!([rule("logs", json!({ "where": "line = 'x'" })), limits[0]]);
    let expected = r#""entry":"limits: \"logs\"","fault":{"kind":"part_limit_no_order","table":"public.logs","column":"line"}"#;
    assert_faults(
        &asked(subset, json!([])),
        &[
            r#""entry":"subset: \"logs\"","fault":{"kind":"part_no_order","table":"public.logs","column":"line"}"#,
        ],
    );
    assert_faults(&asked(limits, json!([])), &[expected]);
    assert_faults(&asked(both.clone(), json!([])), &[expected]);
    let mut named = both;
    named[1]["order_by"] = json!(["line"]);
    assert!(planned(&asked(named.clone(), json!([]))).is_ok());
    named[1]["order_by"] = json!(["lin"]);
    assert_faults(
        &asked(named, json!([])),
        &[
            r#""entry":"limits: \"logs\"","fault":{"kind":"part_no_column","table":"public.logs","column":"lin""#,
        ],
    );
}

#[test]
fn all_rules_of_one_table_are_named_and_keeping_one_is_enough() {
    let spelt = |names: &[&str]| {
        let rules = names.iter().map(|name| rule(name, json!({ "where": "id = 1" })));
        Value::from(rules.collect::<Vec<_>>())
    };
    let all = ["users", "public.users", "\"users\""];
    assert_faults(
        &asked(spelt(&all), json!([])),
        &[
            r#""subset_one_table","entries":["subset: \"users\"","subset: \"public.users\""],"last":"subset: \"\"users\"\"","table":"public.users"}"#,
        ],
    );
    assert!(planned(&asked(spelt(&all[2..]), json!([]))).is_ok());
}

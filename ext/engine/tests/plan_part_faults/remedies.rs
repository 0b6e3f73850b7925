//! What a remedy suggests is accepted, and what is not said is not hidden.

use super::*;

fn of_where(condition: &str) -> Settings {
    asked(json!([rule("users", json!({ "where": condition }))]), json!([]))
}

fn is_fine(tables: Value, references: Value) {
    if let Err(unplanned) = planned(&asked(tables, references)) {
        panic!("{}", unplanned.error);
    }
}

#[test]
fn a_table_that_a_pattern_does_not_fit_can_have_an_entry_of_its_own() {
    let last =
        |table: &str, by: &[&str]| rule(table, json!({ "rows": 5, "order_by": by, "descending": true }));
    assert_faults(
        &asked(json!([last("*", &[])]), json!([])),
        &[
            r#""part_no_order_here","table":"public.logs","own":{"kind":"own_rule","table":"logs","parts":[{"kind":"own_last","rows":5},{"kind":"own_by","columns":["line"]}]}"#,
        ],
    );
    is_fine(json!([last("*", &[]), last("logs", &["line"])]), json!([]));
    let where_ = rule("*", json!({ "where": "id = 1" }));
    assert_faults(
        &asked(json!([where_]), json!([])),
        &[
            r#""part_no_column_here","table":"public.logs","column":"id","own":{"kind":"own_all","table":"logs"}"#,
        ],
    );
    is_fine(json!([where_, rule("logs", json!({ "keep": "all" }))]), json!([]));
    let limit =
        |table: &str, by: &[&str]| json!({ "table": table, "option": "limits", "rows": 5, "order_by": by });
    assert_faults(
        &asked(json!([limit("*", &[])]), json!([])),
        &[
            r#""own":{"kind":"own_limit","table":"logs","parts":[{"kind":"own_max_rows","rows":5},{"kind":"own_order_by","columns":["line"]},{"kind":"own_ascending"}]}"#,
        ],
    );
    is_fine(json!([limit("*", &[]), limit("logs", &["line"])]), json!([]));
}

#[test]
fn a_name_counts_before_a_pattern_of_its_option_or_of_the_other() {
    let limit = |table: &str, rows: u64| json!({ "table": table, "option": "limits", "rows": rows });
    let rules = json!([
        limit("*s", 5),
        limit("users", 7),
        rule("orders", json!({ "keep": "all" })),
        rule(
            "logs",
            json!({ "where": "line = 'x'", "rows": 3, "order_by": ["line"] })
        )
    ]);
    let part = planned(&asked(rules, json!([]))).unwrap().part.unwrap();
    let rows = |name: &str| {
        let found = part.relations.iter().find(|one| one.table.name == name).unwrap();
        match &found.rule {
            PartRule::Own { cap, .. } => cap.as_ref().map(|cap| cap.rows),
            _ => None,
        }
    };
    assert_eq!(["users", "orders", "logs"].map(rows), [Some(7), None, Some(3)]);
}

#[test]
fn two_patterns_for_one_table_are_refused_with_an_entry_that_ends_it() {
    let both = json!([
        rule("*s", json!({ "where": "id = 1" })),
        rule("us*", json!({ "where": "id = 2" }))
    ]);
    let mut settings = asked(both.clone(), json!([]));
    settings.exclude_tables = vec!["logs".into()];
    assert_faults(
        &settings,
        &[
            r#""table":"public.users","own":{"kind":"own_rule","table":"users","parts":[{"kind":"own_where","condition":"id = 1"}]}"#,
        ],
    );
    let mut rules = both.as_array().unwrap().clone();
    rules.push(rule("users", json!({ "where": "id = 1" })));
    settings = asked(Value::from(rules), json!([]));
    settings.exclude_tables = vec!["logs".into()];
    assert!(planned(&settings).is_ok());
}

/// The entry that is suggested for one table of two patterns, whose first is this.
fn suggested(first: Value) -> String {
    let other = json!({ "table": "*", "option": "limits", "rows": 9, "order_by": ["id"] });
    let mut settings = asked(json!([first, other]), json!([]));
    settings.exclude_tables = vec!["logs".into(), "users".into()];
    let said = planned(&settings).unwrap_err().error.to_string();
    let own = said.split_once("\"own\":").unwrap_or_else(|| panic!("{said}")).1;
    own.to_owned()
}

#[test]
fn an_entry_beside_patterns_has_the_whole_rule_of_the_first() {
    let whole = json!({
        "rows": 6, "order_by": ["user_id", "id"], "where": "id > 2",
        "nullify": ["reviewer_id", "user_id", "nowhere"], "allow_empty": true
    });
    let expected = r#"{"kind":"own_rule","table":"orders","parts":[{"kind":"own_where","condition":"id > 2"},{"kind":"own_first","rows":6},{"kind":"own_by","columns":["user_id","id"]},{"kind":"own_nullify","columns":[{"kind":"own_nullify_column","column":"reviewer_id"}]},{"kind":"own_allow_empty"}]}"#;
    let own = suggested(rule("ord*", whole));
    assert!(own.starts_with(expected), "{own}");
    let all = suggested(rule(
        "ord*",
        json!({ "rows": 6, "descending": true, "nullify_all": true }),
    ));
    let expected =
        r#"[{"kind":"own_last","rows":6},{"kind":"own_by","columns":["id"]},{"kind":"own_nullify_all"}]}"#;
    assert!(all.contains(expected), "{all}");
    let texts = suggested(rule("ord*", json!({ "rows": 6, "where": "owner_type = 'Ann'" })));
    let expected = r#""own_rule_with_condition","table":"orders","parts":[{"kind":"own_where_there"},"#;
    assert!(texts.contains(expected) && !texts.contains("Ann"), "{texts}");
    assert!(texts.contains(r#"],"pattern":"ord*""#), "{texts}");
    let kept = suggested(rule("ord*", json!({ "keep": "referenced" })));
    assert!(
        kept.starts_with(r#"{"kind":"own_referenced","table":"orders"}"#),
        "{kept}"
    );
}

#[test]
fn a_condition_on_another_table_is_that_tables_rule_and_the_word_where_is_left_out() {
    let of_orders =
        |condition: &str| asked(json!([rule("orders", json!({ "where": condition }))]), json!([]));
    let table = r#"{"kind":"where_reads_table","name":"users.id","table":"public.orders","other":"users","condition":"id = 3 AND (id) < 5"}"#;
    assert_faults(
        &of_orders("users.id = 3 AND (Users.id) < 5"),
        &[table, r#""name":"Users.id""#],
    );
    is_fine(
        json!([rule("users", json!({ "where": "id = 3 AND (id) < 5" }))]),
        json!([]),
    );
    assert_faults(&of_orders("public.users.id < 3"), &[r#""condition":"id < 3""#]);
    let there =
        r#"{"kind":"where_reads_table_there","name":"users.id","table":"public.orders","other":"users"}"#;
    assert_faults(&of_orders("users.id = 3 AND user_id > 2"), &[there]);
    let text = r#""where_reads_table_there","name":"users.email""#;
    assert_faults(&of_orders("users.email = 'Ann'"), &[text]);
    for other in ["users.emial = 3", "people.id = 3", "public.orders.id = 3"] {
        assert_faults(&of_orders(other), &[r#""kind":"where_reads_other""#]);
    }
    assert_faults(&of_orders(" WHERE id < 5"), &[r#"{"kind":"where_word"}"#]);
    assert_faults(
        &of_orders("where(nme = 5)"),
        &[r#"{"kind":"where_word"}"#, r#""column":"nme""#],
    );
    assert_faults(&of_orders("wherever = 5"), &[r#""column":"wherever""#]);
}

#[test]
fn what_the_parser_says_of_a_condition_repeats_no_text() {
    for condition in [
        "id 'Ann'",
        "(email = 'Ann'",
        "id = 'O'Ann''",
        "id = 1 \"Ann\"",
        "id = $$x$$ $$Ann$$",
    ] {
        let said = planned(&of_where(condition)).unwrap_err().error.to_string();
        assert!(
            !said.contains("Ann") && said.contains("where_unread"),
            "{condition}: {said}"
        );
    }
}

#[test]
fn on_missing_of_a_pattern_need_not_fit_each_of_its_tables() {
    let cut = rule("users", json!({ "where": "id = 1" }));
    let nullify = |columns: &[&str]| rule("*", json!({ "nullify": columns }));
    is_fine(json!([cut, nullify(&["reviewer_id"])]), json!([]));
    let nowhere = asked(json!([cut, nullify(&["revewer_id"])]), json!([]));
    let faults = planned(&nowhere).unwrap_err().error.to_string();
    assert!(
        faults.contains(r#""nulls_no_column","table":"public.orders""#),
        "{faults}"
    );
}

#[test]
fn what_stands_in_double_quotes_is_not_repeated() {
    for (condition, kind) in [
        (
            r#"email = "ann@real.example""#,
            r#"{"kind":"where_quotes","table":"public.users"}"#,
        ),
        (
            r#""emial" = 'x'"#,
            r#"{"kind":"where_quotes_meant","table":"public.users","meant":"email"}"#,
        ),
        (
            r#"email = "ann"."real""#,
            r#""where_reads_other","name":"\"…\".\"…\"""#,
        ),
    ] {
        let settings = of_where(condition);
        assert_faults(&settings, &[kind]);
        let said = planned(&settings).unwrap_err().error.to_string();
        assert!(!said.contains("ann") && !said.contains("emial"), "{said}");
    }
}

#[test]
fn a_column_with_capitals_is_shown_as_the_condition_has_to_have_it() {
    let mut toc = shop();
    let columns = "\"Key\" bigint,\ntwo_words text,\n\"At\" date";
    let odd = format!("CREATE TABLE public.\"Odd Name\" (\n{columns}\n);\n");
    let table = toc.add("TABLE", "public", "Odd Name", &odd, &[]);
    toc.add("TABLE DATA", "public", "Odd Name", "", &[table]);
    let copy = "COPY public.\"Odd Name\" (\"Key\", two_words, \"At\") FROM stdin;\n";
    toc.entries.last_mut().unwrap().copy_stmt = copy.into();
    let attempted = |condition: &str| {
        let settings = asked(
            json!([rule("Odd Name", json!({ "where": condition }))]),
            json!([]),
        );
        let (header, key) = (header(), masking::Key::new(&settings.masking.secret));
        let made = attempt(&PlanInput::read(&header, &toc.entries), &settings, &key);
        made.map_err(|unplanned| unplanned.error.to_string())
    };
    let error = attempted("Key = 1 AND key < 9").unwrap_err();
    let expected = r#""where_capitals","table":"\"public.Odd Name\"","column":"key","meant":"\"Key\"","condition":"\"Key\" = 1 AND \"Key\" < 9""#;
    assert!(error.contains(expected), "{error}");
    attempted("\"Key\" = 1 AND \"Key\" < 9").unwrap();
    let with_text = attempted("Key = 1 OR two_words = 'Ann'").unwrap_err();
    assert!(
        with_text.contains("where_capitals_there") && !with_text.contains("Ann"),
        "{with_text}"
    );
    let by = asked(
        json!([rule("Odd Name", json!({ "rows": 1, "order_by": ["at"] }))]),
        json!([]),
    );
    let (header, key) = (header(), masking::Key::new(&by.masking.secret));
    let made = attempt(&PlanInput::read(&header, &toc.entries), &by, &key);
    let near = made.unwrap_err().error.to_string();
    assert!(near.contains(r#""meant","name":"\"At\"""#), "{near}");
}

#[test]
fn conditions_that_postgresql_reads_are_read() {
    for condition in [
        "id BETWEEN SYMMETRIC 3 AND 1",
        "id NOT BETWEEN SYMMETRIC 3 AND 1 OR email ISNULL",
        "(email ISNULL) AND email NOTNULL",
        "ROW(id, email) IS NOT NULL",
        "(about).a = 1 AND (users.about).b.c > 2",
        "about IS NOT DOCUMENT",
    ] {
        let plan =
            planned(&of_where(condition)).unwrap_or_else(|wrong| panic!("{condition}: {}", wrong.error));
        let [question] = &questions(&plan.part.unwrap().relations)[..] else {
            panic!("{condition}")
        };
        assert!(question.sql.contains(condition), "{}", question.sql);
    }
    assert_faults(
        &of_where("NOT document AND isnull(nme)"),
        &[r#""column":"document""#, r#""column":"nme""#],
    );
}

#[test]
fn a_condition_about_whole_rows_is_refused_with_columns_that_can_be_named() {
    for condition in [
        "users.* IS NOT NULL",
        "users IS NOT NULL",
        "ROW(users.*) IS NULL",
        "(users.*) IS NULL",
    ] {
        assert_faults(
            &of_where(condition),
            &[r#"{"kind":"where_whole_row","columns":["id","email","about"]}"#],
        );
    }
    assert!(planned(&of_where("ROW(id, email, about) IS NOT NULL")).is_ok());
}

#[test]
fn a_condition_that_writes_or_runs_a_query_is_refused_by_name() {
    for (condition, kind) in [
        (
            "lo_create(0) > 0",
            r#"{"kind":"where_writes","function":"lo_create"}"#,
        ),
        (
            "pg_catalog.nextval('ticks') > 0",
            r#"{"kind":"where_writes","function":"nextval"}"#,
        ),
        (
            "query_to_xml('SELECT 1 FROM logs', true, false, '') IS NOT NULL",
            r#"{"kind":"where_runs_query","function":"query_to_xml"}"#,
        ),
    ] {
        assert_faults(&of_where(condition), &[kind]);
    }
    assert!(planned(&of_where("shop.nextval(id) > 0")).is_ok());
}

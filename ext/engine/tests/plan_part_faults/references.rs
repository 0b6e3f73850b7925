//! What is wrong with references that are declared, and what can be written instead.

use super::*;

fn reference(from: &str, columns: &[&str], to: &str) -> Value {
    json!({ "table": from, "columns": columns, "references": to })
}

#[test]
fn one_place_of_a_reference_in_two_spellings_is_refused_and_several_types_of_one_are_not() {
    let twice = json!([
        reference("orders", &["owner_id"], "users"),
        reference("public.orders", &["owner_id"], "orders"),
        reference("ORDERS", &["owner_id"], "users")
    ]);
    assert_faults(
        &asked(json!([]), twice.clone()),
        &[
            r#""subset_one_place","entries":["\"orders.owner_id\"","\"public.orders.owner_id\""],"last":"\"ORDERS.owner_id\"","place":"public.orders.owner_id""#,
        ],
    );
    assert!(planned(&asked(json!([]), json!([twice[1]]))).is_ok());
    let by_type = |kind: &str, to: &str| {
        let mut one = reference("orders", &["owner_id"], to);
        one["type_column"] = json!("owner_type");
        one["types"] = json!([kind]);
        one
    };
    let kinds = json!([by_type("User", "users"), by_type("Order", "orders")]);
    assert!(planned(&asked(json!([]), kinds)).is_ok());
}

#[test]
fn a_pattern_in_a_reference_is_refused_with_an_entry_that_can_be_pasted() {
    for pattern in ["*", "public.*"] {
        let faults = json!([reference(pattern, &["user_id"], "users")]);
        assert_faults(&asked(json!([]), faults), &[r#""entry":"public.orders.user_id""#]);
    }
    assert!(planned(&asked(
        json!([]),
        json!([reference("public.orders", &["user_id"], "users")])
    ))
    .is_ok());
    let nothing = json!([{ "table": "*", "columns": ["owner_id"], "references": "", "nothing": true }]);
    assert_faults(
        &asked(json!([]), nothing),
        &[r#""reference_from_several","text":"*","entry":"public.orders.owner_id""#],
    );
    assert_faults(
        &asked(json!([]), json!([reference("orders", &["owner_id"], "*s")])),
        &[r#""reference_to_several","text":"*s""#],
    );
}

#[test]
fn what_can_be_read_of_a_reference_is_looked_for() {
    let unread = |from: &str, columns: &[&str], to: &str| {
        let mut one = reference(from, columns, to);
        one["unread"] = json!(true);
        one
    };
    let references = json!([
        unread("ordrs", &["user_id"], ""),
        unread("orders", &["usr_id"], "usrs"),
        unread("", &[], "lgs"),
        unread("orders", &["user_id"], "users")
    ]);
    assert_faults(
        &asked(json!([]), references),
        &[
            r#"\"ordrs.user_id\"","fault":{"kind":"part_no_table","fault":{"kind":"none_matches","text":"ordrs""#,
            r#"\"orders.usr_id\"","fault":{"kind":"part_no_column","table":"public.orders","column":"usr_id""#,
            r#"\"orders.usr_id\"","fault":{"kind":"part_no_table","fault":{"kind":"none_matches","text":"usrs""#,
            r#""entry":"subset_references","fault":{"kind":"part_no_table","fault":{"kind":"none_matches","text":"lgs""#,
        ],
    );
    let nulled = json!([rule("orders", json!({ "nullify": ["owner_id"] }))]);
    assert!(planned(&asked(nulled, json!([unread("orders", &["owner_id"], "")]))).is_ok());
}

#[test]
fn a_reference_between_types_of_which_no_values_are_equal_is_refused_and_one_by_text_is_not() {
    let mut toc = shop();
    let tokens = toc.table(
        "tokens",
        "id uuid NOT NULL,\nuser_id bigint,\nitem_id character varying(255),\nuser_ids bigint[]",
    );
    toc.key(("tokens", tokens.0), "tokens_pkey", "PRIMARY KEY (id)");
    let attempted = |references: Value| {
        let settings = asked(json!([rule("users", json!({ "rows": 1 }))]), references);
        let (header, key) = (header(), masking::Key::new(&settings.masking.secret));
        let made = attempt(&PlanInput::read(&header, &toc.entries), &settings, &key);
        made.map_err(|unplanned| unplanned.error.to_string())
    };
    for (from, to, expected) in [
        (
            ("orders", "owner_id"),
            "tokens",
            r#""column":"public.orders.owner_id","sort":"bigint","other":"public.tokens.id","sort_of_other":"uuid""#,
        ),
        (
            ("tokens", "user_ids"),
            "users",
            r#""column":"public.tokens.user_ids","sort":"bigint[]","other":"public.users.id","sort_of_other":"bigint""#,
        ),
        (
            ("logs", "at"),
            "users",
            r#""column":"public.logs.at","sort":"timestamp with time zone","other":"public.users.id","sort_of_other":"bigint""#,
        ),
    ] {
        let error = attempted(json!([reference(from.0, &[from.1], to)])).unwrap_err();
        assert!(error.contains(expected), "{error}");
        assert!(error.contains("reference_never_equal"), "{error}");
    }
    let by_text = [
        reference("tokens", &["item_id"], "users"),
        reference("logs", &["line"], "tokens"),
    ];
    let part = attempted(json!(by_text)).unwrap().part.unwrap();
    assert!(part.references.iter().any(|one| one.name == "tokens.item_id"));
    // What models say of another schema than the backup's says nothing.
    let mut reflected = reference("orders", &["owner_id"], "tokens");
    reflected["reflected"] = json!(true);
    assert!(attempted(json!([reflected])).is_ok());
}

#[test]
fn a_reference_may_lead_to_a_column_as_it_comes_from_one() {
    let mut toc = shop();
    let pairs = toc.table("pairs", "a bigint NOT NULL,\nb bigint NOT NULL");
    toc.key(("pairs", pairs.0), "pairs_pkey", "PRIMARY KEY (a, b)");
    let attempted = |one: Value| {
        let settings = asked(json!([rule("users", json!({ "rows": 1 }))]), json!([one]));
        let (header, key) = (header(), masking::Key::new(&settings.masking.secret));
        let made = attempt(&PlanInput::read(&header, &toc.entries), &settings, &key);
        made.map_err(|unplanned| unplanned.error.to_string())
    };
    attempted(reference("orders", &["owner_id"], "users.id")).unwrap();
    attempted(reference("orders", &["owner_id"], "public.users.id")).unwrap();
    attempted(reference("orders", &["id", "owner_id"], "pairs.a,b")).unwrap();
    for (to, expected) in [
        (
            "users.idd",
            r#""part_no_column","table":"public.users","column":"idd""#,
        ),
        (
            "users.email",
            r#""reference_not_unique","table":"public.users","columns":["email"],"keys":["id"]"#,
        ),
        ("usrs.id", r#""none_matches","text":"usrs.id""#),
    ] {
        let error = attempted(reference("orders", &["owner_id"], to)).unwrap_err();
        assert!(error.contains(expected), "{error}");
    }
    let short = attempted(reference("orders", &["id"], "pairs")).unwrap_err();
    let entry = r#""reference_fewer_columns","count":1,"table":"public.pairs","of":2,"key":["a","b"],"entry":"orders.id,user_id""#;
    assert!(short.contains(entry), "{short}");
    attempted(reference("orders", &["id", "user_id"], "pairs")).unwrap();
}

#[test]
fn a_foreign_key_counts_whatever_is_declared_of_its_column() {
    let other = json!([reference("orders", &["reviewer_id"], "orders")]);
    assert_faults(
        &asked(json!([]), other),
        &[r#"{"kind":"reference_foreign_key","table":"public.users"}"#],
    );
    let same = json!([reference("orders", &["reviewer_id"], "users")]);
    assert!(planned(&asked(json!([]), same)).is_ok());
}

#[test]
fn a_type_is_in_a_column_of_its_own_that_can_have_it() {
    let by = |column: &str, types: &[&str]| {
        let mut one = reference("orders", &["owner_id"], "users");
        one["type_column"] = json!(column);
        one["types"] = json!(types);
        asked(json!([rule("users", json!({ "rows": 1 }))]), json!([one]))
    };
    assert_faults(
        &by("reviewer_id", &["User"]),
        &[r#""reference_type_never","column":"public.orders.reviewer_id","sort":"bigint","text":"User""#],
    );
    assert_faults(
        &by("owner_id", &["1"]),
        &[r#"{"kind":"reference_type_refers","column":"public.orders.owner_id"}"#],
    );
    for (column, types) in [("owner_type", ["User"]), ("reviewer_id", ["1"])] {
        assert!(planned(&by(column, &types)).is_ok(), "{column}");
    }
}

#[test]
fn a_point_is_never_a_number() {
    let mut toc = shop();
    toc.table("places", "at point,\nspan int4range,\nprice money");
    for column in ["at", "span", "price"] {
        let settings = asked(json!([]), json!([reference("places", &[column], "users")]));
        let (header, key) = (header(), masking::Key::new(&settings.masking.secret));
        let made = attempt(&PlanInput::read(&header, &toc.entries), &settings, &key);
        let error = made.unwrap_err().error.to_string();
        assert!(error.contains("reference_never_equal"), "{column}: {error}");
    }
}

#[test]
fn a_reference_of_a_partition_names_the_whole_table() {
    let mut toc = shop();
    let whole =
        "CREATE TABLE public.calls (\nid bigint NOT NULL,\nuser_id bigint\n)\nPARTITION BY RANGE (id);\n";
    let calls = toc.add("TABLE", "public", "calls", whole, &[]);
    let (old, _) = toc.table("calls_old", "id bigint NOT NULL,\nuser_id bigint");
    let attach =
        "ALTER TABLE ONLY public.calls ATTACH PARTITION public.calls_old FOR VALUES FROM (1) TO (2);\n";
    toc.add("TABLE ATTACH", "public", "calls_old", attach, &[calls, old]);
    let attempted = |one: Value| {
        let settings = asked(json!([rule("users", json!({ "rows": 1 }))]), json!([one]));
        let (header, key) = (header(), masking::Key::new(&settings.masking.secret));
        let made = attempt(&PlanInput::read(&header, &toc.entries), &settings, &key);
        made.map_err(|unplanned| unplanned.error.to_string())
    };
    let error = attempted(reference("calls_old", &["user_id"], "users")).unwrap_err();
    let expected = r#""reference_partition","table":"public.calls_old","root":"public.calls""#;
    assert!(error.contains(expected), "{error}");
    attempted(reference("calls", &["user_id"], "users")).unwrap();
}

#[test]
fn what_has_no_effect_is_a_warning() {
    let warned = |settings: &Settings| {
        let plan = planned(settings).unwrap_or_else(|wrong| panic!("{}", wrong.error));
        let warnings = plan.warnings.iter().map(ToString::to_string);
        warnings.collect::<Vec<_>>().join("\n")
    };
    let nulls = |table: &str| asked(json!([rule(table, json!({ "nullify_all": true }))]), json!([]));
    let nothing = r#"{"kind":"nulls_nothing","entry":"subset: \"logs\"","table":"public.logs"}"#;
    assert!(warned(&nulls("logs")).contains(nothing));
    assert!(!warned(&nulls("orders")).contains("nulls_nothing"));
    assert!(!warned(&nulls("*")).contains("nulls_nothing"));
    let declared = json!([reference("orders", &["owner_id"], "users")]);
    assert!(warned(&asked(json!([]), declared.clone())).contains("references_idle"));
    let cut = json!([rule("users", json!({ "rows": 1 }))]);
    assert!(!warned(&asked(cut, declared)).contains("references_idle"));
}

#[test]
fn a_column_of_types_instead_of_a_table_is_refused_with_the_types_that_belong_into_it() {
    let mut by_column = reference("orders", &["owner_id"], "owner_type");
    by_column["referenced_columns"] = json!(["users"]);
    let expected = r#"{"kind":"reference_types_lacking","column":"public.orders.owner_type","name":"owner_type","sort":"User","target":"users"}"#;
    assert_faults(&asked(json!([]), json!([by_column])), &[expected]);
    for (column, table) in [
        ("owner_typ", "users"),
        ("owner_type", "usrs"),
        ("user_id", "users"),
    ] {
        by_column["references"] = json!(column);
        by_column["referenced_columns"] = json!([table]);
        let others = asked(json!([]), json!([by_column]));
        assert_faults(&others, &[r#""fault":{"kind":"none_matches""#]);
    }
}

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
        &["subset_references: \"orders.owner_id\", \"public.orders.owner_id\" and \"ORDERS.owner_id\" are one place, public.orders.owner_id. Keep one"],
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
        assert_faults(
            &asked(json!([]), faults),
            &["stands for several tables, and a reference is one table's. Write an entry for each that is meant, such as 'public.orders.user_id'."],
        );
    }
    assert!(planned(&asked(
        json!([]),
        json!([reference("public.orders", &["user_id"], "users")])
    ))
    .is_ok());
    let nothing = json!([{ "table": "*", "columns": ["owner_id"], "references": "", "nothing": true }]);
    assert_faults(&asked(json!([]), nothing), &["such as 'public.orders.owner_id'"]);
    assert_faults(
        &asked(json!([]), json!([reference("orders", &["user_id"], "*s")])),
        &["\"*s\" stands for several tables, and a reference leads to one. Write the name"],
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
            "\"ordrs.user_id\": no table of the backup matches \"ordrs\"",
            "\"orders.usr_id\": public.orders has no column usr_id",
            "\"orders.usr_id\": no table of the backup matches \"usrs\"",
            "subset_references: no table of the backup matches \"lgs\"",
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
            "no value of public.orders.owner_id (bigint) can be one of public.tokens.id (uuid)",
        ),
        (
            ("tokens", "user_ids"),
            "users",
            "no value of public.tokens.user_ids (bigint[]) can be one of public.users.id (bigint)",
        ),
        (
            ("logs", "at"),
            "users",
            "no value of public.logs.at (timestamp with time zone) can be one of public.users.id (bigint)",
        ),
    ] {
        let error = attempted(json!([reference(from.0, &[from.1], to)])).unwrap_err();
        assert!(error.contains(expected), "{error}");
        assert!(
            error.contains("Name the unique column that it refers to, or remove the entry."),
            "{error}"
        );
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

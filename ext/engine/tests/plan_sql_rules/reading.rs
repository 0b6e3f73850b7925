//! How statements are read: their words, their tables, their joins.

use super::*;

#[test]
fn words_that_look_like_structure_are_none() {
    for (sql, expected) in [
        (
            "UPDATE orders SET note = $q$ WHERE id = 1; DELETE FROM users $q$ -- WHERE id = 2\n/* WHERE */",
            r#" WHERE (orders.id > 3)"#,
        ),
        (
            "UPDATE orders SET note = (SELECT max(o.note) FROM orders o WHERE o.user_id = orders.user_id)",
            r#"(SELECT max(o.note) FROM "pg_temp"."orders" o WHERE o.user_id = orders.user_id) WHERE (orders.id > 3)"#,
        ),
        (
            r#"UPDATE "public"."orders" AS "o WHERE" SET note = 'x' WHERE "o WHERE".id = 1 OR FALSE"#,
            r#"WHERE ("o WHERE".id = 1 OR false) AND ("o WHERE".id > 3)"#,
        ),
        (
            "WITH recent AS (SELECT id FROM orders WHERE id > 9) UPDATE orders SET note = 'x' FROM recent WHERE recent.id = orders.id RETURNING orders.id",
            r#"WHERE (recent.id = orders.id) AND (orders.id > 3) RETURNING orders.id"#,
        ),
        (
            "UPDATE orders SET note = other.note FROM orders other WHERE other.id = orders.id + 1",
            r#"FROM "pg_temp"."orders" other WHERE (other.id = orders.id + 1) AND (orders.id > 3)"#,
        ),
        (
            "DELETE FROM orders USING users u WHERE u.id = orders.user_id AND u.note = ' WHERE '",
            r#"USING "public"."users" u WHERE (u.id = orders.user_id AND u.note = ' WHERE ') AND (orders.id > 3)"#,
        ),
        ("UPDATE Orders SET Note = upper(NOTE)", r#" WHERE (Orders.id > 3)"#),
    ] {
        let sql = statement(query("orders", sql, Some("id > 3")));
        assert!(sql.to_lowercase().ends_with(&expected.to_lowercase()), "{expected}\n in \n{sql}");
        assert!(!sql.contains("/*") && !sql.contains("--"), "{sql}");
    }
}

#[test]
fn each_of_several_statements_gets_the_condition() {
    let rule = query(
        "orders",
        "UPDATE orders SET note = ';'; DELETE FROM orders WHERE id < 0;",
        Some("id > 3"),
    );
    let plan = plan(&[rule]);
    let sql: Vec<&str> = plan.sql_rules.groups[0]
        .statements
        .iter()
        .map(|one| one.sql.as_str())
        .collect();
    assert_eq!(
        sql,
        [
            r#"UPDATE "pg_temp"."orders" SET note = ';' WHERE (orders.id > 3)"#,
            r#"DELETE FROM "pg_temp"."orders" WHERE (id < 0) AND (orders.id > 3)"#,
        ]
    );
}

#[test]
fn rows_are_changed_in_one_place_only_so_that_a_condition_reaches_all_of_it() {
    let message = problems(&[query(
        "orders",
        "WITH gone AS (DELETE FROM orders WHERE id = 7 RETURNING id) UPDATE orders SET note = 'x'",
        Some("id > 3"),
    )]);
    assert!(message.contains("with_changes_rows"), "{message}");
}

#[test]
fn names_that_no_table_has_are_reported_with_the_entry_outside_of_sub_selects() {
    let message = problems(&[
        query(
            "orders",
            "UPDATE orders SET note = 'x'",
            Some("creatd_at > current_date AND orders.usr_id = 1"),
        ),
        expression("users", "note", "upper(emial)"),
        query(
            "tags",
            "UPDATE tags SET name = 'x'",
            Some("id IN (SELECT user_id FROM orders WHERE nothing = 1)"),
        ),
    ]);
    for expected in [
        r#""table":"public.orders","column":"creatd_at","advice":{"kind":"meant","name":"created_at"}"#,
        r#""column":"usr_id","advice":{"kind":"meant","name":"user_id"}"#,
        r#""in_expression","rule":"users: note","column":"note","fault":{"kind":"has_no_column","table":"public.users","column":"emial","advice":{"kind":"meant","name":"email"}"#,
    ] {
        assert!(message.contains(expected), "{expected}\n in \n{message}");
    }
    assert!(
        !message.contains("current_date") && !message.contains("nothing"),
        "{message}"
    );
}

#[test]
fn a_delete_is_reported_with_the_children_that_have_no_action() {
    let plan = plan(&[query("accounts", "DELETE FROM accounts WHERE id > 5", None)]);
    assert!(plan.warnings.iter().any(|warning| warning.is("deletes_referred")
        && warning.contains(r#""key":"users_account","referring":"public.users""#)));
}

#[test]
fn an_entry_of_sql_and_one_of_masks_on_one_column_name_both() {
    let rules = [query("orders", "UPDATE orders SET note = 'x'", None)];
    let message = with_masks(&[mask("orders", "note", "id > 3")], &rules).unwrap_err();
    assert!(
        message.contains(r#""rule":"orders: UPDATE orders SET note = 'x'","other":"orders: note""#),
        "{message}"
    );
    assert!(message.contains(r#""column":"public.orders.note""#), "{message}");
}

#[test]
fn a_statement_that_joins_means_its_own_table_by_a_name_without_one() {
    assert_eq!(
        statement(query(
            "users",
            "UPDATE users u SET note = slug || id FROM accounts a WHERE a.id = account_id AND a.name IS NOT NULL",
            None
        )),
        r#"UPDATE "pg_temp"."users" u SET note = slug || u.id FROM "public"."accounts" a WHERE a.id = u.account_id AND a.name IS NOT NULL"#
    );
    assert_eq!(
        statement(query(
            "orders",
            "DELETE FROM orders USING users WHERE users.id = user_id AND note = 'x'",
            Some("created_at < now()")
        )),
        r#"DELETE FROM "pg_temp"."orders" USING "public"."users" WHERE (users.id = orders.user_id AND orders.note = 'x') AND (orders.created_at < now())"#
    );
    // Joined with itself, a name that says which of the two is meant stays.
    assert!(statement(query(
        "users",
        "UPDATE users u SET note = users.note FROM users WHERE users.id = u.billing_id",
        None
    ))
    .contains("SET note = users.note"));
}

#[test]
fn a_key_that_is_unique_on_the_other_side_is_a_join_too() {
    let mut toc = shop();
    let (profiles, _) = toc.table("profiles", "id bigint NOT NULL,\nuser_id bigint,\nnickname text");
    toc.key(("profiles", profiles), "profiles_user_key", "UNIQUE (user_id)");
    let key = "FOREIGN KEY (user_id) REFERENCES public.users(id)";
    toc.key(("profiles", profiles), "profiles_user", key);
    let mut settings = settings(&[], &[]);
    settings.masking.sql_rules = vec![expression("users", "note", "profiles.nickname")];
    let plan = planned(&toc.entries, &settings).unwrap();
    assert!(plan.sql_rules.groups[0].statements[0]
        .sql
        .contains(r#"LEFT JOIN "public"."profiles" ON "profiles"."user_id" = "users"."id")"#));
}

#[test]
fn a_rule_that_reads_what_a_later_one_masks_is_warned_of() {
    let accounts = query("accounts", "UPDATE accounts SET slug = 'a' || id", None);
    let reading = |sql: &str| query("users", sql, None);
    let slug = reading("UPDATE users SET note = (SELECT slug FROM accounts a WHERE a.id = account_id)");
    let message = |rules: &[SqlRule]| Text::joined(&plan(rules).warnings, " ");
    let warning = message(&[slug.clone(), accounts.clone()]);
    assert!(
        warning.contains(r#""column":"public.accounts.slug","later":"accounts: UPDATE"#),
        "{warning}"
    );
    for harmless in [
        vec![accounts.clone(), slug],
        vec![
            reading("UPDATE users SET note = (SELECT name FROM accounts a WHERE a.id = account_id)"),
            accounts.clone(),
        ],
        vec![
            expression("users", "note", "accounts.name || users.email"),
            accounts.clone(),
        ],
        vec![expression("users", "note", "upper(email)"), accounts],
    ] {
        assert_eq!(message(&harmless), "");
    }
}

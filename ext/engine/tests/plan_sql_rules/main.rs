//! Rules in SQL as the plan reads them: conditions, names and groups, and what is wrong with them.
#![allow(clippy::unwrap_used)]

mod conditions;
#[path = "../plan_support/mod.rs"]
mod plan_support;
mod reading;

use plan_support::{planned, settings, Toc};
use staging_sync_engine::plan::{Plan, StepKind};
use staging_sync_engine::settings::{MaskName, Rule, SqlRule};
use staging_sync_engine::text::Text;

fn shop() -> Toc {
    let mut toc = Toc::default();
    let (accounts, _) = toc.table("accounts", "id bigint NOT NULL,\nslug text,\nname text");
    let (users, _) = toc.table(
        "users",
        "id bigint NOT NULL,\naccount_id bigint,\nbilling_id bigint,\nemail text NOT NULL,\nnote text",
    );
    let (orders, _) = toc.table(
        "orders",
        "id bigint NOT NULL,\nuser_id bigint,\nnote text,\ncreated_at date",
    );
    toc.table("tags", "id bigint NOT NULL,\nname text");
    toc.key(("accounts", accounts), "accounts_pkey", "PRIMARY KEY (id)");
    toc.key(("users", users), "users_pkey", "PRIMARY KEY (id)");
    toc.key(
        ("users", users),
        "users_account",
        "FOREIGN KEY (account_id) REFERENCES public.accounts(id)",
    );
    toc.key(
        ("orders", orders),
        "orders_user",
        "FOREIGN KEY (user_id) REFERENCES public.users(id) ON DELETE CASCADE",
    );
    toc
}

fn query(table: &str, query: &str, condition: Option<&str>) -> SqlRule {
    SqlRule {
        name: format!("{table}: {query}"),
        table: table.into(),
        query: Some(query.into()),
        condition: condition.map(str::to_owned),
        ..SqlRule::default()
    }
}

fn expression(table: &str, column: &str, sql: &str) -> SqlRule {
    SqlRule {
        name: format!("{table}: {column}"),
        table: table.into(),
        columns: vec![(column.into(), sql.into())],
        ..SqlRule::default()
    }
}

fn plan(rules: &[SqlRule]) -> Plan {
    let mut settings = settings(&[], &[]);
    settings.masking.sql_rules = rules.to_vec();
    planned(&shop().entries, &settings).unwrap()
}

fn problems(rules: &[SqlRule]) -> String {
    let mut settings = settings(&[], &[]);
    settings.masking.sql_rules = rules.to_vec();
    planned(&shop().entries, &settings).unwrap_err().what.to_string()
}

/// The only statement of a plan.
fn statement(rule: SqlRule) -> String {
    let plan = plan(&[rule]);
    assert_eq!(plan.sql_rules.groups.len(), 1);
    assert_eq!(plan.sql_rules.groups[0].statements.len(), 1);
    plan.sql_rules.groups[0].statements[0].sql.clone()
}

/// A schema with heirs, partitions and two tables of one name.
fn relatives() -> Toc {
    let mut toc = shop();
    toc.table("notes", "id bigint NOT NULL,\nbody text");
    let (heir, _) = toc.table("long_notes", "pages integer");
    toc.entries
        .iter_mut()
        .filter(|entry| entry.dump_id == heir)
        .for_each(|entry| {
            entry.defn = entry.defn.replace(")", ")\nINHERITS (public.notes)");
        });
    toc
}

fn mask(table: &str, column: &str, condition: &str) -> Rule {
    Rule {
        name: format!("{table}: {column}"),
        table: table.into(),
        columns: [(column.to_owned(), MaskName::Plain("text".into()))].into(),
        condition: Some(condition.into()),
        ..Rule::default()
    }
}

fn with_masks(rules: &[Rule], sql_rules: &[SqlRule]) -> Result<Plan, String> {
    let mut settings = settings(&[], &[]);
    settings.masking.rules = rules.to_vec();
    settings.masking.sql_rules = sql_rules.to_vec();
    planned(&relatives().entries, &settings).map_err(|error| error.what.to_string())
}

#[test]
fn a_condition_becomes_the_where() {
    assert_eq!(
        statement(query(
            "orders",
            "UPDATE orders SET note = 'x'",
            Some("id > 3 OR id = 1")
        )),
        r#"UPDATE "pg_temp"."orders" SET note = 'x' WHERE (orders.id > 3 OR orders.id = 1)"#
    );
}

#[test]
fn a_condition_joins_the_where_that_is_there_whatever_strings_and_sub_selects_hold() {
    assert_eq!(
        statement(query(
            "orders",
            "UPDATE public.orders o SET note = ' WHERE ' || (SELECT max(name) FROM tags WHERE id > 2) WHERE id < 9 OR id = 12;",
            Some("created_at < '2020-01-01'"),
        )),
        r#"UPDATE "pg_temp"."orders" o SET note = ' WHERE ' || (SELECT max(name) FROM "public"."tags" WHERE id > 2) WHERE (id < 9 OR id = 12) AND (o.created_at < '2020-01-01')"#
    );
}

#[test]
fn a_delete_takes_a_condition_too() {
    assert_eq!(
        statement(query("orders", "DELETE FROM orders", Some("orders.id > 3"))),
        r#"DELETE FROM "pg_temp"."orders" WHERE (orders.id > 3)"#
    );
}

#[test]
fn a_conditions_columns_are_the_ruled_tables_beside_another_table() {
    let sql = statement(query(
        "users",
        "UPDATE users u SET note = a.slug FROM accounts AS a WHERE a.id = u.account_id",
        Some("id > 5 AND public.users.note IS NOT NULL AND account_id IN (SELECT id FROM tags)"),
    ));
    assert!(
        sql.ends_with(
            r#"AND (u.id > 5 AND u.note IS NOT NULL AND u.account_id IN (SELECT id FROM "public"."tags"))"#
        ),
        "{sql}"
    );
}

#[test]
fn awkward_literals_stay_what_they_are() {
    for literal in [
        "'it''s'",
        r"E'a\\nb\'c'",
        "$q$it's $1 \\ WHERE$q$",
        r"'back\slash'",
        "U&'d\\0061t'",
        "'é😀'",
        "'{\"a\": [1, 2]}'::jsonb #>> '{a,0}'",
        "note ~ '^\\d+$' AND note ~* 'x' IS NOT DISTINCT FROM true",
        "DATE '1990-01-01' + INTERVAL '1 year' * 2",
        "ARRAY[1, 2]::integer[]",
        "LPAD(id::text, 8, '0')",
    ] {
        let sql = statement(query(
            "orders",
            &format!("UPDATE orders SET note = {literal}"),
            None,
        ));
        // Parsed again it is the same statement.
        let again = statement(query("orders", &sql.replace("\"pg_temp\".", ""), None));
        assert_eq!(sql, again, "{literal}");
    }
}

#[test]
fn an_expression_is_evaluated_per_row_and_other_tables_by_their_foreign_key() {
    assert_eq!(
        statement(expression("users", "note", "CONCAT('n', id, note)")),
        r#"UPDATE "pg_temp"."users" SET "note" = CONCAT('n', "users".id, "users".note)"#
    );
    assert_eq!(
        statement(expression(
            "users",
            "email",
            "CONCAT('user', id, '@', accounts.slug)"
        )),
        r#"UPDATE "pg_temp"."users" SET "email" = (SELECT CONCAT('user', "users".id, '@', accounts.slug) FROM (SELECT 1) AS scalingo_staging_sync_one LEFT JOIN "public"."accounts" ON "accounts"."id" = "users"."account_id")"#
    );
}

#[test]
fn a_join_without_one_foreign_key_is_an_error_until_it_is_said() {
    let rule = expression("users", "email", "tags.name || id");
    assert!(problems(std::slice::from_ref(&rule))
        .contains(r#""no_key_between","here":"public.users","there":"public.tags""#));
    let joined = SqlRule {
        join: Some("tags.id = users.id".into()),
        ..rule
    };
    assert!(statement(joined).contains(r#"LEFT JOIN "public"."tags" ON tags.id = "users".id"#));
    assert!(problems(&[expression("users", "note", "orders.note")]).contains("key_to_many"));
}

#[test]
fn tables_that_name_one_another_share_a_group_and_others_do_not() {
    let plan = plan(&[
        query(
            "users",
            "UPDATE users SET note = (SELECT min(slug) FROM accounts)",
            None,
        ),
        query("accounts", "UPDATE accounts SET slug = 'a' || id", None),
        query("orders", "UPDATE orders SET note = 'x'", None),
    ]);
    let groups: Vec<Vec<&str>> = plan
        .sql_rules
        .groups
        .iter()
        .map(|group| {
            group
                .tables
                .iter()
                .map(|table| table.table.name.as_str())
                .collect()
        })
        .collect();
    assert_eq!(groups, [vec!["accounts", "users"], vec!["orders"]]);
    assert!(plan.sql_rules.groups[0].statements[0]
        .sql
        .contains(r#"FROM "pg_temp"."accounts""#));
    assert!(plan.sql_rules.groups[0].lasting && !plan.sql_rules.groups[1].lasting);
}

#[test]
fn what_a_rule_reads_is_waited_for_with_its_keys_and_statistics() {
    let reads = SqlRule {
        reads: vec!["accounts".into()],
        ..query("orders", "UPDATE orders SET note = some_function(id)", None)
    };
    let plan = plan(&[reads]);
    let analyze = plan
        .steps
        .iter()
        .find(|step| step.kind == StepKind::Analyze)
        .unwrap();
    let key = plan
        .steps
        .iter()
        .find(|step| step.name.contains("accounts_pkey"))
        .unwrap();
    assert!(analyze.waits_for.contains(&key.id));
    let group = plan
        .steps
        .iter()
        .find(|step| step.kind == StepKind::SqlRules)
        .unwrap();
    assert!(group.waits_for.contains(&analyze.id));
}

#[test]
fn a_delete_rule_is_followed_by_the_foreign_keys_own_action() {
    let plan = plan(&[query("users", "DELETE FROM users WHERE id > 5", None)]);
    let key = plan
        .steps
        .iter()
        .find(|step| step.name.contains("orders_user"))
        .unwrap();
    assert!(key.sql.starts_with(
        "DELETE FROM \"public\".\"orders\" here WHERE here.\"user_id\" IS NOT NULL AND NOT EXISTS"
    ));
}

#[test]
fn only_what_depends_on_a_row_is_checked_against_its_old_value() {
    let plan = plan(&[query(
        "orders",
        "UPDATE orders SET note = 'x' || id, user_id = NULL, created_at = now()",
        None,
    )]);
    assert_eq!(plan.sql_rules.groups[0].statements[0].checked, ["note"]);
}

#[test]
fn a_statement_that_is_neither_an_update_nor_a_delete_is_refused_wherever_it_stands() {
    let others = [
        "TRUNCATE orders",
        "UPDATE orders SET note = 'x'; ALTER TABLE orders DROP COLUMN note",
        "SELECT lo_create(7)",
        "(SELECT 1)",
        "EXPLAIN ANALYZE DELETE FROM orders",
        "DO $$ BEGIN END $$",
    ];
    for sql in others {
        let message = problems(&[query("orders", sql, None)]);
        assert!(message.contains("neither_update_nor_delete"), "{sql}: {message}");
    }
}

#[test]
fn every_wrong_rule_is_reported_with_its_entry() {
    let message = problems(&[
        query("order", "UPDATE orders SET note = 'x'", None),
        query("orders", "UPDATE orders SET notes = 'x'", None),
        query("orders", "UPDATE users SET note = 'x'", None),
        query("orders", "INSERT INTO orders (id) VALUES (1)", None),
        query(
            "orders",
            "WITH gone AS (DELETE FROM tags RETURNING id) UPDATE orders SET note = 'x'",
            None,
        ),
        query(
            "orders",
            "WITH tags AS (SELECT 1) UPDATE orders SET user_id = 1",
            None,
        ),
        query("orders", "", None),
        query("users", "UPDATE users SET email = NULL", None),
        query(
            "tags",
            "UPDATE tags SET name = 'x'",
            Some("id = 1; DROP TABLE users"),
        ),
    ]);
    for expected in [
        r#""place":"order: UPDATE orders SET note = 'x'","fault":{"kind":"none_matches""#,
        r#""table":"public.orders","column":"notes","advice":{"kind":"meant","name":"note"}"#,
        r#""changes_other","other":"public.users","table":"public.orders""#,
        "neither_update_nor_delete",
        r#""changes_other","other":"public.tags""#,
        r#""with_takes_name","name":"tags""#,
        "sql_empty",
        r#""sets_null","rule":"users: UPDATE users SET email = NULL","column":"public.users.email""#,
        "condition_unread",
    ] {
        assert!(message.contains(expected), "{expected}\n in \n{message}");
    }
}

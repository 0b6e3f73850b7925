//! Masks under conditions, and tables that inherit from one another.

use super::*;
#[test]
fn one_condition_puts_its_pseudonyms_in_by_where() {
    let plan = with_masks(&[mask("orders", "note", "id > 3")], &[]).unwrap();
    let statement = &plan.sql_rules.groups[0].statements[0];
    let pseudonym = &statement.choices[0].pseudonym;
    assert_eq!(
        statement.sql,
        format!(
            r#"UPDATE ONLY pg_temp."orders" SET "note" = {pseudonym}, {pseudonym} = "note" WHERE ("orders".id > 3)"#,
            pseudonym = format_args!("\"{pseudonym}\"")
        )
    );
    let load = plan
        .loads
        .values()
        .find(|load| load.table.name == "orders")
        .unwrap();
    assert!(load.mask.is_none() && load.conditional.is_some());
}

#[test]
fn several_conditions_are_one_update_that_chooses_by_case() {
    let rules = [
        mask("users", "note", "email LIKE 'a%'"),
        mask("users", "email", "id > 3"),
    ];
    let plan = with_masks(&rules, &[]).unwrap();
    assert_eq!(plan.sql_rules.groups[0].statements.len(), 1);
    let statement = &plan.sql_rules.groups[0].statements[0];
    assert!(
        statement
            .sql
            .contains(r#""note" = CASE WHEN ("users".email LIKE 'a%') THEN "#),
        "{}",
        statement.sql
    );
    assert!(
        statement
            .sql
            .ends_with(r#" WHERE ("users".email LIKE 'a%') OR ("users".id > 3)"#),
        "{}",
        statement.sql
    );
    assert_eq!(statement.explain.len(), 2);
}

#[test]
fn a_column_that_a_condition_reads_is_masked_after_it_was_read() {
    let everywhere = Rule {
        condition: None,
        ..mask("users", "email", "")
    };
    let plan = with_masks(&[everywhere, mask("users", "note", "email LIKE 'a%'")], &[]).unwrap();
    let load = plan
        .loads
        .values()
        .find(|load| load.table.name == "users")
        .unwrap();
    assert!(load.mask.is_none());
    let statement = &plan.sql_rules.groups[0].statements[0];
    assert_eq!(statement.choices.len(), 2);
    assert!(!statement.sql.contains(" WHERE "), "{}", statement.sql);
}

#[test]
fn a_mask_under_a_condition_on_one_side_of_a_foreign_key_is_refused() {
    let message = with_masks(&[mask("users", "account_id", "id > 3")], &[]).unwrap_err();
    assert!(
        message.contains(r#""key":"users_account","from":"public.users.account_id""#),
        "{message}"
    );
    assert!(message.contains("key_under_condition"), "{message}");
}

#[test]
fn heirs_have_temporary_tables_that_inherit_as_they_do() {
    let rules = [query(
        "notes",
        "UPDATE ONLY public.notes n SET body = 'x'; UPDATE notes SET body = 'y'",
        Some("id > 1"),
    )];
    let plan = with_masks(&[], &rules).unwrap();
    let group = &plan.sql_rules.groups[0];
    let tables: Vec<_> = group
        .tables
        .iter()
        .map(|table| (table.table.name.as_str(), table.inherits.clone()))
        .collect();
    assert_eq!(
        tables,
        [("notes", vec![]), ("long_notes", vec!["notes".to_owned()])]
    );
    assert_eq!(
        group.tables.iter().map(|table| table.loads.len()).sum::<usize>(),
        2
    );
    assert_eq!(
        group.statements[0].sql,
        r#"UPDATE ONLY "pg_temp"."notes" n SET body = 'x' WHERE (n.id > 1)"#
    );
    assert_eq!(
        group.statements[1].sql,
        r#"UPDATE "pg_temp"."notes" SET body = 'y' WHERE (notes.id > 1)"#
    );
}

#[test]
fn rules_on_a_parent_and_on_a_child_may_not_set_the_same_column() {
    let rules = [
        query("long_notes", "UPDATE long_notes SET body = 'a'", None),
        query("notes", "UPDATE notes SET body = 'b'", None),
    ];
    let message = with_masks(&[], &rules).unwrap_err();
    assert!(
        message.contains(r#""rule":"notes: UPDATE"#) && message.contains(r#""other":"long_notes: UPDATE"#),
        "{message}"
    );
}

//! What is wrong with the options that say which tables come, and that rules of a table which does not come are checked.

use super::*;
use plan_support::settings as with_rules;
use staging_sync_engine::notice::Notice;
use staging_sync_engine::settings::Rule;
use staging_sync_engine::text::Text;

fn listed(include: &[&str], exclude: &[&str], keep: &[&str]) -> Settings {
    let mut settings = asked(json!([]), json!([]));
    let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    settings.masking.rules.clear();
    settings.masking.allow_unmasked_copy = true;
    (settings.include_tables, settings.exclude_tables) = (owned(include), owned(exclude));
    settings.keep_tables = owned(keep);
    settings
}

fn warnings(settings: &Settings) -> Vec<Text> {
    let plan = planned(settings).unwrap_or_else(|unplanned| panic!("{}", unplanned.error));
    plan.warnings
}

#[test]
fn tables_that_are_to_come_and_to_stay_out_so_that_nothing_comes_are_refused() {
    assert_faults(
        &listed(&["orders", "logs"], &["orders", "log*"], &[]),
        &[
            r#""nothing_comes","option":"include_tables","tables":{"kind":"all_names","names":["public.orders","public.logs"]},"by":["exclude_tables"],"count":1"#,
        ],
    );
    let mut typed = listed(&["*s"], &["orders", "logs"], &["users"]);
    typed.include_tables_from = Some("TABLES".into());
    assert_faults(
        &typed,
        &[
            r#""nothing_comes","option":"TABLES","tables":{"kind":"all_names","names":["public.users","public.orders","public.logs"]},"by":["exclude_tables","keep_tables"],"count":2"#,
        ],
    );
    assert!(planned(&listed(&["orders", "logs"], &[], &[])).is_ok());
}

#[test]
fn a_table_that_both_lists_name_is_a_warning_where_others_come_and_none_where_a_pattern_names_it() {
    let named = |by: &str| {
        Text::from(Notice::NamedByBoth {
            option: "include_tables".into(),
            table: "public.orders".into(),
            by: by.into(),
        })
    };
    assert!(warnings(&listed(&["orders", "logs"], &["or*"], &[])).contains(&named("exclude_tables")));
    assert!(warnings(&listed(&["orders", "logs"], &[], &["orders"])).contains(&named("keep_tables")));
    let by_pattern = warnings(&listed(&["*"], &["orders"], &[]));
    assert!(
        !by_pattern.iter().any(|warning| warning.is("named_by_both")),
        "{by_pattern:?}"
    );
}

#[test]
fn that_no_row_of_any_table_comes_is_said() {
    let none = |by: &[&str]| {
        let by = by.iter().map(ToString::to_string).collect();
        Text::from(Notice::NoRowComes { by })
    };
    assert!(warnings(&listed(&[], &["*"], &[])).contains(&none(&["exclude_tables"])));
    assert!(warnings(&listed(&[], &["logs"], &["users", "orders"]))
        .contains(&none(&["exclude_tables", "keep_tables"])));
    let some = warnings(&listed(&[], &["users", "logs"], &[]));
    assert!(!some.iter().any(|warning| warning.is("no_row_comes")), "{some:?}");
}

#[test]
fn a_pattern_that_keeps_tables_which_cannot_stay_is_refused_with_them() {
    let mut settings = listed(&[], &["logs"], &["*"]);
    settings.masking.rules = with_rules(&[("users", "user_anonymization")], &[]).masking.rules;
    assert_faults(
        &settings,
        &[
            r#""keeps_by_pattern","pattern":"*","tables":[{"kind":"cannot_stay_and_more","table":"public.users","also":{"kind":"also_masked"}},{"kind":"cannot_stay_and_more","table":"public.logs","also":{"kind":"also_named","option":"exclude_tables"}}]"#,
        ],
    );
    settings.keep_tables = vec!["orders".into()];
    assert!(planned(&settings).is_ok());
    settings.keep_tables = vec!["*".into(), "users".into()];
    let by_itself = r#""keeps_and_more","table":"public.users","also":{"kind":"also_masked"}"#;
    let others =
        r#""keeps_by_pattern","pattern":"*","tables":[{"kind":"cannot_stay_and_more","table":"public.logs""#;
    assert_faults(&settings, &[by_itself, others]);
}

#[test]
fn the_columns_of_masks_are_looked_for_whether_or_not_the_rows_of_their_table_come() {
    let mut settings = asked(json!([]), json!([]));
    settings.masking.rules = vec![Rule {
        name: "Entry 1".into(),
        table: "users".into(),
        columns: serde_json::from_value(json!({ "emial": "email" })).unwrap(),
        condition: Some("nme IS NULL".into()),
        ..Rule::default()
    }];
    settings.exclude_tables = vec!["users".into()];
    assert_faults(
        &settings,
        &[r#""rule":"Entry 1","table":"public.users","column":"emial","meant":"email""#],
    );
    settings.masking.rules[0].columns = serde_json::from_value(json!({ "email": "email" })).unwrap();
    assert_faults(&settings, &[r#""table":"public.users","column":"nme""#]);
}

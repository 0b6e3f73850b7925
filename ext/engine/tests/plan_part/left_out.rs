//! Tables that are left out while they have a rule, or lie on the way to one: which of them are looked at, and what is said of
//! the rules of the others.

use super::*;
use staging_sync_engine::plan::Plan;

/// The shop's plan where some tables alone come.
fn narrowed(toc: &Toc, tables: Value, others: &str, include: &[&str]) -> Plan {
    let mut settings = settings(&[], &[]);
    settings.include_tables = include.iter().map(|name| (*name).to_owned()).collect();
    let subset = json!({ "tables": tables, "others": others, "references": [] });
    settings.subset = serde_json::from_value(subset).unwrap();
    planned(&toc.entries, &settings).unwrap()
}

fn shop_of(tables: Value, include: &[&str]) -> Plan {
    narrowed(&shop(), tables, "follow", include)
}

/// The tables of a plan's part, those whose rows stay out in brackets.
fn shown(plan: &Plan) -> Vec<String> {
    let relations = plan.part.iter().flat_map(|part| &part.relations);
    let shown = relations.map(|relation| match relation.is_excluded {
        true => format!("[{}]", relation.table.name),
        false => relation.table.name.clone(),
    });
    shown.collect()
}

fn looked_at(plan: &Plan) -> Vec<String> {
    let mut names: Vec<String> = (plan.only_looked_at.values())
        .map(|load| load.table.name.clone())
        .collect();
    names.sort();
    names
}

/// The warnings of rules without effect.
fn idle(plan: &Plan) -> Vec<String> {
    let said = plan.warnings.iter();
    let idle = said.filter(|one| one.is("part_rule_idle") || one.is("part_pattern_idle"));
    idle.map(ToString::to_string).collect()
}

fn chosen() -> Value {
    rule("organisations", json!({ "where": "id IN (12, 47)" }))
}

#[test]
fn a_table_that_is_left_out_decides_by_its_rule_which_rows_of_others_come() {
    let plan = shop_of(json!([chosen()]), &["users"]);
    assert_eq!(shown(&plan), ["[organisations]", "users"]);
    assert_eq!(looked_at(&plan), ["organisations"]);
    assert_eq!(idle(&plan), [""; 0]);
    let part = plan.part.unwrap();
    assert!(matches!(part.relations[0].rule, PartRule::Own { .. }));
    assert!(part.references[0].enforced);
    assert!(!plan.loads.values().any(|load| load.table.name == "organisations"));
    assert!(plan.idle.is_empty());
}

#[test]
fn a_way_may_lead_through_several_tables_that_are_left_out() {
    let waits = rule("users", json!({ "keep": "referenced" }));
    for rules in [json!([chosen()]), json!([chosen(), waits])] {
        let plan = shop_of(rules, &["orders", "countries"]);
        assert_eq!(shown(&plan), ["[organisations]", "[users]", "orders"]);
        assert_eq!(looked_at(&plan), ["organisations", "users"]);
        let rules = plan.part.unwrap().relations;
        assert_eq!(rules[1].rule, PartRule::Follows);
        assert_eq!(rules[2].rule, PartRule::Follows);
    }
}

#[test]
fn a_left_out_table_that_nothing_refers_to_is_not_looked_at_and_its_rule_has_no_effect() {
    let audit = rule("orders", json!({ "where": "id > 3" }));
    let plan = shop_of(json!([chosen(), audit]), &["users"]);
    assert_eq!(shown(&plan), ["[organisations]", "users"]);
    let [warning] = &idle(&plan)[..] else {
        panic!("{:?}", plan.warnings)
    };
    assert!(warning.contains("public.orders"), "{warning}");
    assert_eq!(plan.idle.len(), 1);
    let whole = shop_of(
        json!([rule("organisations", json!({ "keep": "all" }))]),
        &["users"],
    );
    assert!(whole.part.is_none() && whole.only_looked_at.is_empty());
    assert_eq!(idle(&whole).len(), 1);
}

#[test]
fn a_rule_that_lets_a_left_out_table_keep_rows_has_an_effect() {
    let loses = rule("organisations", json!({ "where": "id < 3" }));
    let keeps = rule("users", json!({ "keep": "all" }));
    let every = rule("*", json!({ "where": "id > 5" }));
    for rules in [json!([loses.clone(), keeps.clone()]), json!([every, keeps])] {
        assert_eq!(idle(&shop_of(rules, &["orders"])), [""; 0]);
    }
    let nullifies = rule("users", json!({ "nullify_all": true }));
    assert_eq!(idle(&shop_of(json!([loses, nullifies]), &["orders"])), [""; 0]);
}

#[test]
fn under_limits_a_left_out_cap_decides_about_capped_tables_alone() {
    let limit = |table: &str| json!({ "table": table, "option": "limits", "rows": 5, "descending": true });
    let plan = narrowed(&shop(), json!([limit("users")]), "whole", &["orders"]);
    assert!(plan.part.is_none() && plan.only_looked_at.is_empty());
    assert_eq!(idle(&plan).len(), 1);
    let mut toc = shop();
    let reviews = toc.table("reviews", "id bigint NOT NULL,\nuser_id bigint");
    toc.key(("reviews", reviews.0), "reviews_pkey", "PRIMARY KEY (id)");
    let key = "FOREIGN KEY (user_id) REFERENCES public.users(id)";
    toc.key(("reviews", reviews.0), "reviews_user", key);
    let both = json!([limit("users"), limit("reviews")]);
    let plan = narrowed(&toc, both, "whole", &["orders", "reviews"]);
    assert_eq!(shown(&plan), ["[users]", "reviews"]);
    assert_eq!(idle(&plan), [""; 0]);
    assert_eq!(plan.part.unwrap().references.len(), 1);
}

#[test]
fn a_pattern_that_names_a_table_that_comes_warns_of_no_other_and_one_that_names_none_once() {
    let all = json!([rule("*", json!({ "keep": "all" }))]);
    assert_eq!(idle(&shop_of(all.clone(), &["users"])), [""; 0]);
    let plan = shop_of(json!([rule("o*s", json!({ "keep": "all" }))]), &["users"]);
    let [warning] = &idle(&plan)[..] else {
        panic!("{:?}", plan.warnings)
    };
    assert!(
        warning.contains("part_pattern_idle") && warning.contains("o*s"),
        "{warning}"
    );
}

#[test]
fn a_pattern_that_a_left_out_table_fits_is_its_rule_and_one_that_it_does_not_fit_is_none() {
    let by_organisation = json!([rule("*s", json!({ "where": "organisation_id = 12" }))]);
    let mut settings = settings(&[], &["organisations", "orders", "comments", "countries"]);
    settings.subset =
        serde_json::from_value(json!({ "tables": by_organisation, "others": "follow" })).unwrap();
    let plan = planned(&shop().entries, &settings).unwrap();
    assert_eq!(shown(&plan), ["users"]);
    let by_id = json!([rule("*s", json!({ "where": "id = 12" }))]);
    settings.subset = serde_json::from_value(json!({ "tables": by_id, "others": "follow" })).unwrap();
    settings.exclude_tables = vec!["organisations".into(), "countries".into()];
    let plan = planned(&shop().entries, &settings).unwrap();
    assert_eq!(shown(&plan), ["[organisations]", "users", "orders", "comments"]);
}

#[test]
fn what_becomes_null_instead_keeps_a_left_out_table_in_and_nothing_behind_it_of_its_own() {
    let nullified = rule("users", json!({ "nullify": ["organisation_id"] }));
    let plan = shop_of(json!([chosen(), nullified]), &["users"]);
    assert_eq!(shown(&plan), ["[organisations]", "users"]);
    let missing = &plan.part.unwrap().references[0].missing;
    assert_eq!(*missing, Missing::Nullify(vec!["organisation_id".into()]));
    let nullified = rule("users", json!({ "nullify": ["organisation_id"] }));
    let plan = shop_of(json!([chosen(), nullified]), &["orders"]);
    assert_eq!(shown(&plan), [""; 0]);
}

#[test]
fn no_way_leads_through_a_table_that_keeps_stagings_rows() {
    let mut settings = settings(&[], &[]);
    settings.keep_tables = vec!["users".into()];
    settings.subset = serde_json::from_value(json!({ "tables": [chosen()], "others": "follow" })).unwrap();
    let plan = planned(&shop().entries, &settings).unwrap();
    assert_eq!(shown(&plan), ["organisations"]);
    assert!(plan.only_looked_at.is_empty());
}

#[test]
fn a_table_that_inherits_from_one_that_is_left_out_has_its_rule() {
    let mut toc = Toc::default();
    let (parent, _) = toc.table("notes", "id bigint NOT NULL");
    let sql = "CREATE TABLE public.old_notes (\nid bigint NOT NULL\n)\nINHERITS (public.notes);\n";
    let old = toc.add("TABLE", "public", "old_notes", sql, &[parent]);
    toc.data("old_notes", "id bigint NOT NULL", old);
    let cut = json!([rule("notes", json!({ "where": "id = 1" }))]);
    let plan = narrowed(&toc, cut, "follow", &["old_notes"]);
    assert_eq!(shown(&plan), ["old_notes"]);
    assert_eq!(idle(&plan), [""; 0]);
}

//! What is wrong with a mask's name and its options is named.

use super::{named, unfit, varchar, REPEATS};
use crate::Type;
use serde_json::{json, Value};

#[test]
fn a_name_that_no_mask_has_says_which_was_meant() {
    for (name, options, words) in [
        (
            "emial",
            json!({}),
            r#"{"kind":"mask_meant","name":"emial","meant":"email""#,
        ),
        ("shuffle", json!({}), "mask_not_built"),
        (
            "phone",
            json!({"contry": "FR"}),
            r#"[{"kind":"stray_option_meant","option":"contry","meant":"country"}],"known":["country"]"#,
        ),
        (
            "birth_date",
            json!({"keepyear": true, "zzz": 1}),
            r#""option":"keepyear","meant":"keep_year"},{"kind":"stray_option","option":"zzz"}],"known":["days","keep_year","#,
        ),
        (
            "siret",
            json!({"country": "FR"}),
            r#"{"kind":"mask_takes_no_option","mask":"siret","#,
        ),
    ] {
        let problem = serde_json::to_string(&named(name, &options).unwrap_err()).unwrap();
        assert!(problem.contains(words), "{name}: {problem}");
    }
}

/// A mask, its options, a column's type, the kind of what is wrong, and what it names.
type WrongOption = (&'static str, Value, Type, &'static str, &'static str);

fn each_option_is_named<const N: usize>(cases: [WrongOption; N]) {
    for (mask, options, kind, wrong, words) in cases {
        let unfit = unfit(mask, options, kind, REPEATS);
        assert_eq!(unfit.misfit.kind(), wrong, "{unfit}");
        assert!(unfit.to_string().contains(words), "{mask}: {unfit}");
    }
}

#[test]
fn an_option_of_a_made_up_value_that_is_missing_or_wrong_is_named() {
    each_option_is_named([
        (
            "phone",
            json!({"country": "XX"}),
            Type::TEXT,
            "mask_wrong_option",
            "expected_country",
        ),
        ("fake", json!({}), Type::TEXT, "mask_fake_of_what", "first_name"),
        (
            "fake",
            json!({"kind": "firstname"}),
            Type::TEXT,
            "mask_wrong_option",
            r#""option":"kind","expected":{"kind":"expected_one_of","known":["first_name""#,
        ),
        (
            "fake",
            json!({"kind": "name", "locale": "xx"}),
            Type::TEXT,
            "mask_wrong_option",
            r#""option":"locale","expected":{"kind":"expected_one_of","known":["fr","en""#,
        ),
        (
            "fake",
            json!({"kind": "phone", "locale": "it"}),
            Type::TEXT,
            "mask_fake_reserved",
            r#""sort":"phone","locale":"it""#,
        ),
    ]);
}

#[test]
fn an_option_of_a_written_value_that_is_missing_or_wrong_is_named() {
    each_option_is_named([
        ("static", json!({}), Type::TEXT, "mask_wrong_option", "\"value\""),
        (
            "static",
            json!({"value": "long"}),
            varchar(3),
            "mask_static_value",
            "character varying(3)",
        ),
        (
            "template",
            json!({"template": "{other}"}),
            Type::TEXT,
            "mask_template_column",
            "\"other\"",
        ),
    ]);
}

#[test]
fn an_option_of_a_date_that_is_wrong_is_named() {
    each_option_is_named([
        (
            "date",
            json!({"subject": "other"}),
            Type::Date,
            "mask_wrong_option",
            "expected_column",
        ),
        (
            "date",
            json!({"days": 5, "keep_year": true}),
            Type::Date,
            "mask_options_exclusive",
            r#"["days","keep_year"]"#,
        ),
    ]);
}

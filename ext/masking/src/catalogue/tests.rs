//! The masks of the catalogue on random and on awkward values, and what each is refused for.

#![allow(clippy::unwrap_used, clippy::panic)]

mod options;

use crate::equal::Equal;
use crate::error::Unfit;
use crate::keep::Keep;
use crate::listing::listing;
use crate::misfit::{InvalidMask, Misfit, Misplaced};
use crate::testing::{bigint, column, fitted, person_table, pseudonyms, run, UNIQUE};
use crate::{Mask, RowMask, Type, Uniqueness};
use proptest::prelude::*;
use serde_json::{json, Value};
use std::collections::HashMap;
use std::sync::Arc;

const REPEATS: Uniqueness = Uniqueness {
    distinct: false,
    tells_case_apart: false,
    counts_nulls: false,
    equal: Equal::Bytes,
};

fn named(name: &str, options: &Value) -> Result<Mask, InvalidMask> {
    Mask::named(name, options.as_object().unwrap())
}

fn varchar(limit: usize) -> Type {
    Type::Text {
        limit: Some(limit),
        padded: false,
        ignores_case: false,
    }
}

fn unfit(name: &str, options: Value, kind: Type, unique: Uniqueness) -> Unfit {
    match fitted(name, options, kind, unique) {
        Ok(mask) => panic!("{name} should be refused: {mask:?}"),
        Err(unfit) => *unfit,
    }
}

#[test]
fn every_mask_of_the_catalogue_has_an_example_that_it_changes() {
    for listed in listing() {
        assert!(!listed.to.is_empty() && listed.to != listed.from, "{listed:?}");
    }
}

#[test]
fn a_password_of_staging_is_for_rows_that_no_keep_keeps() {
    let hash = "$2a$10$EXRkfkdmXn2gzds2SSitu.MW9.gAVqa9eLS1//RYtYCmB1eLHg.9q";
    let mut table = person_table(Type::TEXT, REPEATS);
    let email = table.columns.len();
    table.columns.push(column("email", Type::TEXT));
    let kept = named("email", &json!({}))
        .unwrap()
        .keeping(Arc::new(Keep::new(&["*@ours.com".into()])));
    let masks = [
        (2, named("staging_password", &json!({"cost": 4})).unwrap()),
        (email, kept),
    ];
    let masked = Arc::new(RowMask::new(&table, &masks, &pseudonyms()).unwrap());
    let condition = masked.columns()[0].known_password.clone().unwrap();
    let mut out = Vec::new();
    let rows = [
        ("ada@ours.com", hash),
        ("bob@theirs.com", hash),
        ("eve@theirs.com", "5ebe2294ecd0e0f08eab7690d2a6ee69"),
    ];
    let piece: String = rows
        .iter()
        .map(|(address, hash)| format!("1\t2\t{hash}\t{address}\n"))
        .collect();
    masked.masker().mask_piece(piece.as_bytes(), &mut out).unwrap();
    let out = String::from_utf8(out).unwrap();
    let hashes: Vec<&str> = out.lines().map(|line| line.split('\t').nth(2).unwrap()).collect();
    let known = |hash: &str| bcrypt::verify("staging", hash).unwrap_or(false);
    assert_eq!(
        hashes.iter().map(|hash| known(hash)).collect::<Vec<_>>(),
        [false, true, false]
    );
    assert!(condition.contains(hashes[1]) && !hashes.contains(&hash));
    assert!(hashes[2].len() == 32 && hashes[2].bytes().all(|byte| byte.is_ascii_hexdigit()));
}

#[test]
fn kept_values_stay_and_are_counted() {
    let keep = Arc::new(Keep::new(&["*@ourcompany.com".into()]));
    let mask = named("email", &json!({})).unwrap().keeping(keep);
    let mask =
        Arc::new(RowMask::new(&person_table(Type::TEXT, UNIQUE), &[(2, mask)], &pseudonyms()).unwrap());
    let mut masker = mask.masker();
    let mut out = Vec::new();
    masker
        .mask_piece(
            b"1\t1\tAdmin@OurCompany.com\n2\t1\tada@example.org\n3\t1\t\\N\n",
            &mut out,
        )
        .unwrap();
    let counts = masker.counts().columns[0];
    assert_eq!(
        (counts.kept, counts.masked, counts.nulls, counts.violations),
        (1, 1, 1, 0)
    );
    assert!(out.starts_with(b"1\t1\tAdmin@OurCompany.com\n2\t1\t"));
    assert!(mask.columns()[0].form_sql.ends_with("ILIKE '%@ourcompany.com'"));
}

#[test]
fn under_a_unique_index_a_hash_is_not_cut_too_short() {
    let short = unfit("hash", json!({"length": 8}), Type::TEXT, UNIQUE);
    assert!(short.to_string().contains(r#""least":14,"most":64"#), "{short}");
}

#[test]
fn a_column_of_another_type_or_too_short_says_what_would_do() {
    let first_name = json!({"kind": "first_name"});
    for (mask, options, kind, misfit, words) in [
        (
            "fake",
            json!({"kind": "name"}),
            bigint(),
            "mask_for_others",
            "for_text",
        ),
        ("number", json!({}), Type::TEXT, "mask_for_others", "for_numbers"),
        ("email", json!({}), bigint(), "mask_cannot_hold", "held_email"),
        ("email", json!({}), varchar(27), "mask_email_domain", "\"most\":6"),
        ("email", json!({}), varchar(20), "mask_too_long", "\"length\":37"),
        (
            "name",
            json!({}),
            varchar(4),
            "mask_too_long",
            "character varying(4)",
        ),
        (
            "password",
            json!({}),
            varchar(40),
            "mask_too_long",
            "\"length\":60",
        ),
        (
            "fake",
            first_name,
            varchar(4),
            "mask_fake_too_long",
            r#""column_type":"character varying(4)","sort":"first_name","length":12"#,
        ),
    ] {
        let unfit = unfit(mask, options, kind, REPEATS);
        assert_eq!(unfit.misfit.kind(), misfit, "{unfit}");
        assert!(unfit.to_string().contains(words), "{mask}: {unfit}");
    }
}

#[test]
fn a_mask_that_repeats_itself_is_not_for_a_unique_index() {
    for (mask, options, words) in [
        ("redact", json!({}), "mask_repeats"),
        ("fake", json!({"kind": "phone"}), "mask_fake_too_few"),
    ] {
        let unfit = unfit(mask, options, Type::TEXT, UNIQUE);
        assert_eq!(unfit.misfit.kind(), words, "{mask}: {unfit}");
    }
    for (mask, options) in [("city", json!({})), ("fake", json!({"kind": "name"}))] {
        assert!(fitted(mask, options, Type::TEXT, UNIQUE).is_ok(), "{mask}");
    }
}

#[test]
fn each_wrong_place_within_a_document_is_named() {
    for (mask, option, kind) in [("json", "paths", Type::Jsonb), ("hstore", "keys", Type::Hstore)] {
        let places = json!({"$.a": "emial", "$.b": "email", "$.c": {"mask": "phone", "contry": "FR"}, "$.d": 7,
            "$.e..": "nmae"});
        let unfit = unfit(mask, json!({ option: places }), kind, REPEATS);
        let Misfit::Places { places } = &unfit.misfit else {
            panic!("{unfit}");
        };
        let mut words = vec![
            ("$.a", r#""name":"emial","meant":"email""#),
            ("$.c", r#""option":"contry","meant":"country""#),
            ("$.d", "mask_no_form"),
        ];
        if mask == "json" {
            words.push(("$.e..", r#""mask_path_unread","path":"$.e..""#));
        }
        words.push(("$.e..", r#""name":"nmae","meant":"name""#));
        assert_eq!(places.len(), words.len(), "{unfit}");
        for (Misplaced::At { place, misfit, .. }, (expected, words)) in places.iter().zip(words) {
            let text = serde_json::to_string(misfit).unwrap();
            assert!(place == expected && text.contains(words), "{place}: {text}");
        }
    }
}

/// Masks that keep distinct values distinct, and values of the form that each is for.
const DISTINCT: &[(&str, &str)] = &[
    ("email", "[a-z]{1,8}@[a-z]{1,8}\\.(fr|com)"),
    ("username", "[a-zé]{1,12}"),
    ("filename", "[a-zé]{1,12}[.]pdf"),
    ("unknown_password", "[$]2a[$]10[$][./A-Za-z0-9]{53}"),
    ("unknown_password", "[a-z]{1,12}"),
    ("name", "[A-Z][a-z]{1,8} [A-Z][a-z]{1,8}"),
    ("city", "[A-Z][a-z]{1,8}"),
    ("postal_code", "[0-9]{5}"),
    ("postal_code", "[A-Z]{1,2}[0-9] [0-9][A-Z]{2}"),
    ("phone", "0[1-9][0-9]{8}"),
    ("phone", "\\+33 [1-9]( [0-9]{2}){4}"),
    ("phone", "[0-9]{2,12}"),
    ("iban", "FR[0-9]{2}[0-9]{10}[0-9A-Z]{11}[0-9]{2}"),
    ("iban", "DE[0-9]{20}"),
    ("bic", "[A-Z]{6}[A-Z0-9]{2}"),
    ("bic", "[A-Z]{6}[A-Z0-9]{5}"),
    ("credit_card", "[0-9]{13,19}"),
    ("last4", "[0-9]{4}"),
    ("nir", "[12][0-9]{14}"),
    ("siren", "[0-9]{9}"),
    ("siret", "[0-9]{14}"),
    ("vat_number", "FR[0-9]{11}"),
    ("vat_number", "DE[0-9]{9}"),
    ("ssn", "[0-9]{3}-[0-9]{2}-[0-9]{4}"),
    ("ip", "[1-9][0-9]?\\.[1-9][0-9]?\\.[1-9][0-9]?\\.[1-9][0-9]?"),
    ("mac", "[0-9a-f]{2}(:[0-9a-f]{2}){5}"),
    ("url", "https://[a-z]{1,6}\\.fr/[a-z]{0,6}"),
    (
        "uuid",
        "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
    ),
    ("hash", ".{1,20}"),
    ("token", "[0-9A-Za-z_-]{2,60}[a-z0-9]"),
    ("token", "[0-9a-f]{3,9}"),
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn distinct_values_become_distinct_ones_that_are_not_the_originals(
        seed in proptest::collection::vec(any::<u64>(), 1),
    ) {
        use proptest::strategy::ValueTree;
        use proptest::test_runner::{RngAlgorithm, TestRng, TestRunner};
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&seed[0].to_le_bytes());
        for (name, pattern) in DISTINCT {
            let mut runner = TestRunner::new_with_rng(ProptestConfig::default(), TestRng::from_seed(RngAlgorithm::ChaCha, &bytes));
            let strategy = proptest::string::string_regex(pattern).unwrap();
            let mask = fitted(name, json!({}), Type::TEXT, UNIQUE).unwrap();
            let mut seen: HashMap<String, String> = HashMap::new();
            for _ in 0..20 {
                let value = strategy.new_tree(&mut runner).unwrap().current();
                let masked = run(&mask, &[&value]).remove(0);
                prop_assert_eq!(&masked, &run(&mask, &[&value])[0], "{} is deterministic", name);
                prop_assert_ne!(&masked, &value, "{}", name);
                if let Some(other) = seen.insert(masked.clone(), value.clone()) {
                    prop_assert_eq!(&other, &value, "{} gives both {}", name, masked);
                }
            }
        }
    }

    #[test]
    fn any_text_is_masked_by_every_mask_within_its_column(value in "(?s).{0,24}") {
        let value = value.replace('\0', "");
        for listed in listing() {
            let options = match listed.name {
                "static" => json!({"value": "x"}),
                "category" => json!({"values": ["x", "y"]}),
                "template" => json!({"template": "{id}"}),
                "password" => json!({"cost": 4}),
                _ => json!({}),
            };
            for kind in [Type::TEXT, varchar(60)] {
                let limit = if kind == Type::TEXT { usize::MAX } else { 60 };
                let Ok(mask) = fitted(listed.name, options.clone(), kind, REPEATS) else {
                    continue;
                };
                let masked = run(&mask, &[&value]).remove(0);
                prop_assert!(masked.chars().count() <= limit, "{} {}", listed.name, masked);
                if value.is_empty() && !matches!(listed.name, "null" | "static" | "redact" | "password") {
                    prop_assert_eq!(&masked, "");
                }
                let is_word = value.chars().any(|c| c.is_ascii_alphanumeric());
                if is_word && !matches!(listed.name, "scrub" | "null" | "template" | "static" | "category") {
                    prop_assert_ne!(&masked, &value, "{}", listed.name);
                }
            }
        }
    }
}

//! The mask `fake`: realistic, of its kind and language, the same for the same value.

#![allow(clippy::unwrap_used, clippy::panic)]

mod support;

use masking::{ColumnFacts, Equal, Key, Mask, Pseudonyms, RowMask, TableFacts, Type, Uniqueness};
use pg_dump_archive::copy;
use rlibphonenumber::{Region, PHONE_NUMBER_UTIL};
use serde_json::{json, Value};
use std::collections::HashSet;
use std::sync::Arc;
use support::FAKE_KINDS;

struct Given {
    column: &'static str,
    options: Value,
    limit: Option<usize>,
    unique: bool,
    utf8: bool,
    secret: &'static str,
}

fn given(column: &'static str, options: Value) -> Given {
    Given {
        column,
        options,
        limit: None,
        unique: false,
        utf8: true,
        secret: "0123456789abcdef",
    }
}

impl Given {
    fn compiled(&self) -> Result<Arc<RowMask>, String> {
        let column = ColumnFacts {
            name: self.column.into(),
            kind: Type::Text {
                limit: self.limit,
                padded: false,
                ignores_case: false,
            },
            not_null: false,
            unique: Uniqueness {
                distinct: self.unique,
                tells_case_apart: self.unique,
                counts_nulls: false,
                equal: Equal::Bytes,
            },
        };
        let table = TableFacts {
            name: "public.people".into(),
            columns: vec![column],
            key: Vec::new(),
            key_is_enforced: false,
            checks: Default::default(),
            genders: Default::default(),
        };
        let pseudonyms = Pseudonyms {
            key: Key::new(&self.secret.into()),
            email_domain: "demo.example.com".into(),
            utf8: self.utf8,
            staging_password: None,
            helpers: Default::default(),
        };
        let mask = Mask::named("fake", self.options.as_object().unwrap())
            .map_err(|invalid| format!("{invalid:?}"))?;
        RowMask::new(&table, &[(0, mask)], &pseudonyms)
            .map(Arc::new)
            .map_err(|unfit| unfit[0].to_string())
    }

    /// What a hundred values, or those given, become.
    fn masked(&self, values: &[String]) -> Vec<String> {
        let mask = self.compiled().unwrap_or_else(|problem| panic!("{problem}"));
        let mut rows = Vec::new();
        for value in values {
            copy::encode(Some(value.as_bytes()), &mut rows);
            rows.push(b'\n');
        }
        let (mut masker, mut out) = (mask.masker(), Vec::new());
        masker.mask_piece(&rows, &mut out).unwrap();
        assert_eq!(masker.counts().columns[0].violations, 0);
        let text = String::from_utf8(out).unwrap();
        text.lines().map(str::to_owned).collect()
    }
}

fn people(count: usize) -> Vec<String> {
    (0..count).map(|number| format!("person {number}")).collect()
}

#[test]
fn each_kind_in_each_language_is_deterministic_varied_and_another_under_another_key() {
    for locale in ["fr", "en", "de", "it", "nl"] {
        for kind in FAKE_KINDS {
            if kind == "phone" && matches!(locale, "it" | "nl") {
                continue;
            }
            let given = given("value", json!({"kind": kind, "locale": locale}));
            let (values, masked) = (people(200), given.masked(&people(200)));
            assert_eq!(masked, given.masked(&values), "{kind} {locale}");
            let varied: HashSet<&String> = masked.iter().collect();
            assert!(varied.len() > 25, "{kind} {locale} has {}", varied.len());
            let other = Given {
                secret: "another key of 16",
                ..given
            };
            assert_ne!(masked, other.masked(&values), "{kind} {locale}");
            for text in &masked {
                assert!(
                    !text.contains("  ") && text.trim() == text,
                    "{kind} {locale}: {text}"
                );
            }
        }
    }
}

#[test]
fn null_stays_null_empty_stays_empty_and_no_name_becomes_itself() {
    let given = given("first_name", json!({"locale": "en"}));
    let mask = given.compiled().unwrap();
    let mut out = Vec::new();
    mask.masker().mask_piece(b"\\N\n\n", &mut out).unwrap();
    assert_eq!(out, b"\\N\n\n");
    // Pseudonyms are names of the list: masked once more, none stays.
    let names = given.masked(&people(3000));
    for (name, masked) in names.iter().zip(given.masked(&names)) {
        assert_ne!(*name, masked);
    }
}

#[test]
fn the_kind_is_what_the_columns_name_says() {
    for (column, looks_right) in [
        ("first_name", (|text| !text.contains(' ')) as fn(&str) -> bool),
        ("prenom", |text| !text.contains(' ')),
        ("full_name", |text| text.contains(' ')),
        ("zip_code", |text| {
            text.len() == 5 && text.bytes().all(|byte| byte.is_ascii_digit())
        }),
        ("e-mail", |text| text.ends_with("@demo.example.com")),
        ("address_line1", |text| {
            text.starts_with(|c: char| c.is_ascii_digit())
        }),
    ] {
        for text in given(column, json!({})).masked(&people(20)) {
            assert!(looks_right(&text), "{column}: {text}");
        }
    }
}

#[test]
fn telephone_numbers_are_valid_and_belong_to_no_one() {
    for (locale, region) in [("fr", Region::FR), ("en", Region::US), ("de", Region::DE)] {
        for number in given("phone", json!({"locale": locale})).masked(&people(100)) {
            let parsed = PHONE_NUMBER_UTIL.parse(&number, Some(region)).unwrap();
            assert!(PHONE_NUMBER_UTIL.is_valid_number(&parsed), "{number}");
        }
    }
    for number in given("phone", json!({})).masked(&people(100)) {
        let known = ["01 99 00", "02 61 91", "03 53 01", "04 65 71", "05 36 49"];
        assert!(known.iter().any(|range| number.starts_with(range)), "{number}");
    }
}

#[test]
fn under_a_unique_index_values_stay_distinct_by_construction() {
    for kind in FAKE_KINDS {
        let given = Given {
            unique: true,
            ..given("value", json!({"kind": kind}))
        };
        if matches!(kind, "phone" | "postal_code") {
            let problem = given.compiled().unwrap_err();
            assert!(
                problem.contains(&format!(r#""mask_fake_too_few","sort":"{kind}""#)),
                "{problem}"
            );
            continue;
        }
        let masked = given.masked(&people(5000));
        assert_eq!(masked.iter().collect::<HashSet<_>>().len(), 5000, "{kind}");
    }
}

#[test]
fn what_is_written_fits_the_column_and_a_column_too_short_is_refused() {
    for kind in FAKE_KINDS {
        for limit in 1..60 {
            let given = Given {
                limit: Some(limit),
                ..given("value", json!({"kind": kind}))
            };
            match given.compiled() {
                Ok(_) => {
                    let longest = given
                        .masked(&people(300))
                        .iter()
                        .map(|text| text.chars().count())
                        .max();
                    assert!(
                        limit > 4 && longest <= Some(limit),
                        "{kind} in {limit}: {longest:?}"
                    );
                }
                Err(problem) => assert!(problem.contains("mask_fake_too_long"), "{problem}"),
            }
        }
    }
}

#[test]
fn names_have_their_accents_where_the_backup_is_in_utf_8_and_none_elsewhere() {
    let given = given("first_name", json!({}));
    assert!(!given.masked(&people(200)).iter().all(|name| name.is_ascii()));
    let ascii = Given { utf8: false, ..given };
    assert!(ascii.masked(&people(200)).iter().all(|name| name.is_ascii()));
}

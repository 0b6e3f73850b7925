//! What holds of every mask of the catalogue, on random input. The masks and the values come from the catalogue, so that
//! none goes without. What has check digits is checked in the masks' own files by programs that are built differently from
//! the engine's: long division of the written number, tables, digit sums.

#![allow(clippy::unwrap_used)]

use super::catalogue::cases;
use super::entry::Mask;
use super::misfit::Misfit;
use super::row_mask::RowMask;
use super::table::TableFacts;
use super::testing::{column, compiled, masked, pseudonyms, table, values};
use super::types::Type;
use pg_dump_archive::copy;
use serde_json::{json, Map, Value};
use std::collections::HashMap;
use std::sync::Arc;

#[test]
fn a_mask_is_deterministic_right_for_its_kind_and_never_the_original() {
    for (number, case) in cases().iter().enumerate() {
        let values = values(case.values, 300, number as u8);
        let mask = compiled(case, false).unwrap();
        let new = masked(&mask, &values);
        assert_eq!(
            new,
            masked(&compiled(case, false).unwrap(), &values),
            "{}",
            case.mask
        );
        for (old, new) in values.iter().zip(&new) {
            assert!(
                (case.check)(old, new),
                "{} {}: {old} became {new}",
                case.mask,
                case.options
            );
            assert!(
                !case.changes || old != new,
                "{} {}: {old} stayed",
                case.mask,
                case.options
            );
        }
    }
}

#[test]
fn null_stays_null_and_empty_text_stays_empty() {
    for case in cases() {
        let mask = compiled(&case, false).unwrap();
        assert_eq!(masked(&mask, &["\\N".into()]), ["\\N"], "{}", case.mask);
        // What is empty is made NULL by :null alone.
        let says_null = case.mask == "null";
        if (case.kind)() == Type::TEXT && !says_null {
            assert_eq!(masked(&mask, &[String::new()]), [""], "{}", case.mask);
        }
    }
}

#[test]
fn under_a_unique_index_different_values_stay_different_or_the_plan_refuses_the_mask() {
    for (number, case) in cases().iter().enumerate() {
        match compiled(case, true) {
            Err(unfit) => {
                assert!(!case.keeps_distinct, "{}: {unfit}", case.mask);
                let is_said = matches!(
                    unfit.misfit,
                    Misfit::Repeats { .. }
                        | Misfit::NullsAlike { .. }
                        | Misfit::TooSmall { .. }
                        | Misfit::FakeTooFew { .. }
                        | Misfit::TemplateWithoutKey
                );
                assert!(is_said, "{unfit}");
            }
            Ok(mask) => {
                assert!(case.keeps_distinct, "{} should be refused", case.mask);
                let values = values(case.values, 2000, 100 + number as u8);
                let mut seen: HashMap<String, String> = HashMap::new();
                for (old, new) in values.iter().zip(masked(&mask, &values)) {
                    if let Some(other) = seen.insert(new.clone(), old.clone()) {
                        // A template is made of the row's id, and NULLs are not the same.
                        assert!(
                            new == "\\N" || other == *old,
                            "{}: {old} and {other} became {new}",
                            case.mask
                        );
                    }
                }
            }
        }
    }
}

#[test]
fn what_is_written_fits_a_column_that_the_plan_admits() {
    for (number, case) in cases()
        .iter()
        .enumerate()
        .filter(|(_, case)| (case.kind)() == Type::TEXT)
    {
        for limit in [3usize, 8, 15, 22, 40, 64] {
            let options: Map<String, Value> = serde_json::from_str(case.options).unwrap();
            let kind = Type::Text {
                limit: Some(limit),
                padded: false,
                ignores_case: false,
            };
            let table = TableFacts {
                key: Vec::new(),
                key_is_enforced: false,
                ..table(vec![column("value", kind)])
            };
            let options = if case.mask == "template" {
                Map::from_iter([(
                    "template".to_owned(),
                    json!("a longer text than some columns hold"),
                )])
            } else {
                options
            };
            let mask = Mask::named(case.mask, &options).unwrap();
            let Ok(mask) = RowMask::new(&table, &[(0, mask)], &pseudonyms()) else {
                continue;
            };
            let (mut masker, mut rows, mut out) = (Arc::new(mask).masker(), Vec::new(), Vec::new());
            for value in values(case.values, 100, number as u8) {
                let value: String = value.chars().take(limit).collect();
                copy::encode(Some(value.as_bytes()), &mut rows);
                rows.push(b'\n');
            }
            masker.mask_piece(&rows, &mut out).unwrap();
            let mut scratch = Vec::new();
            for field in out.split(|byte| *byte == b'\n') {
                let value = copy::decode(field, &mut scratch).unwrap_or_default();
                let length = std::str::from_utf8(value).unwrap().chars().count();
                assert!(
                    length <= limit,
                    "{} in {limit}: {}",
                    case.mask,
                    String::from_utf8_lossy(value)
                );
            }
        }
    }
}

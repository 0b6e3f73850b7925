//! How well personal data is detected, on the corpus that was written for this project; and that the corpus of public
//! schemas is what its README says. What the detector must reach on that one is `bench/pii --check`'s business.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    missing_docs,
    dead_code
)]

#[path = "corpus/measure.rs"]
mod measure;
#[path = "corpus/public.rs"]
mod public;
#[path = "corpus/support.rs"]
mod support;

use measure::measure;
use personal_data::PiiKind;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

#[test]
fn the_untouched_half_is_detected_well() {
    let (scores, _) = measure(&support::read("untouched"));
    assert!(
        scores.together.recall() >= 0.95,
        "recall {:.3}",
        scores.together.recall()
    );
    assert!(
        scores.together.precision() >= 0.90,
        "precision {:.3}",
        scores.together.precision()
    );
}

#[test]
fn the_corpus_is_as_large_and_as_clear_as_promised() {
    let halves = [support::read("tuning"), support::read("untouched")];
    let tables: usize = halves.iter().map(Vec::len).sum();
    let columns: Vec<_> = halves.iter().flatten().flat_map(|table| &table.columns).collect();
    assert!(
        tables >= 60 && columns.len() >= 600,
        "{tables} tables, {} columns",
        columns.len()
    );
    let open = columns
        .iter()
        .filter(|column| column.personal().is_none())
        .count();
    assert!(
        open * 100 <= columns.len() * 7,
        "{open} columns count neither way"
    );
    for column in columns {
        let known = matches!(column.label.as_str(), "-" | "?")
            || PiiKind::ALL.iter().any(|kind| kind.as_str() == column.label);
        assert!(known, "{} is labelled {}", column.name, column.label);
    }
}

#[test]
fn values_are_the_same_every_time() {
    let once = support::read("tuning");
    let again = support::read("tuning");
    for (one, other) in once.iter().zip(&again) {
        for (column, same) in one.columns.iter().zip(&other.columns) {
            assert_eq!(one.value(column, 7), other.value(same, 7));
        }
    }
}

#[test]
fn the_public_schemas_are_many_and_of_seven_languages() {
    let schemas: Vec<_> = ["tuning", "untouched"]
        .map(public::read)
        .into_iter()
        .flatten()
        .collect();
    let columns: Vec<_> = schemas.iter().flat_map(public::Schema::columns).collect();
    assert!(schemas.len() >= 40 && columns.len() >= 10_000);
    for (language, least) in [
        ("fr", 10),
        ("en", 6),
        ("de", 6),
        ("es", 5),
        ("it", 5),
        ("nl", 6),
        ("pt", 6),
    ] {
        let found = schemas
            .iter()
            .filter(|schema| schema.language() == language)
            .count();
        assert!(found >= least, "{found} of {language}");
    }
    let arguable = columns
        .iter()
        .filter(|(_, column)| column.personal().is_none())
        .count();
    assert!(
        arguable * 100 <= columns.len() * 8,
        "{arguable} columns count neither way"
    );
}

#[test]
fn the_untouched_half_of_each_language_is_drawn_by_the_names_hashes() {
    let mut halves: BTreeMap<String, Vec<(String, &str, String)>> = BTreeMap::new();
    for half in ["tuning", "untouched"] {
        for schema in public::read(half) {
            let hash = hex(&Sha256::digest(schema.name.as_bytes()));
            let language = schema.language().to_string();
            halves
                .entry(language)
                .or_default()
                .push((hash, half, schema.name));
        }
    }
    for schemas in halves.values_mut() {
        schemas.sort();
        for (place, (_, half, name)) in schemas.iter().enumerate() {
            let expected = ["untouched", "tuning"][place % 2];
            assert_eq!(*half, expected, "{name}");
        }
    }
}

#[test]
fn a_schema_for_training_is_in_neither_half() {
    let names = |part| public::read(part).into_iter().map(|schema| schema.name);
    let halves: Vec<String> = names("tuning").chain(names("untouched")).collect();
    let training: Vec<String> = names("training").collect();
    assert!(!training.is_empty());
    for name in training {
        assert!(!halves.contains(&name), "{name}");
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn labels_and_values_of_the_public_schemas_are_known_ones() {
    let guide = std::fs::read_to_string(public::root().join("LABELLING.md")).unwrap();
    let kinds: Vec<&str> = guide
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split('`').next())
        .collect();
    assert!(kinds.contains(&"email") && kinds.len() >= 15);
    let values = public::Values::read();
    let framework = public::framework();
    for schema in ["tuning", "untouched", "training", "written"]
        .iter()
        .flat_map(|part| public::read(part))
    {
        for (table, column) in schema.columns() {
            let place = format!("{}: {}.{}", schema.name, table.name, column.name);
            for reading in &column.readings {
                let known = matches!(reading.as_str(), "-" | "?") || kinds.contains(&reading.as_str());
                assert!(known, "{place} is labelled {reading}");
            }
            let filled = column.source == "none" || !values.of(schema.locale(), &column.source).is_empty();
            assert!(filled, "{place} has no values named {}", column.source);
            for [tables, name, label] in &framework {
                if *name == column.name && (tables == "*" || *tables == table.name) {
                    assert_eq!(column.readings, [label.clone(), label.clone()], "{place}");
                }
            }
        }
    }
}

#[test]
fn columns_of_public_schemas_are_filled_the_same_every_time() {
    let (once, again) = (public::Values::read(), public::Values::read());
    let schemas = public::read("tuning");
    let schema = schemas.first().unwrap();
    for (table, column) in schema.columns() {
        let filled = once.fill(schema, table, column, 9);
        assert_eq!(filled, again.fill(schema, table, column, 9));
        assert!(column.nullable || column.source == "none" || filled.len() == 9);
    }
}

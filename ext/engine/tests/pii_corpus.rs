//! How well personal data is detected, on the labelled corpus (see its README).
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    missing_docs,
    dead_code
)]

#[path = "corpus/measure.rs"]
mod measure;
#[path = "corpus/support.rs"]
mod support;

use measure::measure;
use staging_sync_engine::pii::Kind;

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
            || Kind::ALL.iter().any(|kind| kind.as_str() == column.label);
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

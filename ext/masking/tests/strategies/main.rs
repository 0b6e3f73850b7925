//! The documented strategies on awkward rows, without a database.

#![allow(clippy::unwrap_used, clippy::panic)]

mod fitting;
mod ids;
mod rows;
#[path = "../support/mod.rs"]
mod support;
mod values;

use masking::{strategy, ColumnFacts, Mask, MaskError, Pseudonyms, RowMask, TableFacts, Type, Unfit};
use pg_dump_archive::copy;
use proptest::prelude::*;
use std::collections::HashSet;
use std::sync::Arc;
use support::{column, table, unique, varchar};

const DOMAIN: &str = "demo.example.com";
const BIGINT: Type = Type::Integer(8);

fn citext() -> Type {
    Type::Text {
        limit: None,
        padded: false,
        ignores_case: true,
    }
}

fn pseudonyms() -> Pseudonyms {
    support::pseudonyms(DOMAIN)
}

fn not_null(name: &str, kind: Type) -> ColumnFacts {
    ColumnFacts {
        not_null: true,
        ..column(name, kind)
    }
}

/// What a strategy makes of a column.
fn of(name: &str, column: &str) -> Mask {
    strategy(name).unwrap().mask_of(column).unwrap()
}

fn compile(table: &TableFacts, name: &str) -> Result<RowMask, Vec<Unfit>> {
    let strategy = strategy(name).unwrap();
    let masks: Vec<(usize, Mask)> = table
        .columns
        .iter()
        .enumerate()
        .filter_map(|(place, column)| {
            let mask = strategy.mask_of(&column.name)?;
            Some((place, mask))
        })
        .collect();
    RowMask::new(table, &masks, &pseudonyms())
}

fn masked(table: &TableFacts, strategy: &str, rows: &str) -> String {
    let mut masker = Arc::new(compile(table, strategy).unwrap()).masker();
    let mut out = Vec::new();
    masker.mask_piece(rows.as_bytes(), &mut out).unwrap();
    assert!(
        masker
            .counts()
            .columns
            .iter()
            .all(|counts| counts.violations == 0),
        "{:?}",
        masker.counts()
    );
    String::from_utf8(out).unwrap()
}

/// The only masked field of a table of an id and one more column.
fn masked_value(key: Type, column: ColumnFacts, strategy: &str, id: &str, value: &str) -> String {
    let row = masked(
        &table(&[not_null("id", key), column]),
        strategy,
        &format!("{id}\t{value}\n"),
    );
    row.trim_end_matches('\n').split_once('\t').unwrap().1.to_owned()
}

fn problem(column: ColumnFacts, strategy: &str) -> String {
    let problems = compile(&table(&[not_null("id", BIGINT), column]), strategy).unwrap_err();
    assert_eq!(problems.len(), 1);
    problems[0].to_string()
}

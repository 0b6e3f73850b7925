//! Hypertables of TimescaleDB, made anew: by `create_hypertable`, divided as production's newest chunks are. Their rows go in
//! by the table itself, under its rules; the extension makes chunks, with their keys and indexes, as rows come.

mod make;

use super::diagnostics::Diagnostics;
use super::schema::Schema;
use super::{quote_literal, TableName};
use crate::failure::{OptionFault, PlanFailure};
use crate::notice::Notice;
pub(super) use make::{adapted, statements};
use std::collections::{BTreeSet, HashSet};

/// What of them cannot come as it is: compressed rows that would be lost are a problem, other things are warned about.
pub(super) fn check(schema: &Schema, excluded: &HashSet<usize>, kept: &HashSet<usize>) -> Diagnostics {
    let mut diagnostics = Diagnostics::default();
    let found = &schema.hypertables;
    let kept = kept.iter().filter_map(|at| schema.tables.get(*at));
    for table in kept.filter(|table| found.has(&table.name)) {
        diagnostics.problems.add(OptionFault::KeepsHypertable {
            table: table.name.to_string(),
        });
    }
    let undivided: Vec<String> = found
        .tables
        .iter()
        .filter(|(_, table)| !table.is_known())
        .map(|(name, _)| name.to_string())
        .collect();
    if !undivided.is_empty() {
        diagnostics
            .warnings
            .push(Notice::HypertablesPlain { tables: undivided });
    }
    if !found.aggregates.is_empty() {
        let names = found.aggregates.iter().map(ToString::to_string).collect();
        diagnostics.warnings.push(Notice::AggregatesLeftOut { names });
    }
    let compressed = compressed(schema, excluded);
    if !compressed.is_empty() {
        let patterns = compressed.iter().map(|name| format!("{:?}", name.in_rules()));
        diagnostics.problems.add(PlanFailure::CompressedRows {
            tables: compressed.iter().map(ToString::to_string).collect(),
            calls: compressed.iter().map(decompress).collect(),
            patterns: patterns.collect(),
        });
    }
    diagnostics
}

/// The tables that compressed rows belong to, of those whose rows come. Which one it is only the extension's catalogue says,
/// so it is any that has the same columns; where none has, it is the extension's own table.
fn compressed(schema: &Schema, excluded: &HashSet<usize>) -> BTreeSet<TableName> {
    let mut found = BTreeSet::new();
    for (name, columns) in &schema.hypertables.compressed {
        let owners: Vec<usize> = schema
            .hypertables
            .tables
            .keys()
            .filter_map(|name| schema.table(name))
            .collect();
        let mut owners = owners
            .into_iter()
            .filter(|at| has_columns(schema, *at, columns))
            .peekable();
        if owners.peek().is_none() {
            found.insert(name.clone());
        }
        found.extend(
            owners
                .filter(|at| !excluded.contains(at))
                .map(|at| schema.tables[at].name.clone()),
        );
    }
    found
}

fn has_columns(schema: &Schema, table: usize, columns: &BTreeSet<String>) -> bool {
    let own = &schema.tables[table].columns;
    own.len() == columns.len() && own.iter().all(|column| columns.contains(&column.name))
}

fn decompress(table: &TableName) -> String {
    format!(
        "SELECT decompress_chunk(c, true) FROM show_chunks({}) c",
        quote_literal(&table.sql())
    )
}

#[cfg(test)]
mod tests;

//! Hypertables of TimescaleDB, made anew: by `create_hypertable`, divided as production's newest chunks are. Their rows go in
//! by the table itself, under its rules; the extension makes chunks, with their keys and indexes, as rows come.

mod make;

use super::diagnostics::Diagnostics;
use super::schema::Schema;
use super::TableName;
use crate::text::{text, Setting};
pub(super) use make::{adapted, statements};
use std::collections::{BTreeSet, HashSet};

/// What of them cannot come as it is: compressed rows that would be lost are a problem, other things are warned about.
pub(super) fn check(schema: &Schema, excluded: &HashSet<usize>, kept: &HashSet<usize>) -> Diagnostics {
    let mut diagnostics = Diagnostics::default();
    let found = &schema.hypertables;
    let kept = kept.iter().filter_map(|at| schema.tables.get(*at));
    for table in kept.filter(|table| found.has(&table.name)) {
        diagnostics.problems.add(format!(
            "keep_tables: {} is a hypertable of TimescaleDB, whose rows cannot be kept. Remove it from keep_tables.",
            table.name
        ));
    }
    let undivided: Vec<String> = found
        .tables
        .iter()
        .filter(|(_, table)| !table.is_known())
        .map(|(name, _)| name.to_string())
        .collect();
    if !undivided.is_empty() {
        diagnostics.warnings.push(format!(
            "Hypertables of TimescaleDB that have no chunks in the backup come as plain tables, because chunks alone say \
             how they are divided: {}.",
            undivided.join(", ")
        ));
    }
    if !found.aggregates.is_empty() {
        let names: Vec<String> = found.aggregates.iter().map(ToString::to_string).collect();
        diagnostics.warnings.push(format!(
            "Continuous aggregates of TimescaleDB are left out: {}. Create them in the target after the run, as in production.",
            names.join(", ")
        ));
    }
    let compressed = compressed(schema, excluded);
    if !compressed.is_empty() {
        let names: Vec<String> = compressed.iter().map(ToString::to_string).collect();
        let calls: Vec<String> = compressed.iter().map(decompress).collect();
        let patterns: Vec<String> = compressed
            .iter()
            .map(|name| format!("{:?}", name.in_rules()))
            .collect();
        diagnostics.problems.add(text!(
            format!(
                "The backup has compressed rows of TimescaleDB, which cannot be read, of {}. Decompress them in production \
                 before the backup is taken ({}), or leave them out: add [{}] to ",
                names.join(", "),
                calls.join("; "),
                patterns.join(", ")
            ),
            Setting::ExcludeTables,
            ".",
        ));
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
    let name = table.sql().replace('\'', "''");
    format!("SELECT decompress_chunk(c, true) FROM show_chunks('{name}') c")
}

#[cfg(test)]
mod tests;

//! What rules in SQL did, for the report.

use crate::notice::Mismatch;
use crate::plan::sql_rules::{SqlGroup, SqlStatement};
use masking::{Becomes, ColumnCounts};
use pg_dump_archive::DumpId;

/// What a rule in SQL did to a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SqlChange {
    /// The rule, in the words of the configuration.
    pub rule: String,
    /// The columns that it set; none for a DELETE.
    pub columns: Vec<SqlColumn>,
    /// Rows that it changed or deleted.
    pub rows: u64,
}

/// What a rule in SQL, or one with a condition, did to a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SqlColumn {
    /// Its name.
    pub name: String,
    /// What it became.
    pub mask: Becomes,
    /// What became of its values. Of SQL, rows that it left alone count as kept.
    pub counts: ColumnCounts,
}

/// What became of a group.
#[derive(Debug, Default)]
pub(crate) struct Finished {
    /// Per table: rows that are in the real one now.
    pub(crate) rows: Vec<u64>,
    /// What each statement did.
    pub(crate) changed: Vec<Changed>,
    /// What verification found, where that is no failure.
    pub(crate) warnings: Vec<Mismatch>,
}

/// What a statement did.
#[derive(Debug, Default)]
pub(crate) struct Changed {
    /// Rows that it changed or deleted.
    pub(crate) rows: u64,
    /// What became of each column that it sets, or that it chose pseudonyms for.
    pub(crate) columns: Vec<ColumnCounts>,
}

/// What rules in SQL came to for one load: rows that are left of it, and what they did.
pub(crate) type LoadChanges = (DumpId, u64, Vec<SqlChange>);

impl Finished {
    /// The same by load; `stored` says how many rows of it were copied. Partitions are moved together: what was
    /// done to them stands with the first, and only a DELETE leaves open which of them a row is gone from.
    pub(crate) fn by_load(&self, group: &SqlGroup, stored: impl Fn(DumpId) -> u64) -> Vec<LoadChanges> {
        let mut changes_by_load = Vec::new();
        for (place, table) in group.tables.iter().enumerate() {
            let mut left = self.rows.get(place).copied().unwrap_or(0);
            let statements = group.statements.iter().zip(&self.changed);
            let mut changes: Vec<SqlChange> = statements
                .filter(|(statement, _)| statement.table == place)
                .map(|(statement, changed)| sql_change(statement, changed))
                .collect();
            for (at, id) in table.loads.iter().enumerate() {
                let rows = if at + 1 == table.loads.len() {
                    left
                } else {
                    left.min(stored(*id))
                };
                left -= rows;
                changes_by_load.push((*id, rows, std::mem::take(&mut changes)));
            }
        }
        changes_by_load
    }
}

/// What to report of a statement.
fn sql_change(statement: &SqlStatement, changed: &Changed) -> SqlChange {
    let by_sql = || Becomes::BySql {
        rule: statement.rule.clone(),
    };
    let set = statement.columns.iter().map(|column| (column, by_sql()));
    let chosen = statement
        .choices
        .iter()
        .map(|choice| (&choice.column, choice.mask.clone()));
    let columns = set.chain(chosen).zip(&changed.columns);
    SqlChange {
        rule: statement.rule.clone(),
        columns: columns
            .map(|((name, mask), counts)| SqlColumn {
                name: name.clone(),
                mask,
                counts: *counts,
            })
            .collect(),
        rows: changed.rows,
    }
}

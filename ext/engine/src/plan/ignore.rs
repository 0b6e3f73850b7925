//! `config.pii_ignore`: columns that are known not to be personal, and not to act outside.

use crate::failure::OptionFault;
use crate::notice::Notice;
use crate::plan::names::{literal, NamePattern};
use crate::plan::schema::Schema;
use crate::plan::{Diagnostics, TableName};
use crate::settings::Ignored;

/// The patterns, each with its reason.
#[derive(Debug, Default)]
pub(in crate::plan) struct Ignores(Vec<(NamePattern, NamePattern, String)>);

impl Ignores {
    /// Reads the patterns. One that matches no column is a warning: the column may come with a later migration.
    pub(in crate::plan) fn read(entries: &[Ignored], schema: &Schema) -> (Self, Diagnostics) {
        let mut diagnostics = Diagnostics::default();
        let mut ignores = Ignores::default();
        for entry in entries {
            let Some((table, column)) = split(&entry.column) else {
                diagnostics.problems.add(OptionFault::IgnoresNoColumn {
                    text: entry.column.clone(),
                });
                continue;
            };
            let found = schema.tables.iter().any(|known| {
                table.matches(&known.name)
                    && known.columns.iter().any(|one| column.matches(&alone(&one.name)))
            });
            if !found {
                diagnostics.warnings.push(Notice::IgnoresNothing {
                    column: entry.column.clone(),
                });
            }
            ignores.0.push((table, column, entry.reason.clone()));
        }
        (ignores, diagnostics)
    }

    /// Why a column is ignored, if it is.
    pub(in crate::plan) fn reason(&self, table: &TableName, column: &str) -> Option<String> {
        let fits = |(of_table, of_column, _): &&(NamePattern, NamePattern, String)| {
            of_table.matches(table) && of_column.matches(&alone(column))
        };
        self.0.iter().find(fits).map(|(_, _, reason)| reason.clone())
    }
}

/// A column as [`Ignores::read`] reads it.
pub(in crate::plan) fn in_ignores(table: &TableName, column: &str) -> String {
    format!(
        "{}.{}.{}",
        literal(&table.schema),
        literal(&table.name),
        literal(column)
    )
}

/// A name as a pattern of one part sees it.
fn alone(name: &str) -> TableName {
    TableName::new("", name)
}

/// The table's and the column's part, parted at the last dot outside quotes.
fn split(text: &str) -> Option<(NamePattern, NamePattern)> {
    let mut quoted = false;
    let mut dot = None;
    for (at, c) in text.char_indices() {
        match c {
            '"' => quoted = !quoted,
            '.' if !quoted => dot = Some(at),
            _ => {}
        }
    }
    let (table, column) = text.split_at(dot?);
    Some((NamePattern::parse(table)?, NamePattern::parse(&column[1..])?))
}

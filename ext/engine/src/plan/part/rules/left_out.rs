//! Rules of tables whose rows stay out: they may decide about rows of others.

use super::super::compare::{compared, nature};
use super::super::names::table_shown;
use super::super::value::value_type;
use super::super::{PartColumn, Relation};
use super::{merged, read, Ruled, Rules};
use crate::notice::Notice;
use crate::plan::diagnostics::Warnings;
use crate::plan::schema::Schema;
use crate::plan::Problems;
use crate::settings::TableRule;

impl Rules {
    /// Warns of entries that choose nothing. `has_effect`: whether a table's rows come, or decide which of others do.
    pub(in crate::plan::part) fn warn_of_idle(
        &self,
        schema: &Schema,
        has_effect: impl Fn(usize) -> bool,
        warnings: &mut Warnings,
    ) {
        let heirs = |table: usize| self.inherited.iter().filter(move |(_, of)| **of == table);
        let acts = |table: usize| has_effect(table) || heirs(table).any(|(heir, _)| has_effect(*heir));
        for (written, tables) in &self.named {
            if tables.is_empty() || tables.iter().any(|table| acts(*table)) {
                continue;
            }
            let entry = written.clone();
            warnings.push(match tables[..] {
                [table] => Notice::PartRuleIdle {
                    entry,
                    table: table_shown(&schema.tables[table].name),
                },
                _ => Notice::PartPatternIdle { entry },
            });
        }
    }
}

/// The entries that name a table.
#[derive(Default)]
pub(super) struct Entries<'s> {
    /// Those that are checked for it.
    pub(super) checked: Vec<&'s TableRule>,
    /// Those that are checked for others that they name: its rows stay out, perhaps because they do not fit.
    pub(super) beside: Vec<&'s TableRule>,
}

impl Entries<'_> {
    /// The rule that all of them make, where some are not checked and nothing is wrong with any.
    pub(super) fn fitting(&self, table: usize, schema: &Schema) -> Option<Ruled> {
        if self.beside.is_empty() {
            return None;
        }
        let mut problems = Problems::default();
        let all: Vec<&TableRule> = self.checked.iter().chain(&self.beside).copied().collect();
        let merged = merged(&all, table, schema, &mut problems);
        let ruled = read(*merged.first()?, table, schema, &mut problems);
        problems.is_empty().then_some(Ruled {
            is_checked: !self.checked.is_empty(),
            ..ruled
        })
    }
}

/// A table without a row, and what its rule reads of it.
pub(in crate::plan::part) fn asked_about(table: usize, ruled: &Ruled, schema: &Schema) -> Relation {
    let columns = ruled.reads.iter().map(|name| PartColumn {
        compared: compared(&[nature(schema, table, name)])[0],
        is_key: false,
        kind: value_type(schema, table, name),
        name: name.clone(),
    });
    Relation {
        table: schema.tables[table].name.clone(),
        blocks: Vec::new(),
        columns: columns.collect(),
        rule: ruled.rule.clone(),
        is_excluded: true,
    }
}

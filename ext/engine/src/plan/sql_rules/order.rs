//! Rules run in the order of the configuration, so one that reads a column which a later one masks sees it raw.

use super::temporaries::Temporaries;
use super::Prepared;
use crate::notice::Notice;
use crate::plan::parse::folded;
use crate::plan::schema::Schema;
use crate::plan::walk;
use crate::plan::Warnings;
use sqlparser::ast::{Expr, Ident, Statement};
use std::collections::BTreeSet;

/// The names in a statement that may be other tables' columns, or other tables: all but those that are its own table's,
/// which is called `qualifier` there.
pub(super) fn sees(
    statement: &Statement,
    own: usize,
    qualifier: &Ident,
    schema: &Schema,
) -> BTreeSet<String> {
    let (own, qualifier) = (&schema.tables[own], folded(qualifier));
    let mut found = BTreeSet::new();
    walk::expressions(statement, |depth, expression| match expression {
        Expr::Identifier(name) => {
            let name = folded(name);
            let is_own = depth == 0 && own.columns.iter().any(|column| column.name == name);
            if !is_own {
                found.insert(name);
            }
        }
        Expr::CompoundIdentifier(parts) => {
            let parts: Vec<String> = parts.iter().map(folded).collect();
            if let [.., table, column] = parts.as_slice() {
                if *table != qualifier && *table != own.name.name {
                    found.insert(column.clone());
                }
            }
        }
        _ => {}
    });
    found
}

/// Warns of statements that read what a later one masks.
pub(super) fn warn_of_raw(
    prepared: &[Prepared],
    temporaries: &Temporaries<'_>,
    schema: &Schema,
    warnings: &mut Warnings,
) {
    for (at, one) in prepared.iter().enumerate() {
        let own = temporaries.family(one.own);
        for later in &prepared[at + 1..] {
            if own.contains(&later.own) || !one.named.contains(&later.own) {
                continue;
            }
            let table = &schema.tables[later.own].name;
            let whole = one.sees.contains(&table.name);
            let column = later
                .columns
                .iter()
                .find(|column| whole || one.sees.contains(*column));
            if let Some(column) = column {
                warnings.push(Notice::ReadsBeforeMasked {
                    rule: one.rule.clone(),
                    column: format!("{table}.{column}"),
                    later: later.rule.clone(),
                });
            }
        }
    }
}

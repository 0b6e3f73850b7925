//! Rules run in the order of the configuration, so one that reads a column which a later one masks sees it raw.

use super::parse::folded;
use super::temporaries::Temporaries;
use super::Prepared;
use crate::plan::schema::{Schema, Table};
use sqlparser::ast::{Expr, Ident, Query, Statement, Visit, Visitor};
use std::collections::BTreeSet;
use std::ops::ControlFlow;

/// The names in a statement that may be other tables' columns, or other tables: all but those that are its own table's,
/// which is called `qualifier` there.
pub(super) fn sees(
    statement: &Statement,
    own: usize,
    qualifier: &Ident,
    schema: &Schema,
) -> BTreeSet<String> {
    struct Finder<'a> {
        depth: usize,
        own: &'a Table,
        qualifier: String,
        found: BTreeSet<String>,
    }
    impl Visitor for Finder<'_> {
        type Break = ();
        fn pre_visit_query(&mut self, _: &Query) -> ControlFlow<()> {
            self.depth += 1;
            ControlFlow::Continue(())
        }
        fn post_visit_query(&mut self, _: &Query) -> ControlFlow<()> {
            self.depth -= 1;
            ControlFlow::Continue(())
        }
        fn pre_visit_expr(&mut self, expression: &Expr) -> ControlFlow<()> {
            match expression {
                Expr::Identifier(name) => {
                    let name = folded(name);
                    let is_own = self.depth == 0 && self.own.columns.iter().any(|column| column.name == name);
                    if !is_own {
                        self.found.insert(name);
                    }
                }
                Expr::CompoundIdentifier(parts) => {
                    let parts: Vec<String> = parts.iter().map(folded).collect();
                    if let [.., table, column] = parts.as_slice() {
                        if *table != self.qualifier && *table != self.own.name.name {
                            self.found.insert(column.clone());
                        }
                    }
                }
                _ => {}
            }
            ControlFlow::Continue(())
        }
    }
    let mut finder = Finder {
        depth: 0,
        own: &schema.tables[own],
        qualifier: folded(qualifier),
        found: BTreeSet::new(),
    };
    let _ = statement.visit(&mut finder);
    finder.found
}

/// Warns of statements that read what a later one masks.
pub(super) fn warn_of_raw(
    prepared: &[Prepared],
    temporaries: &Temporaries<'_>,
    schema: &Schema,
    warnings: &mut Vec<String>,
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
                warnings.push(format!(
                    "{} reads {table}.{column} before {} masks it, so it sees what production holds. Put that entry \
                     first.",
                    one.rule, later.rule
                ));
            }
        }
    }
}

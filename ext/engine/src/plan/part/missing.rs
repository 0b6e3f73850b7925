//! `on_missing`: what is wrong with the columns that it names.

use super::names::{column_shown, table_shown};
use super::references::References;
use super::rules::Ruled;
use crate::failure::{PartFault, SubsetFault};
use crate::notice::Notice;
use crate::plan::schema::Schema;
use crate::plan::Diagnostics;

/// Checks the columns of a table's rule, whether or not the table's rows come.
pub(super) fn check(
    table: usize,
    ruled: &Ruled,
    references: &References,
    schema: &Schema,
    diagnostics: &mut Diagnostics,
) {
    // What is said of several tables need not fit each.
    if ruled.by_pattern {
        return;
    }
    let known = &schema.tables[table];
    let table_name = || table_shown(&known.name);
    // A key of a partition is one of the whole. Of a reference that is wrong it is known that there is to be one.
    let own = |from: usize| schema.topmost(from) == table;
    let has_any = references.found.iter().map(|one| one.from).any(own);
    if ruled.nullify_all && !has_any && !references.wrong.iter().any(|(from, _)| own(*from)) {
        diagnostics.warnings.push(Notice::NullsNothing {
            entry: ruled.written.clone(),
            table: table_name(),
        });
    }
    for name in ruled.nullify.iter().filter(|name| known.column(name).is_some()) {
        let of_column = references.found.iter();
        let mut of_column = of_column
            .filter(|one| own(one.from) && one.columns.contains(name))
            .peekable();
        let is_to_be = |(from, columns): &(usize, Vec<String>)| own(*from) && columns.contains(name);
        let (table, column) = (table_name(), column_shown(name));
        let fault = if of_column.peek().is_none() && !references.wrong.iter().any(is_to_be) {
            PartFault::NullsNoReference { table, column }
        } else if of_column.any(|one| one.nullable(schema, &references.found).is_empty()) {
            PartFault::NullsNever { table, column }
        } else {
            continue;
        };
        let entry = ruled.written.clone();
        diagnostics.problems.add(SubsetFault::In { entry, fault });
    }
}

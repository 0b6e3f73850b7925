//! `on_missing`: what is wrong with the columns that it names.

use super::references::References;
use super::rules::Ruled;
use crate::plan::schema::Schema;
use crate::plan::Problems;

/// Checks the columns of a table's rule, whether or not the table's rows come.
pub(super) fn check(
    table: usize,
    ruled: &Ruled,
    references: &References,
    schema: &Schema,
    problems: &mut Problems,
) {
    let known = &schema.tables[table];
    for name in ruled.nullify.iter().filter(|name| known.column(name).is_some()) {
        let of_column = references.found.iter().filter(|one| {
            // A key of a partition is one of the whole.
            schema.topmost(one.from) == table && one.columns.contains(name)
        });
        let mut of_column = of_column.peekable();
        // Of a reference that is wrong it is known that there is to be one.
        let is_to_be =
            |(from, columns): &(usize, Vec<String>)| schema.topmost(*from) == table && columns.contains(name);
        if of_column.peek().is_none() && !references.wrong.iter().any(is_to_be) {
            problems.add(format!(
                "{}: on_missing: no reference of {} has the column {name}. Declare it in subset_references, or remove it.",
                ruled.written, known.name
            ));
        } else if of_column.any(|one| one.nullable(schema, &references.found).is_empty()) {
            problems.add(format!(
                "{}: on_missing: {name} cannot become NULL in {}. Remove it; its rows go with those that they refer to.",
                ruled.written, known.name
            ));
        }
    }
}

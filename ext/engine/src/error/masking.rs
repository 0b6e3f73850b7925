//! What a row that cannot be masked, and a mask that does not fit its column, mean to the caller.

use super::{About, Error, Kind};
use crate::failure::{ArchiveFailure, ArchiveRemedy, MaskFailure, MaskFault, MaskRemedy};
use crate::text::Text;
use masking::{MaskError, Misfit, Unfit};

impl From<MaskError> for Error {
    fn from(error: MaskError) -> Self {
        match error {
            MaskError::Fields {
                table,
                found,
                columns,
            } => {
                let about = About::table(&table);
                let missing = ArchiveFailure::FieldsMissing {
                    table,
                    count: found,
                    columns,
                };
                Error::new(Kind::Archive, missing, ArchiveRemedy::DamagedTakeAnother).about(about)
            }
            MaskError::Cut { table } => Error::internal(format!(
                "A piece of the rows of {table} does not end with a row's end."
            ))
            .about(About::table(table)),
            MaskError::TooLong { table, column } => too_long(&table, &column),
            MaskError::CheckNotMet { table, column, check } => check_not_met(&table, &column, &check),
        }
    }
}

fn too_long(table: &str, column: &str) -> Error {
    let about = About::table(table).column(column);
    let column = format!("{table}.{column}");
    let what = MaskFailure::TooLongForIndex { column };
    Error::new(Kind::Plan, what, MaskRemedy::WidenColumn).about(about)
}

fn check_not_met(table: &str, column: &str, check: &str) -> Error {
    let about = About::table(table).column(column);
    let (column, check) = (format!("{table}.{column}"), check.to_owned());
    let what = MaskFailure::CheckNotMet { column, check };
    Error::new(Kind::Plan, what, MaskRemedy::TakeMaskForCheck).about(about)
}

impl From<&Unfit> for About {
    fn from(unfit: &Unfit) -> Self {
        About::table(&unfit.table).column(&unfit.column)
    }
}

impl From<&Unfit> for Text {
    fn from(unfit: &Unfit) -> Self {
        let (column, misfit) = column_and_misfit(unfit);
        MaskFault::Unfit { column, misfit }.into()
    }
}

/// What does not fit, as a fault of a rule.
pub(crate) fn unfit_of_rule(rule: String, unfit: &Unfit) -> MaskFault {
    let (column, misfit) = column_and_misfit(unfit);
    MaskFault::OfRule { rule, column, misfit }
}

fn column_and_misfit(unfit: &Unfit) -> (String, Misfit) {
    let column = format!("{}.{}", unfit.table, unfit.column);
    (column, unfit.misfit.clone())
}

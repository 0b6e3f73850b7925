//! What a row that cannot be masked means to the caller.

use super::{Error, Kind};
use crate::text::{Suggested, Text};
use masking::RowError;
use personal_data::Suggestion;

impl From<RowError> for Error {
    fn from(error: RowError) -> Self {
        match error {
            RowError::Fields { table, found, columns } => Error::new(
                Kind::Archive,
                format!("A row of {table} has {found} fields where its data block has {columns} columns."),
                "The backup is damaged: take another one.",
            ),
            RowError::Cut { table } => Error::internal(format!(
                "A piece of the rows of {table} does not end with a row's end."
            )),
            RowError::TooLong { table, column } => Error::new(
                Kind::Plan,
                format!(
                    "The column {table}.{column} is under a unique index, and what a row's distinct pseudonym is made \
                     from is longer than fits into it."
                ),
                "Widen the column in production, or exclude the table.",
            ),
            RowError::NothingPasses { table, column, check } => Error::new(
                Kind::Plan,
                format!(
                    "The column {table}.{column} has the CHECK \"{check}\", and for the value of a row no pseudonym was \
                     found that it takes."
                ),
                Text::from("Give the column a rule with a mask that writes what the CHECK takes: ")
                    .suggesting(Suggested::Mask(Suggestion::with("template", "template", "…{id}")))
                    .and("; where it is under no unique index, ")
                    .suggesting(Suggested::Mask(Suggestion::with("static", "value", "…")))
                    .and(", and where it may be NULL, ")
                    .suggesting(Suggested::Mask(Suggestion::plain("null")))
                    .and("."),
            ),
        }
    }
}

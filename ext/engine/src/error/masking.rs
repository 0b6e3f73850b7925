//! What a row that cannot be masked, and a mask that does not fit its column, mean to the caller.

use super::{About, Error, Kind};
use crate::alike::counted;
use crate::text::{text, Setting, Snippet, Text};
use masking::{MaskError, Misfit, Unfit};
use personal_data::Suggestion;

impl From<MaskError> for Error {
    fn from(error: MaskError) -> Self {
        match error {
            MaskError::Fields {
                table,
                found,
                columns,
            } => Error::new(
                Kind::Archive,
                format!(
                    "A row of {table} has {} where its data block has {}.",
                    counted(found as u64, "field"),
                    counted(columns as u64, "column")
                ),
                "The backup is damaged: take another one.",
            )
            .about(About::table(table)),
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
    Error::new(
        Kind::Plan,
        format!(
            "The column {table}.{column} is under a unique index, and what a row's distinct pseudonym is made from is \
             longer than fits into it."
        ),
        "Widen the column in production, or exclude the table.",
    )
    .about(About::table(table).column(column))
}

fn check_not_met(table: &str, column: &str, check: &str) -> Error {
    Error::new(
        Kind::Plan,
        format!(
            "The column {table}.{column} has the CHECK \"{check}\", and for the value of a row no pseudonym was found that \
             it takes."
        ),
        Text::from("Give the column a rule with a mask that writes what the CHECK takes: ")
            .suggesting(Snippet::Mask(Suggestion::with("template", "template", "…{id}")))
            .and("; where it is under no unique index, ")
            .suggesting(Snippet::Mask(Suggestion::with("static", "value", "…")))
            .and(", and where it may be NULL, ")
            .suggesting(Snippet::Mask(Suggestion::plain("null")))
            .and("."),
    )
    .about(About::table(table).column(column))
}

impl From<&Unfit> for About {
    fn from(unfit: &Unfit) -> Self {
        About::table(&unfit.table).column(&unfit.column)
    }
}

impl From<&Unfit> for Text {
    fn from(unfit: &Unfit) -> Self {
        let column = format!("{}.{}", unfit.table, unfit.column);
        match unfit.misfit {
            Misfit::EmailDomain(most) => text!(
                format!("{column} {} Shorten ", unfit.what),
                Setting::AnonymizedEmailDomain,
                format!(" to at most {most} characters."),
            ),
            Misfit::StagingPassword => text!(
                format!("{column} has the mask :staging_password, and "),
                Setting::StagingPassword,
                " is not set. Set it, or take :unknown_password.",
            ),
            _ => unfit.to_string().into(),
        }
    }
}

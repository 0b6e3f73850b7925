//! What can be wrong with rows that are to be masked, and with a mask on its column.

use crate::misfit::Misfit;

/// Why a row cannot be masked. It holds no byte of a row.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MaskError {
    /// A row with another number of fields than its data block has columns.
    #[error("a row of {table} has {found} fields, not {columns}")]
    Fields {
        /// Its name for people, such as `public.users`.
        table: String,
        /// How many fields the row has.
        found: usize,
        /// How many columns the data block has.
        columns: usize,
    },
    /// A piece that does not end where a row does.
    #[error("a piece of the rows of {table} does not end with a row's end")]
    Cut {
        /// Its name for people.
        table: String,
    },
    /// The column is under a unique index, and what a row's distinct pseudonym is made from is longer than fits.
    #[error("a distinct pseudonym of {table}.{column} is too long for it")]
    TooLong {
        /// Its name for people.
        table: String,
        /// The masked column.
        column: String,
    },
    /// No pseudonym of a value was found that a CHECK takes.
    #[error("no pseudonym of {table}.{column} meets the CHECK {check}")]
    CheckNotMet {
        /// Its name for people.
        table: String,
        /// The masked column.
        column: String,
        /// The constraint's name.
        check: String,
    },
}

/// A mask does not fit its column.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{table}.{column}: {}", serde_json::to_string(misfit).unwrap_or_default())]
pub struct Unfit {
    /// The table's name for people.
    pub table: String,
    /// The column.
    pub column: String,
    /// What of the two does not fit.
    pub misfit: Misfit,
}

//! What can be wrong with rows.

use super::MAX_ROW;
use std::io;

/// Why rows cannot be cut. It holds no byte of a row.
///
/// [`Pieces`](super::Pieces) and [`InsertRows`](super::InsertRows) wrap it in an [`io::Error`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RowError {
    /// COPY text that does not end in a line of `\.`.
    #[error("they end without the line that closes them")]
    EndMarkerMissing,
    /// Something other than blank lines after the line of `\.`.
    #[error("something follows the line that closes them")]
    AfterEndMarker,
    /// A row of more than [`MAX_ROW`] bytes.
    #[error("a row is longer than {MAX_ROW} bytes")]
    RowTooLong,
    /// An INSERT statement that pg_dump does not write.
    #[error("the INSERT statement at row {row} cannot be read: {what}")]
    Insert {
        /// The row that was being read, from 1.
        row: u64,
        /// What is wrong with it.
        what: &'static str,
    },
}

impl From<RowError> for io::Error {
    fn from(error: RowError) -> Self {
        io::Error::new(io::ErrorKind::InvalidData, error)
    }
}

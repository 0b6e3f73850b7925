//! The rows of a data block as pieces of COPY text, however pg_dump has written them.

use crate::error::reading_failed;
use crate::error::Result;
use crate::plan::{Load, RowFormat};
use pg_dump_archive::copy::{InsertRows, Pieces};
use pg_dump_archive::DataBlock;
use std::io::Read;

/// The rows of one load's block.
pub(crate) struct LoadRows<'a, R: Read> {
    load: &'a Load,
    format: Format<'a, R>,
}

enum Format<'a, R: Read> {
    Copy(Pieces<DataBlock<'a, R>>),
    Inserts(InsertRows<DataBlock<'a, R>>),
}

impl<'a, R: Read> LoadRows<'a, R> {
    /// The rows of `block`, in pieces of about `size` bytes.
    pub(crate) fn new(load: &'a Load, block: DataBlock<'a, R>, size: usize) -> Self {
        let format = match &load.format {
            RowFormat::Copy => Format::Copy(Pieces::new(block, size)),
            RowFormat::Inserts { table_columns, into } => {
                let rows = InsertRows::new(block, size, table_columns);
                Format::Inserts(rows.of_table(&into.schema, &into.name))
            }
        };
        Self { load, format }
    }

    /// Fills `piece` (cleared first) with whole rows, and says whether there was one.
    ///
    /// # Errors
    /// Rows that cannot be read, with their table's name; those of the archive and of the download underneath.
    pub(crate) fn next(&mut self, piece: &mut Vec<u8>) -> Result<bool> {
        let next = match &mut self.format {
            Format::Copy(pieces) => pieces.next(piece),
            Format::Inserts(rows) => rows.next(piece),
        };
        next.map_err(|error| reading_failed(&self.load.table.to_string(), error))
    }
}

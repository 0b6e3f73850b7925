//! One lane's worker: pieces of COPY text in, masked pieces out.

use super::action::{DoesNotFit, Done, Row, Scratch};
use super::{ColumnCounts, Counts, RowMask};
use crate::copy::Splitter;
use crate::error::{Error, Kind, Result};
use std::sync::Arc;

/// Masks rows with a [`RowMask`], and counts.
#[derive(Debug)]
pub struct Masker {
    mask: Arc<RowMask>,
    counts: Counts,
    splitter: Splitter,
    scratch: Scratch,
}

impl Masker {
    pub(super) fn new(mask: Arc<RowMask>) -> Self {
        let columns = vec![ColumnCounts::default(); mask.columns.len()];
        Self {
            mask,
            counts: Counts { rows: 0, columns },
            splitter: Splitter::new(),
            scratch: Scratch::default(),
        }
    }

    /// What has been done so far.
    pub fn counts(&self) -> &Counts {
        &self.counts
    }

    /// Appends the masked rows of `piece` to `out`. `piece` is whole rows of COPY text, each ended by a newline;
    /// what is not masked is copied byte for byte.
    ///
    /// # Errors
    /// [`Kind::Archive`] when a row has not as many fields as the block has columns, or has no end, and
    /// [`Kind::Plan`] when an id has so many digits that the pseudonym made from it would not fit. `out` then
    /// holds the rows before it, and nothing of the row itself.
    pub fn mask_piece(&mut self, piece: &[u8], out: &mut Vec<u8>) -> Result<()> {
        let Self {
            mask,
            counts,
            splitter,
            scratch,
        } = self;
        out.reserve(piece.len());
        let mut rows = splitter.rows(piece);
        while let Some(row) = rows.next_row() {
            let written = out.len();
            if let Err(error) = mask_row(mask, &row, scratch, counts, out) {
                out.truncate(written);
                return Err(error);
            }
        }
        if rows.end() != piece.len() {
            return Err(Error::internal(format!(
                "A piece of the rows of {} does not end with a row's end.",
                mask.table
            )));
        }
        Ok(())
    }
}

/// Appends one masked row.
fn mask_row(
    mask: &RowMask,
    row: &Row<'_>,
    scratch: &mut Scratch,
    counts: &mut Counts,
    out: &mut Vec<u8>,
) -> Result<()> {
    let Row { piece, starts } = *row;
    let found = row.fields();
    if found != mask.width {
        return Err(Error::new(
            Kind::Archive,
            format!(
                "A row of {} has {found} fields where its data block has {} columns.",
                mask.table, mask.width
            ),
            "The backup is damaged: take another one.",
        ));
    }
    counts.rows += 1;
    let mut copied = starts[0];
    for ((column, action), count) in mask.columns.iter().zip(&mask.actions).zip(&mut counts.columns) {
        let (start, end) = row.range(column.position);
        if &piece[start..end] == b"\\N" {
            count.nulls += 1;
            continue;
        }
        out.extend_from_slice(&piece[copied..start]);
        copied = end;
        let written = out.len();
        match action.write(row, &piece[start..end], scratch, out) {
            Ok(Done::Kept) => count.kept += 1,
            Ok(Done::Masked) => {
                count.masked += 1;
                if !action.has_form(&out[written..], scratch) {
                    count.violations += 1;
                }
            }
            Err(DoesNotFit::Long) => return Err(does_not_fit(&mask.table, &column.name)),
            Err(DoesNotFit::Check(check)) => {
                return Err(no_pseudonym_holds(&mask.table, &column.name, action.check(check)))
            }
        }
    }
    out.extend_from_slice(&piece[copied..starts[found]]);
    Ok(())
}

fn does_not_fit(table: &str, column: &str) -> Error {
    Error::new(
        Kind::Plan,
        format!(
            "The column {table}.{column} is under a unique index, and what a row's distinct pseudonym is made from is \
             longer than fits into it."
        ),
        "Widen the column in production, or exclude the table.",
    )
}

fn no_pseudonym_holds(table: &str, column: &str, check: &str) -> Error {
    Error::new(
        Kind::Plan,
        format!(
            "The column {table}.{column} has the CHECK \"{check}\", and for the value of a row no pseudonym was found \
             that it takes."
        ),
        "Take another mask for the column, such as :static with a value that the CHECK takes, or :null.",
    )
}

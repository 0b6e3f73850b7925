//! One lane's worker: pieces of COPY text in, masked pieces out.

use super::action::{Action, DoesNotFit};
use super::append::{append, CHUNK};
use super::fit::MaskedColumn;
use super::pseudonym::{Done, Scratch};
use super::row_mask::RowMask;
use crate::error::MaskError;
use pg_dump_archive::copy::{Row, Splitter};
use std::ops::Range;
use std::sync::Arc;

/// What a [`Masker`] has done so far.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counts {
    /// Rows that passed.
    pub rows: u64,
    /// Per masked column, in the order of [`RowMask::columns`].
    pub columns: Vec<ColumnCounts>,
}

/// What happened to one masked column.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ColumnCounts {
    /// Values replaced.
    pub masked: u64,
    /// Values left as they are, by `keep`.
    pub kept: u64,
    /// Values that were NULL and stayed so.
    pub nulls: u64,
    /// Values written that have not the mask's form: always zero unless the mask itself is wrong.
    pub violations: u64,
}

/// Who is shown each row, as it came and as it is written.
type Seen<'a> = &'a mut dyn FnMut(Row<'_>, Row<'_>);

/// Masks rows with a [`RowMask`], and counts.
#[derive(Debug)]
pub struct Masker {
    mask: Arc<RowMask>,
    counts: Counts,
    splitter: Splitter,
    scratch: Scratch,
    /// Where the fields begin of the row that was written last, when they are asked for.
    written: Vec<usize>,
}

impl RowMask {
    /// A worker that masks rows with this.
    pub fn masker(self: &Arc<Self>) -> Masker {
        Masker::new(Arc::clone(self))
    }
}

impl Masker {
    fn new(mask: Arc<RowMask>) -> Self {
        let columns = vec![ColumnCounts::default(); mask.columns.len()];
        Self {
            mask,
            counts: Counts { rows: 0, columns },
            splitter: Splitter::new(),
            scratch: Scratch::default(),
            written: Vec::new(),
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
    /// Rows that are not those of the table, and those for which there is no pseudonym. `out` then holds the rows
    /// before it, and nothing of the row itself.
    pub fn mask_piece(&mut self, piece: &[u8], out: &mut Vec<u8>) -> Result<(), MaskError> {
        self.mask_rows(piece, out, None)
    }

    /// As [`Masker::mask_piece`], and shows each row as it came and as it is written, the latter with its places in `out`.
    ///
    /// # Errors
    /// As there.
    pub fn mask_piece_seen(
        &mut self,
        piece: &[u8],
        out: &mut Vec<u8>,
        mut seen: impl FnMut(Row<'_>, Row<'_>),
    ) -> Result<(), MaskError> {
        self.mask_rows(piece, out, Some(&mut seen))
    }

    fn mask_rows(
        &mut self,
        piece: &[u8],
        out: &mut Vec<u8>,
        mut seen: Option<Seen<'_>>,
    ) -> Result<(), MaskError> {
        let Self {
            mask,
            counts,
            splitter,
            scratch,
            written,
        } = self;
        out.reserve(piece.len() + CHUNK);
        let mut rows = splitter.rows(piece);
        while let Some(row) = rows.next_row() {
            let begin = out.len();
            written.clear();
            let starts = seen.is_some().then_some(&mut *written);
            if let Err(error) = mask_row(mask, &row, scratch, counts, out, starts) {
                out.truncate(begin);
                return Err(error);
            }
            if let Some(seen) = &mut seen {
                let starts = written.as_slice();
                seen(row, Row { piece: out, starts });
            }
        }
        if rows.end() != piece.len() {
            return Err(MaskError::Cut {
                table: mask.table.clone(),
            });
        }
        Ok(())
    }
}

/// Appends one masked row, and to `starts`, if there, where its fields begin in `out` and where the row after it will.
fn mask_row(
    mask: &RowMask,
    row: &Row<'_>,
    scratch: &mut Scratch,
    counts: &mut Counts,
    out: &mut Vec<u8>,
    mut starts: Option<&mut Vec<usize>>,
) -> Result<(), MaskError> {
    let piece = row.piece;
    let found = row.fields();
    if found != mask.width {
        return Err(MaskError::Fields {
            table: mask.table.clone(),
            found,
            columns: mask.width,
        });
    }
    counts.rows += 1;
    scratch.work.begin_row();
    let (mut copied, mut noted) = (row.starts[0], 0);
    for ((column, action), count) in mask.columns.iter().zip(&mask.actions).zip(&mut counts.columns) {
        let (start, end) = row.range(column.position);
        if &piece[start..end] == b"\\N" {
            count.nulls += 1;
            continue;
        }
        append(piece, copied..start, out);
        if let Some(starts) = &mut starts {
            noted = note_starts(
                row,
                noted..column.position + 1,
                out.len().wrapping_sub(start),
                starts,
            );
        }
        copied = end;
        if let Some(fixed) = action.always() {
            fixed.append_to(out);
            count.masked += 1;
            continue;
        }
        match action.write(row, &piece[start..end], scratch, out) {
            Ok(Done::Kept) => count.kept += 1,
            Ok(Done::Masked { has_form }) => {
                count.masked += 1;
                count.violations += u64::from(!has_form);
            }
            Err(why) => return Err(unmasked(mask, column, action, why)),
        }
    }
    if let Some(starts) = starts {
        note_starts(row, noted..found + 1, out.len().wrapping_sub(copied), starts);
    }
    append(piece, copied..row.starts[found], out);
    Ok(())
}

/// Why a value has no pseudonym, in the words of its table.
#[cold]
fn unmasked(mask: &RowMask, masked: &MaskedColumn, action: &Action, why: DoesNotFit) -> MaskError {
    let (table, column) = (mask.table.clone(), masked.name.clone());
    match why {
        DoesNotFit::Long => MaskError::TooLong { table, column },
        DoesNotFit::Check(check) => MaskError::CheckNotMet {
            table,
            column,
            check: action.check(check).to_owned(),
        },
    }
}

/// Appends where some fields begin that are moved by `shift`, and returns which field is next.
fn note_starts(row: &Row<'_>, fields: Range<usize>, shift: usize, starts: &mut Vec<usize>) -> usize {
    let next = fields.end;
    let moved = row.starts[fields].iter().map(|start| start.wrapping_add(shift));
    starts.extend(moved);
    next
}

//! Masking: rows of COPY text in, rows of COPY text out, with the masked columns replaced.
//!
//! A [`RowMask`] is compiled once per data block from a rule and the table's columns; a [`Masker`] is one lane's
//! worker on it, with scratch buffers of its own, so that nothing is allocated per row. Pseudonyms are functions
//! of (key, value) only.

use std::sync::Arc;

/// What happens to the columns of one data block.
#[derive(Debug)]
pub struct RowMask {
    columns: Vec<MaskedColumn>,
}

/// One masked column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MaskedColumn {
    /// Its name.
    pub name: String,
    /// Its place among the block's columns.
    pub position: usize,
    /// What it becomes, in words for the report: `e-mail pseudonym`.
    pub description: String,
    /// A SQL condition that every value of it in the target meets: `"email" IS NULL OR "email"::text ~ '…'`.
    pub form_sql: String,
}

impl RowMask {
    /// The masked columns, in the order of the data.
    pub fn columns(&self) -> &[MaskedColumn] {
        &self.columns
    }
}

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
    /// Values that were NULL and stayed so.
    pub nulls: u64,
    /// Values written that have not the mask's form: always zero unless the mask itself is wrong.
    pub violations: u64,
}

/// STUB: one lane's worker on a [`RowMask`]. Replaces each masked column's value by `masked`.
#[derive(Debug)]
pub struct Masker {
    mask: Arc<RowMask>,
    counts: Counts,
}

impl RowMask {
    /// STUB: a mask from its columns.
    pub fn new(columns: Vec<MaskedColumn>) -> Self {
        Self { columns }
    }

    /// A worker on this mask.
    pub fn masker(self: &Arc<Self>) -> Masker {
        let counts = Counts {
            rows: 0,
            columns: vec![ColumnCounts::default(); self.columns.len()],
        };
        Masker {
            mask: Arc::clone(self),
            counts,
        }
    }
}

impl Masker {
    /// Appends the masked rows of `piece`, which holds whole rows of COPY text, to `out`.
    ///
    /// # Errors
    /// None in this stub.
    pub fn mask_piece(&mut self, piece: &[u8], out: &mut Vec<u8>) -> crate::error::Result<()> {
        for row in piece.split_inclusive(|byte| *byte == b'\n') {
            self.counts.rows += 1;
            let row = row.strip_suffix(b"\n").unwrap_or(row);
            for (place, field) in row.split(|byte| *byte == b'\t').enumerate() {
                if place > 0 {
                    out.push(b'\t');
                }
                match self.mask.columns.iter().position(|column| column.position == place) {
                    Some(index) if field == b"\\N" => {
                        self.counts.columns[index].nulls += 1;
                        out.extend_from_slice(field);
                    }
                    Some(index) => {
                        self.counts.columns[index].masked += 1;
                        out.extend_from_slice(b"masked");
                    }
                    None => out.extend_from_slice(field),
                }
            }
            out.push(b'\n');
        }
        Ok(())
    }

    /// What was done so far.
    pub fn counts(&self) -> &Counts {
        &self.counts
    }
}

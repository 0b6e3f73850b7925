//! Masking: rows of COPY text in, rows of COPY text out, with the masked columns replaced.
//!
//! A [`RowMask`] is compiled once per data block from a rule and the table's columns; a [`Masker`] is one lane's
//! worker on it, with scratch buffers of its own, so that nothing is allocated per row. Pseudonyms are functions
//! of (key, value) only.

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

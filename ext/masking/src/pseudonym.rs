//! What a mask is while rows pass: a [`Pseudonym`], and the buffers that it works with.

use super::bytes::without_padding;
use pg_dump_archive::copy::{self, Row};
use regex::bytes::CaptureLocations;
use std::collections::HashMap;

/// A mask fitted to one column.
pub(super) trait Pseudonym: std::fmt::Debug + Send + Sync {
    /// Appends the pseudonym of a value, which is not NULL; nor is it empty, unless the mask has said that it replaces
    /// empty values, too.
    fn write(&self, value: &[u8], row: &Row<'_>, work: &mut Work, out: &mut Vec<u8>);

    /// Whether a value has the form that the mask writes.
    fn has_form(&self, value: &[u8]) -> bool;

    /// Appends a value between the original and what was written for it, or as far on its other side, the nearer the
    /// higher `step` is; false when there is none. For CHECKs on how large a value is.
    fn write_nearer(&self, _original: &[u8], _written: &[u8], _step: u32, _out: &mut Vec<u8>) -> bool {
        false
    }

    /// Whether what was written would do for this column; a mask that may write too much says so here.
    fn fits(&self, _written: &[u8]) -> bool {
        true
    }

    /// Whether it looks at the value at all, but for its being empty. If not, it gets the field as it stands.
    fn reads_value(&self) -> bool {
        true
    }

    /// Whether nothing that it writes needs an escape in a COPY field.
    fn is_plain(&self) -> bool {
        false
    }

    /// Appends the pseudonym of a field that is not NULL as a field, and says whether it has the mask's form. It is here
    /// so that one call for each value is a dynamic one, and those within it are known when they are compiled.
    ///
    /// # Errors
    /// [`TooLong`], with part of it written.
    fn mask(
        &self,
        blanks: Blanks,
        row: &Row<'_>,
        raw: &[u8],
        scratch: &mut Scratch,
        out: &mut Vec<u8>,
    ) -> Result<bool, TooLong> {
        let Scratch {
            decoded,
            written,
            work,
            ..
        } = scratch;
        let value = if self.reads_value() {
            copy::decode(raw, decoded).unwrap_or_default()
        } else {
            raw
        };
        let value = if blanks.are_padding {
            without_padding(value)
        } else {
            value
        };
        if value.is_empty() && blanks.empty_stays {
            return Ok(true);
        }
        let start = out.len();
        self.write(value, row, work, out);
        if !self.fits(&out[start..]) {
            return Err(TooLong);
        }
        let has_form = self.has_form(&out[start..]);
        if !self.is_plain() {
            copy::encode_from(start, written, out);
        }
        Ok(has_form)
    }
}

/// What blanks and nothing mean in a column.
#[derive(Debug, Clone, Copy)]
pub(super) struct Blanks {
    /// The column is `character(n)`, whose trailing blanks do not count.
    pub(super) are_padding: bool,
    /// An empty value says nothing: it stays, and code that asks for blank ones goes on working.
    pub(super) empty_stays: bool,
}

/// A pseudonym is longer than its column, and cutting it would make it repeat itself.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct TooLong;

/// What became of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Done {
    /// Masked; whether what was written has the mask's form.
    Masked { has_form: bool },
    /// Left alone, by `keep`.
    Kept,
}

/// A distance for [`Pseudonym::write_nearer`]: as far on the other side, then half of it on either, and so on down to
/// one.
pub(super) fn nearer(away: i128, step: u32) -> Option<i128> {
    let size = away.unsigned_abs() >> (step.div_ceil(2).min(127));
    let size = i128::try_from(size).ok().filter(|size| *size > 0)?;
    let is_behind = (away < 0) != step.is_multiple_of(2);
    Some(if is_behind { -size } else { size })
}

/// BorrowedBuffers for a [`Pseudonym`], which live as long as the worker.
#[derive(Debug, Default)]
pub(super) struct Work {
    pub(super) first: Vec<u8>,
    pub(super) second: Vec<u8>,
    pub(super) third: Vec<u8>,
    /// Where the paths into a document stand.
    pub(super) states: Vec<u64>,
    /// The masks that keys of documents ask for, as far as they were seen.
    pub(super) keys: HashMap<Box<[u8]>, Option<&'static str>>,
    /// Where a pattern was found in free text.
    pub(super) places: Option<CaptureLocations>,
    /// What another column became, whose pseudonym goes into this one's.
    pub(super) shared: Option<Box<Shared>>,
    /// For the mask of that column.
    other: Option<Box<Scratch>>,
    /// For a mask within a mask.
    deeper: Option<Box<Work>>,
}

impl Work {
    /// BorrowedBuffers for a mask within a mask.
    pub(super) fn deeper(&mut self) -> &mut Work {
        self.deeper.get_or_insert_default()
    }

    /// What was done to a value of a column, if that was the last one in this row that other columns' masks read.
    pub(super) fn shared(&self, column: usize, raw: &[u8]) -> Option<(&Shared, Done)> {
        let shared = self.shared.as_deref()?;
        Some((shared, shared.done(column, raw)?))
    }

    /// Another row begins, of which a value that stood in the last one may become something else.
    pub(super) fn begin_row(&mut self) {
        if let Some(shared) = &mut self.shared {
            shared.of = None;
        }
        if let Some(other) = &mut self.other {
            other.work.begin_row();
        }
        if let Some(deeper) = &mut self.deeper {
            deeper.begin_row();
        }
    }

    /// BorrowedBuffers for the mask of another column.
    pub(super) fn other(&mut self) -> &mut Scratch {
        self.other.get_or_insert_default()
    }
}

/// The value of a column that was masked last, in this row, of those that other columns' masks read.
#[derive(Debug, Default)]
pub(super) struct Shared {
    /// The place of its column, and what was done; None: there was none yet.
    pub(super) of: Option<(usize, Done)>,
    pub(super) raw: Vec<u8>,
    /// What it became, as a COPY field.
    pub(super) field: Vec<u8>,
    /// The field's value.
    pub(super) decoded: Vec<u8>,
}

impl Shared {
    /// What was done to a value of a column, if this is what became of it.
    fn done(&self, column: usize, raw: &[u8]) -> Option<Done> {
        let (of, done) = self.of?;
        (of == column && self.raw == raw).then_some(done)
    }
}

/// BorrowedBuffers for a column's values, which live as long as the worker.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    pub(super) decoded: Vec<u8>,
    pub(super) written: Vec<u8>,
    /// What a CHECK refused.
    pub(super) refused: Vec<u8>,
    pub(super) work: Work,
}

//! What runs for each value of a column: its mask, and what all masks have in common, which is values that stay, empty
//! ones, padding, CHECKs. No allocation, no decision that could be made earlier.
//!
//! A pseudonym that a CHECK refuses is masked again, until one is taken. Where the mask is a permutation this walks its
//! cycle, which comes by every value before it comes back: so what is taken is permuted among itself, and different
//! values stay different. Numbers and dates draw nearer to the original instead, which the CHECK takes.

use super::append::Fixed;
use super::condition::Check;
use super::keep::Keep;
use super::pseudonym::{Blanks, Done, Pseudonym, Scratch, Shared, TooLong, Work};
use pg_dump_archive::copy::{self, Row};
use std::sync::Arc;

/// After so many pseudonyms that a CHECK refuses it is given up.
const MOST: usize = 1 << 14;

/// A pseudonym does not fit its column.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum DoesNotFit {
    /// It would be longer than the column, and cutting it would make it repeat itself.
    Long,
    /// None was found that the CHECK of this place among its column's takes.
    Check(usize),
}

impl From<TooLong> for DoesNotFit {
    fn from(_: TooLong) -> Self {
        DoesNotFit::Long
    }
}

/// What a mask writes into one column.
#[derive(Debug)]
pub(super) enum Writes {
    /// Always the same field, which may be NULL.
    Fixed(Fixed),
    /// Something for each value.
    Pseudonym(Box<dyn Pseudonym>),
}

impl Writes {
    /// Always NULL.
    pub(super) fn null() -> Self {
        Writes::Fixed(Fixed::new(NULL))
    }

    /// Always this value.
    pub(super) fn value(value: &str) -> Self {
        let mut field = Vec::new();
        copy::encode(Some(value.as_bytes()), &mut field);
        Writes::Fixed(Fixed::new(&field))
    }

    /// Whether it is always NULL.
    pub(super) fn is_null(&self) -> bool {
        matches!(self, Writes::Fixed(fixed) if fixed.bytes() == NULL)
    }
}

/// A COPY field that is NULL.
const NULL: &[u8] = b"\\N";

/// A mask on one column.
#[derive(Debug)]
pub(super) struct Action {
    /// The column's place.
    pub(super) column: usize,
    pub(super) writes: Writes,
    /// Values that stay as they are.
    pub(super) keep: Option<Arc<Keep>>,
    /// What the column's CHECKs ask of a pseudonym.
    pub(super) checks: Option<Arc<[Check]>>,
    pub(super) blanks: Blanks,
    /// Masks of other columns read what this one writes.
    pub(super) is_shared: bool,
}

impl Action {
    /// What it writes for every value that is not NULL, if it is always the same. It needs no look at its form or at the
    /// CHECKs.
    #[inline]
    pub(super) fn always(&self) -> Option<&Fixed> {
        match &self.writes {
            Writes::Fixed(fixed) if self.keep.is_none() => Some(fixed),
            _ => None,
        }
    }

    /// Whether what it writes is the same as a COPY field and as a value.
    fn is_plain(&self) -> bool {
        match &self.writes {
            Writes::Pseudonym(pseudonym) => self.keep.is_none() && pseudonym.is_plain(),
            Writes::Fixed(_) => false,
        }
    }

    /// Appends the masked form of `raw`, which is not NULL, as a COPY field.
    #[inline(always)]
    pub(super) fn write(
        &self,
        row: &Row<'_>,
        raw: &[u8],
        scratch: &mut Scratch,
        out: &mut Vec<u8>,
    ) -> Result<Done, DoesNotFit> {
        if !self.is_shared {
            return self.write_anew(row, raw, scratch, out);
        }
        let done = match scratch.work.shared(self.column, raw) {
            Some((_, done)) => done,
            None => self.share(row, raw, scratch)?,
        };
        let shared = scratch.work.shared.as_deref();
        out.extend_from_slice(shared.map_or(b"", |shared| &shared.field));
        Ok(done)
    }

    /// Masks a value for this column and for those that read it.
    fn share(&self, row: &Row<'_>, raw: &[u8], scratch: &mut Scratch) -> Result<Done, DoesNotFit> {
        let mut shared = scratch.work.shared.take().unwrap_or_default();
        let done = self.fill(row, raw, scratch, &mut shared);
        scratch.work.shared = Some(shared);
        done
    }

    /// Writes down what becomes of a value.
    fn fill(
        &self,
        row: &Row<'_>,
        raw: &[u8],
        scratch: &mut Scratch,
        shared: &mut Shared,
    ) -> Result<Done, DoesNotFit> {
        shared.of = None;
        shared.field.clear();
        let done = self.write_anew(row, raw, scratch, &mut shared.field)?;
        shared.of = Some((self.column, done));
        shared.raw.clear();
        shared.raw.extend_from_slice(raw);
        Ok(done)
    }

    #[inline(always)]
    fn write_anew(
        &self,
        row: &Row<'_>,
        raw: &[u8],
        scratch: &mut Scratch,
        out: &mut Vec<u8>,
    ) -> Result<Done, DoesNotFit> {
        if let Some(keep) = &self.keep {
            if keep.keeps(raw, &mut scratch.decoded) {
                out.extend_from_slice(raw);
                return Ok(Done::Kept);
            }
        }
        let start = out.len();
        let mut has_form = self.mask(row, raw, scratch, out)?;
        if let Some(checks) = &self.checks {
            has_form &= self.hold(checks, row, raw, scratch, start, out)?;
        }
        Ok(Done::Masked { has_form })
    }

    /// Appends the pseudonym of `raw` without regard to CHECKs, and says whether it has the mask's form.
    #[inline]
    fn mask(
        &self,
        row: &Row<'_>,
        raw: &[u8],
        scratch: &mut Scratch,
        out: &mut Vec<u8>,
    ) -> Result<bool, TooLong> {
        match &self.writes {
            Writes::Fixed(fixed) => {
                fixed.append_to(out);
                Ok(true)
            }
            Writes::Pseudonym(pseudonym) => pseudonym.mask(self.blanks, row, raw, scratch, out),
        }
    }

    /// The name of the CHECK of this place.
    pub(super) fn check(&self, place: usize) -> &str {
        let check = self.checks.as_ref().and_then(|checks| checks.get(place));
        check.map_or("", |check| &check.name)
    }

    /// Replaces what was written from `start` on by a pseudonym that the checks take, unless they take it. Says whether
    /// that has the mask's form.
    fn hold(
        &self,
        checks: &[Check],
        row: &Row<'_>,
        raw: &[u8],
        scratch: &mut Scratch,
        start: usize,
        out: &mut Vec<u8>,
    ) -> Result<bool, DoesNotFit> {
        if refused(checks, &out[start..], &mut scratch.decoded).is_none() {
            return Ok(true);
        }
        let mut refused_field = std::mem::take(&mut scratch.refused);
        let is_nearer = match &self.writes {
            Writes::Pseudonym(pseudonym) => {
                refused_field.clear();
                refused_field.extend_from_slice(&out[start..]);
                draw_nearer(&**pseudonym, checks, raw, &refused_field, scratch, start, out)
            }
            Writes::Fixed(_) => false,
        };
        let found = if is_nearer {
            Ok(true)
        } else {
            self.walk(checks, row, raw, scratch, &mut refused_field, (start, out))
        };
        scratch.refused = refused_field;
        found
    }

    /// Masks what was written again and again, until the checks take it.
    fn walk(
        &self,
        checks: &[Check],
        row: &Row<'_>,
        raw: &[u8],
        scratch: &mut Scratch,
        before: &mut Vec<u8>,
        (start, out): (usize, &mut Vec<u8>),
    ) -> Result<bool, DoesNotFit> {
        let (mut refuses, mut has_form) = (0, true);
        for _ in 0..MOST {
            match refused(checks, &out[start..], &mut scratch.decoded) {
                None if &out[start..] != raw => return Ok(has_form),
                found => refuses = found.unwrap_or(refuses),
            }
            before.clear();
            before.extend_from_slice(&out[start..]);
            out.truncate(start);
            has_form = self.mask(row, before, scratch, out)?;
            if out[start..] == *before {
                break;
            }
        }
        Err(DoesNotFit::Check(refuses))
    }
}

/// The place of the first CHECK that refuses a field.
pub(super) fn refused(checks: &[Check], field: &[u8], decoded: &mut Vec<u8>) -> Option<usize> {
    let value = copy::decode(field, decoded);
    checks.iter().position(|check| !check.condition.admits(value))
}

/// Replaces what stands from `start` on, which is `written`, by something nearer to the original; false when there is
/// nothing. Numbers and dates are the same in a COPY field as outside.
fn draw_nearer(
    pseudonym: &dyn Pseudonym,
    checks: &[Check],
    raw: &[u8],
    written: &[u8],
    scratch: &mut Scratch,
    start: usize,
    out: &mut Vec<u8>,
) -> bool {
    for step in 0.. {
        out.truncate(start);
        if !pseudonym.write_nearer(raw, written, step, out) {
            break;
        }
        let is_taken = refused(checks, &out[start..], &mut scratch.decoded).is_none();
        if is_taken && pseudonym.has_form(&out[start..]) {
            return true;
        }
    }
    out.truncate(start);
    out.extend_from_slice(written);
    false
}

/// A column as it is after masking, for the mask of another one.
#[derive(Debug)]
pub(super) struct Other {
    pub(super) column: usize,
    /// What masks it, if anything does.
    pub(super) action: Option<Box<Action>>,
}

impl Other {
    /// Its value in a row; None when it is NULL. What does not fit its own column ends the run there, and is empty here.
    pub(super) fn value<'w>(&self, row: &Row<'w>, work: &'w mut Work) -> Option<&'w [u8]> {
        let raw = row.field(self.column);
        if raw == NULL {
            return None;
        }
        let Some(action) = &self.action else {
            return copy::decode(raw, &mut work.third);
        };
        if work.shared(self.column, raw).is_none() {
            let mut shared = work.shared.take().unwrap_or_default();
            if action.fill(row, raw, work.other(), &mut shared).is_err() {
                shared.field.clear();
            }
            work.shared = Some(shared);
        }
        let Shared { field, decoded, .. } = &mut **work.shared.as_mut()?;
        if action.is_plain() {
            return Some(field);
        }
        copy::decode(field, decoded)
    }
}

//! Pseudonyms under CHECK constraints: where one is not taken, the next is tried.
//!
//! A pseudonym that a CHECK refuses is masked again, until one is taken. Where the mask is a permutation this walks its
//! cycle, which comes by every value before it comes back: so what is taken is permuted among itself, and different
//! values stay different. Numbers and dates draw nearer to the original instead, which the CHECK takes.

use super::action::{Action, DoesNotFit, Done, Row, Scratch};
use super::{Check, Mask, Table};
use crate::copy;

/// After so many pseudonyms that a CHECK refuses it is given up.
const MOST: usize = 1 << 14;

/// Buffers that live as long as the worker.
#[derive(Debug, Default)]
pub(super) struct Held {
    field: Vec<u8>,
    decoded: Vec<u8>,
}

/// The place of the first CHECK that refuses a field.
fn refused(checks: &[Check], field: &[u8], decoded: &mut Vec<u8>) -> Option<usize> {
    let value = copy::decode(field, decoded);
    checks.iter().position(|check| !check.condition.admits(value))
}

/// Appends the pseudonym of `raw` that the checks take.
pub(super) fn write(
    checks: &[Check],
    action: &Action,
    row: &Row<'_>,
    raw: &[u8],
    scratch: &mut Scratch,
    out: &mut Vec<u8>,
) -> Result<Done, DoesNotFit> {
    let start = out.len();
    if action.write(row, raw, scratch, out)? == Done::Kept {
        return Ok(Done::Kept);
    }
    let mut held = std::mem::take(&mut scratch.held);
    let found = match refused(checks, &out[start..], &mut held.decoded) {
        None => Ok(()),
        Some(_) if draw_nearer(checks, action, raw, &mut held, start, out) => Ok(()),
        Some(_) => walk(checks, action, row, raw, scratch, &mut held, (start, out)),
    };
    scratch.held = held;
    found.map(|()| Done::Masked)
}

/// Replaces what stands from `start` on by something nearer to the original; false when there is nothing. Numbers and
/// dates are the same in a COPY field as outside.
fn draw_nearer(
    checks: &[Check],
    action: &Action,
    raw: &[u8],
    held: &mut Held,
    start: usize,
    out: &mut Vec<u8>,
) -> bool {
    let custom = match action {
        Action::Custom(custom) => custom,
        Action::Keeping { action, .. } => return draw_nearer(checks, action, raw, held, start, out),
        _ => return false,
    };
    held.field.clear();
    held.field.extend_from_slice(&out[start..]);
    for step in 0.. {
        out.truncate(start);
        if !custom.pseudonym.write_nearer(raw, &held.field, step, out) {
            break;
        }
        let is_taken = refused(checks, &out[start..], &mut held.decoded).is_none();
        if is_taken && custom.pseudonym.has_form(&out[start..]) {
            return true;
        }
    }
    out.truncate(start);
    out.extend_from_slice(&held.field);
    false
}

/// Masks what was written again and again, until the checks take it.
fn walk(
    checks: &[Check],
    action: &Action,
    row: &Row<'_>,
    raw: &[u8],
    scratch: &mut Scratch,
    held: &mut Held,
    (start, out): (usize, &mut Vec<u8>),
) -> Result<(), DoesNotFit> {
    let mut refuses = 0;
    for _ in 0..MOST {
        match refused(checks, &out[start..], &mut held.decoded) {
            None if &out[start..] != raw => return Ok(()),
            found => refuses = found.unwrap_or(refuses),
        }
        held.field.clear();
        held.field.extend_from_slice(&out[start..]);
        out.truncate(start);
        action.write(row, &held.field, scratch, out)?;
        if out[start..] == held.field {
            break;
        }
    }
    Err(DoesNotFit::Check(refuses))
}

/// What the first row of a table might be, for a look at what a mask writes.
const VALUES: [&str; 8] = [
    "Ada Lovelace",
    "ada@example.org",
    "a",
    "12345",
    "Analytical Engines",
    "grace",
    "x-1",
    "42 rue X",
];

/// The name of a CHECK that takes nothing of what a mask writes, as far as that can be known without rows.
pub(super) fn never_met<'c>(
    action: &Action,
    mask: &Mask,
    checks: &'c [Check],
    table: &Table,
) -> Option<&'c str> {
    let mut decoded = Vec::new();
    let place = match action {
        Action::Fixed(fixed) => refused(checks, fixed.bytes(), &mut decoded)?,
        _ if mask.has_own_form() => {
            let piece = b"1\t".repeat(table.columns.len());
            let starts: Vec<usize> = (0..=table.columns.len()).map(|place| place * 2).collect();
            let row = Row {
                piece: &piece,
                starts: &starts,
            };
            let mut refuses = None;
            for value in VALUES {
                let (mut scratch, mut out) = (Scratch::default(), Vec::new());
                match write(checks, action, &row, value.as_bytes(), &mut scratch, &mut out) {
                    Err(DoesNotFit::Check(place)) => refuses = Some(place),
                    _ => return None,
                }
            }
            refuses?
        }
        _ => return None,
    };
    checks.get(place).map(|check| check.name.as_str())
}

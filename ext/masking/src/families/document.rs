//! Masks of values with values within: what `json`, `hstore` and `array` have in common.
//!
//! Each copies the document through and replaces what a mask is for, so that nothing else of it changes: neither the
//! order of keys, nor the digits of a number.

use crate::action::Writes;
use crate::entry::Fitting;
use crate::error::Unfit;
use crate::misfit::{Expected, Misfit, Misplaced};
use crate::pseudonym::{Pseudonym, Work};
use crate::types::Type;
use pg_dump_archive::copy::{self, Row};
use serde_json::{json, Value};

/// What a value within a document becomes.
#[derive(Debug)]
pub(crate) enum Inner {
    Null,
    /// Always the same.
    Value(Box<[u8]>),
    Pseudonym(Box<dyn Pseudonym>),
}

impl Inner {
    /// What an option names.
    pub(crate) fn new(fitting: &Fitting<'_>, value: &Value) -> Result<Self, Box<Unfit>> {
        let mask = fitting.named(value).map_err(|invalid| fitting.inner(invalid))?;
        let writes = match &fitting.column.kind {
            Type::Array(of) => fitting.for_type(&mask, (**of).clone()),
            _ => fitting.within(&mask),
        }?;
        Ok(match writes {
            Writes::Pseudonym(pseudonym) => Inner::Pseudonym(pseudonym),
            Writes::Fixed(fixed) => match copy::decode(fixed.bytes(), &mut Vec::new()) {
                None => Inner::Null,
                Some(value) => Inner::Value(value.into()),
            },
        })
    }

    /// Whether it is always NULL.
    pub(crate) fn is_null(&self) -> bool {
        matches!(self, Inner::Null)
    }

    /// Appends what a value that is neither NULL nor empty becomes; nothing where that is NULL.
    pub(crate) fn write(&self, value: &[u8], row: &Row<'_>, work: &mut Work, out: &mut Vec<u8>) {
        match self {
            Inner::Null => {}
            Inner::Value(fixed) => out.extend_from_slice(fixed),
            Inner::Pseudonym(pseudonym) => pseudonym.write(value, row, work.deeper(), out),
        }
    }
}

/// The entries of an option that is a map from places, which `read` reads, to masks.
///
/// # Errors
/// Everything that is wrong with any of them, each with its place.
pub(crate) fn places<P>(
    fitting: &Fitting<'_>,
    option: &str,
    read: impl Fn(&str) -> Result<P, Box<Unfit>>,
) -> Result<Vec<(P, Inner)>, Box<Unfit>> {
    let map = match fitting.option(option) {
        None => return Ok(Vec::new()),
        Some(Value::Object(map)) => map,
        Some(_) => return Err(fitting.wrong_option(option, Expected::Masks)),
    };
    let (mut found, mut unfit) = (Vec::new(), Vec::new());
    for (place, mask) in map {
        match (read(place), Inner::new(fitting, mask)) {
            (Ok(read), Ok(mask)) => found.push((read, mask)),
            (read, mask) => {
                let wrong = [read.err(), mask.err()].into_iter().flatten();
                unfit.extend(wrong.map(|wrong| Misplaced::At {
                    place: place.clone(),
                    column: format!("{}.{}", wrong.table, wrong.column),
                    misfit: wrong.misfit,
                }));
            }
        }
    }
    if unfit.is_empty() {
        Ok(found)
    } else {
        Err(fitting.unfit(Misfit::Places { places: unfit }))
    }
}

/// The option `scrub`.
pub(crate) fn scrub(fitting: &Fitting<'_>) -> Result<Option<Inner>, Box<Unfit>> {
    if fitting.flag("scrub")? {
        Inner::new(fitting, &json!("scrub")).map(Some)
    } else {
        Ok(None)
    }
}

/// The worker's buffers, taken while a mask within this one has the worker's next ones.
pub(crate) struct BorrowedBuffers {
    pub(crate) key: Vec<u8>,
    pub(crate) decoded: Vec<u8>,
    pub(crate) written: Vec<u8>,
}

impl BorrowedBuffers {
    pub(crate) fn of(work: &mut Work) -> Self {
        let take = std::mem::take::<Vec<u8>>;
        Self {
            key: take(&mut work.first),
            decoded: take(&mut work.second),
            written: take(&mut work.third),
        }
    }

    pub(crate) fn back(self, work: &mut Work) {
        (work.first, work.second, work.third) = (self.key, self.decoded, self.written);
    }
}

/// A quoted string of an hstore or an array: `"`, with `\` before `"` and `\`. Returns what is behind it.
pub(crate) fn quoted<'v>(text: &'v [u8], decoded: &mut Vec<u8>) -> Option<&'v [u8]> {
    decoded.clear();
    let mut rest = text.strip_prefix(b"\"")?;
    loop {
        let (byte, after) = rest.split_first()?;
        rest = after;
        match byte {
            b'"' => return Some(rest),
            b'\\' => {
                let (byte, after) = rest.split_first()?;
                decoded.push(*byte);
                rest = after;
            }
            byte => decoded.push(*byte),
        }
    }
}

/// The inverse of [`quoted`].
pub(crate) fn write_quoted(text: &[u8], out: &mut Vec<u8>) {
    out.push(b'"');
    for byte in text {
        if matches!(byte, b'"' | b'\\') {
            out.push(b'\\');
        }
        out.push(*byte);
    }
    out.push(b'"');
}

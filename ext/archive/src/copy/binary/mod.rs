//! Whole rows of COPY text, turned into the tuples of binary COPY, for the types whose binary form is known here.
//!
//! The server spares itself the parsing of each value. A stream is [`HEADER`], the tuples of any number of pieces, and
//! [`TRAILER`] (PostgreSQL's documentation, "COPY", "Binary Format"); the form of a value is that of its type's receive
//! function (`*_recv` in PostgreSQL's `src/backend/utils/adt`), which applies the column's modifier as the text input
//! does: lengths, padding, precision and the range of dates are the server's to check.
//!
//! Only the text that COPY TO writes is read, with ISO dates. What looks otherwise is not guessed at: the piece is said
//! to be unreadable, and goes as text.

mod number;
mod time;
mod value;

use super::Splitter;
use memchr::memchr_iter;

/// What a binary COPY begins with: the signature, no flags, no extension.
pub const HEADER: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";

/// What it ends with, in the place of a tuple's number of fields.
pub const TRAILER: &[u8] = &[0xff, 0xff];

/// A NULL, in the place of a field's length.
const NULL: [u8; 4] = (-1i32).to_be_bytes();

/// The binary form of a column's values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// The text itself: `text`, `character varying`, `character`, `json`, enums and `citext`.
    Text,
    /// `jsonb`: a version, then the text.
    Jsonb,
    /// `bytea`, from its hexadecimal text.
    Bytea,
    /// `boolean`.
    Boolean,
    /// `smallint`.
    Int2,
    /// `integer`.
    Int4,
    /// `bigint`.
    Int8,
    /// `oid`.
    Oid,
    /// `real`.
    Float4,
    /// `double precision`.
    Float8,
    /// `numeric`.
    Numeric,
    /// `date`.
    Date,
    /// `time` without time zone.
    Time,
    /// `timestamp` without time zone.
    Timestamp,
    /// `timestamp` with time zone.
    TimestampTz,
    /// `uuid`.
    Uuid,
}

/// The forms of a table's columns, in the order of its rows' fields.
///
/// ```
/// use pg_dump_archive::copy::binary::{Form, Layout};
/// use pg_dump_archive::copy::Splitter;
/// let layout = Layout::new(vec![Form::Int2, Form::Text]).unwrap();
/// let (mut splitter, mut tuples) = (Splitter::new(), Vec::new());
/// assert!(layout.encode(b"7\tAda\n8\t\\N\n", &mut splitter, &mut tuples));
/// assert_eq!(tuples, b"\0\x02\0\0\0\x02\0\x07\0\0\0\x03Ada\0\x02\0\0\0\x02\0\x08\xff\xff\xff\xff");
/// assert!(!layout.encode(b"seven\tAda\n", &mut splitter, &mut tuples));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    forms: Vec<Form>,
    /// How many they are, as a tuple begins.
    count: [u8; 2],
}

impl Layout {
    /// A layout of these columns; None when there is none, or more than a tuple can have.
    pub fn new(forms: Vec<Form>) -> Option<Self> {
        let count = i16::try_from(forms.len()).ok().filter(|count| *count > 0)?;
        Some(Self {
            forms,
            count: count.to_be_bytes(),
        })
    }

    /// The forms, in order.
    pub fn forms(&self) -> &[Form] {
        &self.forms
    }

    /// Appends the tuples of `rows`, which are whole rows of COPY text, to `out`. False when a field is not read or a
    /// row has another number of them; `out` is then as long as before.
    pub fn encode(&self, rows: &[u8], splitter: &mut Splitter, out: &mut Vec<u8>) -> bool {
        let before = out.len();
        let read = self.tuples(rows, splitter, out).is_some();
        if !read {
            out.truncate(before);
        }
        read
    }

    fn tuples(&self, piece: &[u8], splitter: &mut Splitter, out: &mut Vec<u8>) -> Option<()> {
        let mut rows = splitter.rows(piece);
        let mut backslashes = memchr_iter(b'\\', piece);
        let mut backslash = backslashes.next().unwrap_or(usize::MAX);
        while let Some(row) = rows.next_row() {
            if row.fields() != self.forms.len() {
                return None;
            }
            out.extend_from_slice(&self.count);
            for (at, &form) in self.forms.iter().enumerate() {
                let (start, end) = row.range(at);
                let raw = &piece[start..end];
                if backslash >= end {
                    value::plain(form, raw, out)?;
                    continue;
                }
                while backslash < end {
                    backslash = backslashes.next().unwrap_or(usize::MAX);
                }
                if raw == b"\\N" {
                    out.extend_from_slice(&NULL);
                } else {
                    value::escaped(form, raw, out)?;
                }
            }
        }
        (rows.end() == piece.len()).then_some(())
    }
}

#[cfg(test)]
mod tests;

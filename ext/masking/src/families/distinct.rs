//! Keyed digests for values that have to stay distinct, in a column of any type.

use crate::becomes::Becomes;
use crate::bytes::{first_16, first_u128, is_hex, write_digits, write_hex};
use crate::entry::{Fitted, Fitting};
use crate::error::Unfit;
use crate::fitting::{DISTINCT_DIGITS, DISTINCT_HEX};
use crate::key::Function;
use crate::pseudonym::{Pseudonym, Work};
use crate::types::Type;
use pg_dump_archive::copy::Row;

/// How a digest is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum DistinctForm {
    /// This many hex digits, at most 64.
    Hex(usize),
    /// The digest's bytes as they are, grouped as a UUID.
    PlainUuid,
    /// A random-looking (version 4) UUID.
    Uuid,
    /// A number of this many digits, at most 38.
    Digits(usize),
    /// This many bytes, at most 32, as PostgreSQL writes a bytea: `\x…`.
    Bytes(usize),
}

impl DistinctForm {
    pub(crate) fn write(&self, digest: &[u8], out: &mut Vec<u8>) {
        match self {
            DistinctForm::Hex(length) => write_hex(digest, *length, out),
            DistinctForm::PlainUuid => write_uuid(first_16(digest), out),
            DistinctForm::Uuid => {
                let mut bytes = first_16(digest);
                bytes[6] = bytes[6] & 0x0f | 0x40;
                bytes[8] = bytes[8] & 0x3f | 0x80;
                write_uuid(bytes, out);
            }
            DistinctForm::Digits(length) => write_digits(first_u128(digest), *length, out),
            DistinctForm::Bytes(count) => {
                out.extend_from_slice(b"\\x");
                write_hex(digest, count * 2, out);
            }
        }
    }

    pub(crate) fn is_of(&self, value: &[u8]) -> bool {
        match self {
            DistinctForm::Hex(length) => value.len() == *length && is_hex(value),
            DistinctForm::PlainUuid | DistinctForm::Uuid => {
                value.len() == 36
                    && value.iter().enumerate().all(|(at, byte)| match at {
                        8 | 13 | 18 | 23 => *byte == b'-',
                        14 if *self == DistinctForm::Uuid => *byte == b'4',
                        _ => is_hex(&[*byte]),
                    })
            }
            DistinctForm::Digits(length) => value.len() == *length && value.iter().all(u8::is_ascii_digit),
            DistinctForm::Bytes(count) => {
                value.len() == 2 + count * 2 && value.starts_with(b"\\x") && is_hex(&value[2..])
            }
        }
    }

    /// Whether so many of them differ that a unique index takes them.
    pub(crate) fn is_wide(&self) -> bool {
        match self {
            DistinctForm::Hex(length) => *length >= DISTINCT_HEX,
            DistinctForm::Digits(length) => *length >= DISTINCT_DIGITS,
            DistinctForm::PlainUuid | DistinctForm::Uuid | DistinctForm::Bytes(_) => true,
        }
    }

    /// The condition that the column has this form.
    pub(crate) fn sql(&self, fitting: &Fitting<'_>) -> String {
        match self {
            DistinctForm::Hex(length) => fitting.is_hex_before(*length, ""),
            DistinctForm::PlainUuid => fitting.matches("^[0-9a-f-]{36}$"),
            DistinctForm::Uuid => {
                fitting.matches("^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$")
            }
            DistinctForm::Digits(length) => {
                format!("{} BETWEEN 0 AND {}", fitting.sql(), "9".repeat(*length))
            }
            DistinctForm::Bytes(count) => format!("pg_catalog.octet_length({}) = {count}", fitting.sql()),
        }
    }
}

fn write_uuid(bytes: [u8; 16], out: &mut Vec<u8>) {
    let mut from = 0;
    for length in [4, 2, 2, 2, 6] {
        if from > 0 {
            out.push(b'-');
        }
        write_hex(&bytes[from..from + length], length * 2, out);
        from += length;
    }
}

/// A keyed value that differs where the original does.
#[derive(Debug)]
struct Distinct {
    function: Function,
    form: DistinctForm,
}

impl Pseudonym for Distinct {
    fn write(&self, value: &[u8], row: &Row<'_>, _: &mut Work, out: &mut Vec<u8>) {
        self.form
            .write(&self.function.digest_within(value, row.piece), out);
    }

    fn has_form(&self, value: &[u8]) -> bool {
        self.form.is_of(value)
    }

    fn is_plain(&self) -> bool {
        !matches!(self.form, DistinctForm::Bytes(_))
    }
}

/// Fits it to a column of any type that has room.
pub(crate) fn fit(fitting: &Fitting<'_>) -> Result<Fitted, Box<Unfit>> {
    let form = match fitting.column.kind {
        Type::Text { limit, .. } => DistinctForm::Hex(limit.unwrap_or(32).min(32)),
        Type::Uuid => DistinctForm::Uuid,
        Type::Integer(8) => DistinctForm::Digits(18),
        Type::Numeric { digits } => DistinctForm::Digits(digits.unwrap_or(25).min(25)),
        Type::Bytea => DistinctForm::Bytes(16),
        _ => return Err(fitting.too_small_to_be_distinct()),
    };
    if !form.is_wide() {
        return Err(fitting.too_small_to_be_distinct());
    }
    let condition = form.sql(fitting);
    let distinct = Distinct {
        function: fitting.function("distinct"),
        form,
    };
    Ok(Fitted::pseudonym(distinct, Becomes::Distinct, condition).also_of_empty())
}

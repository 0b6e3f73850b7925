//! One value in its binary form, its length before it.

use super::{number, time, Form};
use memchr::memchr;

/// The only version of `jsonb`'s binary form.
const JSONB_VERSION: u8 = 1;

/// Appends a value whose text has no backslash; None when it is not one of its type as COPY TO writes it.
#[inline]
pub(super) fn plain(form: Form, raw: &[u8], out: &mut Vec<u8>) -> Option<()> {
    match form {
        Form::Text => {
            length(raw.len(), out);
            out.extend_from_slice(raw);
        }
        Form::Int4 => four(i32::try_from(number::integer(raw)?).ok()?.to_be_bytes(), out),
        Form::Int8 => eight(number::integer(raw)?.to_be_bytes(), out),
        Form::Timestamp => eight(time::timestamp(raw)?.to_be_bytes(), out),
        Form::TimestampTz => eight(time::timestamp_tz(raw)?.to_be_bytes(), out),
        Form::Boolean => match raw {
            b"t" => out.extend_from_slice(&[0, 0, 0, 1, 1]),
            b"f" => out.extend_from_slice(&[0, 0, 0, 1, 0]),
            _ => return None,
        },
        Form::Date => four(time::date(raw)?.to_be_bytes(), out),
        Form::Numeric => number::numeric(raw, out)?,
        Form::Int2 => {
            let [high, low] = i16::try_from(number::integer(raw)?).ok()?.to_be_bytes();
            out.extend_from_slice(&[0, 0, 0, 2, high, low]);
        }
        Form::Oid => four(u32::try_from(number::integer(raw)?).ok()?.to_be_bytes(), out),
        Form::Float4 => four(number::real(raw)?.to_be_bytes(), out),
        Form::Float8 => eight(number::double(raw)?.to_be_bytes(), out),
        Form::Time => eight(time::time(raw)?.to_be_bytes(), out),
        Form::Uuid => uuid(raw, out)?,
        Form::Jsonb => {
            length(raw.len() + 1, out);
            out.push(JSONB_VERSION);
            out.extend_from_slice(raw);
        }
        // Its text always begins with a backslash.
        Form::Bytea => return None,
    }
    Some(())
}

/// The same for a value whose text has a backslash.
pub(super) fn escaped(form: Form, raw: &[u8], out: &mut Vec<u8>) -> Option<()> {
    let before = out.len();
    length(0, out);
    match form {
        Form::Text => unescape(raw, out)?,
        Form::Jsonb => {
            out.push(JSONB_VERSION);
            unescape(raw, out)?;
        }
        Form::Bytea => hexadecimal(raw.strip_prefix(b"\\\\x")?, out)?,
        // No other type's text has anything to escape.
        _ => return None,
    }
    let written = u32::try_from(out.len() - before - 4).ok()?;
    out[before..before + 4].copy_from_slice(&written.to_be_bytes());
    Some(())
}

/// A value's length. A row is no longer than [`MAX_ROW`](crate::copy::MAX_ROW), so it fits.
#[inline]
fn length(bytes: usize, out: &mut Vec<u8>) {
    out.extend_from_slice(&(bytes as u32).to_be_bytes());
}

/// A value of four bytes.
#[inline]
fn four(value: [u8; 4], out: &mut Vec<u8>) {
    let mut field = [0, 0, 0, 4, 0, 0, 0, 0];
    field[4..].copy_from_slice(&value);
    out.extend_from_slice(&field);
}

/// A value of eight bytes.
#[inline]
fn eight(value: [u8; 8], out: &mut Vec<u8>) {
    let mut field = [0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0];
    field[4..].copy_from_slice(&value);
    out.extend_from_slice(&field);
}

/// Appends what a text with backslashes stands for; None when it has an escape that COPY TO does not write.
fn unescape(raw: &[u8], out: &mut Vec<u8>) -> Option<()> {
    let mut rest = raw;
    while let Some(at) = memchr(b'\\', rest) {
        let byte = match rest.get(at + 1)? {
            b'\\' => b'\\',
            b'n' => b'\n',
            b't' => b'\t',
            b'r' => b'\r',
            b'b' => 0x08,
            b'f' => 0x0c,
            b'v' => 0x0b,
            _ => return None,
        };
        out.extend_from_slice(&rest[..at]);
        out.push(byte);
        rest = &rest[at + 2..];
    }
    out.extend_from_slice(rest);
    Some(())
}

/// What each byte stands for as a hexadecimal digit; 16 for none.
const DIGITS: [u8; 256] = digits();

const fn digits() -> [u8; 256] {
    let mut table = [16; 256];
    let mut value = 0;
    while value < 16 {
        table[b"0123456789abcdef"[value] as usize] = value as u8;
        table[b"0123456789ABCDEF"[value] as usize] = value as u8;
        value += 1;
    }
    table
}

/// Appends the bytes that pairs of hexadecimal digits stand for.
fn hexadecimal(text: &[u8], out: &mut Vec<u8>) -> Option<()> {
    let pairs = text.chunks_exact(2);
    if !pairs.remainder().is_empty() {
        return None;
    }
    let mut seen = 0;
    out.extend(pairs.map(|pair| {
        let (high, low) = (DIGITS[usize::from(pair[0])], DIGITS[usize::from(pair[1])]);
        seen |= high | low;
        high << 4 | low
    }));
    (seen < 16).then_some(())
}

/// Appends a UUID, written in groups of 8, 4, 4, 4 and 12 digits.
fn uuid(raw: &[u8], out: &mut Vec<u8>) -> Option<()> {
    let raw: &[u8; 36] = raw.try_into().ok()?;
    length(16, out);
    for (at, group) in [(0, 8), (9, 4), (14, 4), (19, 4), (24, 12)] {
        if at > 0 && raw[at - 1] != b'-' {
            return None;
        }
        hexadecimal(&raw[at..at + group], out)?;
    }
    Some(())
}

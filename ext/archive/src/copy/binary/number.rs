//! Numbers, from the text that PostgreSQL writes to their binary forms.

/// A longer numeric goes as text: old servers take no more than some thousand digits in binary.
const LONGEST_NUMERIC: usize = 4000;

/// An integer of at most eight bytes.
#[inline]
pub(super) fn integer(raw: &[u8]) -> Option<i64> {
    let (negative, digits) = sign(raw);
    if digits.is_empty() || digits.len() > 18 {
        return std::str::from_utf8(raw)
            .ok()?
            .parse()
            .ok()
            .filter(|_| raw[0] != b'+');
    }
    let value = number(digits)?;
    Some(if negative { -value } else { value })
}

/// At most 18 decimal digits, four at a time: each step waits for the one before.
#[inline]
fn number(digits: &[u8]) -> Option<i64> {
    let (first, groups) = digits.split_at(digits.len() % 4);
    let mut all_digits = true;
    let mut digit = |byte: u8| {
        let digit = byte.wrapping_sub(b'0');
        all_digits &= digit < 10;
        i64::from(digit)
    };
    let mut value: i64 = 0;
    for byte in first {
        value = value * 10 + digit(*byte);
    }
    for group in groups.chunks_exact(4) {
        let four = digit(group[0]) * 1000 + digit(group[1]) * 100 + digit(group[2]) * 10 + digit(group[3]);
        // It overflows for what is no number only.
        value = value.wrapping_mul(10_000).wrapping_add(four);
    }
    all_digits.then_some(value)
}

#[inline]
fn sign(raw: &[u8]) -> (bool, &[u8]) {
    match raw {
        [b'-', rest @ ..] => (true, rest),
        _ => (false, raw),
    }
}

/// A `double precision`. One that the server would call out of range is not read.
pub(super) fn double(raw: &[u8]) -> Option<f64> {
    match raw {
        b"NaN" => Some(f64::NAN),
        b"Infinity" => Some(f64::INFINITY),
        b"-Infinity" => Some(f64::NEG_INFINITY),
        _ => {
            let value: f64 = decimal(raw)?.parse().ok()?;
            (value.is_finite() && (value != 0.0 || is_zero(raw))).then_some(value)
        }
    }
}

/// A `real`, likewise.
pub(super) fn real(raw: &[u8]) -> Option<f32> {
    match raw {
        b"NaN" => Some(f32::NAN),
        b"Infinity" => Some(f32::INFINITY),
        b"-Infinity" => Some(f32::NEG_INFINITY),
        _ => {
            let value: f32 = decimal(raw)?.parse().ok()?;
            (value.is_finite() && (value != 0.0 || is_zero(raw))).then_some(value)
        }
    }
}

/// The text of a number in digits, which both sides round alike: to the nearest.
fn decimal(raw: &[u8]) -> Option<&str> {
    let is_part = |byte: &u8| byte.is_ascii_digit() || matches!(byte, b'.' | b'-' | b'+' | b'e');
    let starts_well = sign(raw).1.first().is_some_and(u8::is_ascii_digit);
    let text = std::str::from_utf8(raw).ok()?;
    (starts_well && raw.iter().all(is_part)).then_some(text)
}

/// Whether a number that was read as 0 is 0, and not only too small.
fn is_zero(raw: &[u8]) -> bool {
    raw.iter()
        .take_while(|byte| **byte != b'e')
        .all(|byte| matches!(byte, b'0' | b'.' | b'-'))
}

/// A numeric's signs.
const POSITIVE: u16 = 0x0000;
const NEGATIVE: u16 = 0x4000;
const NOT_A_NUMBER: u16 = 0xc000;
const INFINITY: u16 = 0xd000;
const NEGATIVE_INFINITY: u16 = 0xf000;

/// Appends a numeric with its length: the number of digits to base 10,000, the weight of the first, the sign, the
/// decimal digits behind the point, the digits (`numeric_recv`, which strips zeros at both ends).
pub(super) fn numeric(raw: &[u8], out: &mut Vec<u8>) -> Option<()> {
    let (negative, digits) = sign(raw);
    let point = digits.iter().position(|byte| *byte == b'.');
    let (whole, fraction) = match point {
        Some(point) => (&digits[..point], &digits[point + 1..]),
        None => (digits, &digits[digits.len()..]),
    };
    // At least one digit before the point, and behind it if there is one.
    if !whole.first().is_some_and(u8::is_ascii_digit) || (point.is_some() && fraction.is_empty()) {
        return special(raw, out);
    }
    if raw.len() > LONGEST_NUMERIC {
        return None;
    }
    // The first group may have fewer than four digits, and the last is filled up with zeros.
    let (first, groups) = whole.split_at(whole.len() % 4);
    let before = usize::from(!first.is_empty()) + groups.len() / 4;
    let count = before + fraction.len().div_ceil(4);
    let sign = if negative { NEGATIVE } else { POSITIVE };
    head(count as u16, before as i16 - 1, sign, fraction.len() as u16, out);
    if !first.is_empty() {
        group(first, 0, out)?;
    }
    for digits in groups.chunks(4) {
        group(digits, 0, out)?;
    }
    for digits in fraction.chunks(4) {
        group(digits, 4 - digits.len(), out)?;
    }
    Some(())
}

/// What is no number in digits.
fn special(raw: &[u8], out: &mut Vec<u8>) -> Option<()> {
    let sign = match raw {
        b"NaN" => NOT_A_NUMBER,
        b"Infinity" => INFINITY,
        b"-Infinity" => NEGATIVE_INFINITY,
        _ => return None,
    };
    head(0, 0, sign, 0, out);
    Some(())
}

fn head(count: u16, weight: i16, sign: u16, scale: u16, out: &mut Vec<u8>) {
    let mut head = [0; 12];
    head[..4].copy_from_slice(&(8 + 2 * u32::from(count)).to_be_bytes());
    head[4..6].copy_from_slice(&count.to_be_bytes());
    head[6..8].copy_from_slice(&weight.to_be_bytes());
    head[8..10].copy_from_slice(&sign.to_be_bytes());
    head[10..].copy_from_slice(&scale.to_be_bytes());
    out.extend_from_slice(&head);
}

/// One digit to base 10,000, from up to four decimal ones and `zeros` behind them.
#[inline]
fn group(digits: &[u8], zeros: usize, out: &mut Vec<u8>) -> Option<()> {
    let value = number(digits)? * [1, 10, 100, 1000][zeros & 3];
    out.extend_from_slice(&(value as u16).to_be_bytes());
    Some(())
}

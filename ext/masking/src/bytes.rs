//! Bytes, as masks read and write them: digits, hex digits, letters of either case.

use super::append::{append_start, CHUNK};

/// The number that ASCII text is.
pub(super) fn parse<T: std::str::FromStr>(text: &[u8]) -> Option<T> {
    std::str::from_utf8(text).ok()?.parse().ok()
}

/// The number that digits below ten are; the largest there is when they are too many.
pub(super) fn number_of(digits: &[u8]) -> u128 {
    digits.iter().fold(0u128, |number, digit| {
        number.saturating_mul(10).saturating_add(u128::from(*digit))
    })
}

/// What a hex digit stands for.
pub(super) fn hex_value(byte: u8) -> u8 {
    match byte {
        b'0'..=b'9' => byte - b'0',
        b'a'..=b'f' => byte - b'a' + 10,
        b'A'..=b'F' => byte - b'A' + 10,
        _ => 0,
    }
}

/// A number in at least so many digits.
pub(super) fn write_number(mut number: u128, least: usize, out: &mut Vec<u8>) {
    let start = out.len();
    while number > 0 || out.len() - start < least {
        out.push(b'0' + (number % 10) as u8);
        number /= 10;
    }
    out[start..].reverse();
}

/// Cuts what was written from `start` on to so many characters.
pub(super) fn cut(out: &mut Vec<u8>, start: usize, characters: usize) {
    let length = match std::str::from_utf8(&out[start..]) {
        Ok(text) => text.char_indices().nth(characters).map(|(at, _)| at),
        Err(_) => Some(characters),
    };
    if let Some(length) = length {
        out.truncate(start + length.min(out.len() - start));
    }
}

pub(super) fn pad(zeros: usize, out: &mut Vec<u8>) {
    out.resize(out.len() + zeros, b'0');
}

pub(super) fn first_16(digest: &[u8]) -> [u8; 16] {
    let mut bytes = [0; 16];
    for (byte, from) in bytes.iter_mut().zip(digest) {
        *byte = *from;
    }
    bytes
}

pub(super) fn first_u128(digest: &[u8]) -> u128 {
    u128::from_be_bytes(first_16(digest))
}

/// The last `length` decimal digits of a number, padded with zeros.
pub(super) fn write_digits(mut number: u128, length: usize, out: &mut Vec<u8>) {
    let start = out.len();
    pad(length, out);
    for digit in out[start..].iter_mut().rev() {
        *digit = b'0' + (number % 10) as u8;
        number /= 10;
    }
}

/// The first `length` hex digits of some bytes, or all of them.
pub(super) fn write_hex(bytes: &[u8], length: usize, out: &mut Vec<u8>) {
    // Without a table, so that all digits of a part are made at once.
    let digit = |value: u8| value + if value < 10 { b'0' } else { b'a' - 10 };
    let mut left = length;
    for part in bytes.chunks(CHUNK / 2) {
        let whole = part.first_chunk().copied().unwrap_or_else(|| {
            let mut whole = [0; CHUNK / 2];
            whole[..part.len()].copy_from_slice(part);
            whole
        });
        let mut digits = [0; CHUNK];
        for (pair, byte) in digits.chunks_exact_mut(2).zip(whole) {
            pair[0] = digit(byte >> 4);
            pair[1] = digit(byte & 0x0f);
        }
        let wanted = left.min(part.len() * 2);
        append_start(&digits, wanted, out);
        left -= wanted;
        if left == 0 {
            break;
        }
    }
}

/// All of it is looked at, since that needs no branch for each byte.
pub(super) fn is_hex(text: &[u8]) -> bool {
    let is_digit = |byte: &u8| byte.is_ascii_digit() | matches!(byte, b'a'..=b'f');
    text.iter().fold(true, |all, byte| all & is_digit(byte))
}

/// A value of `character(n)` without the blanks that PostgreSQL pads it with.
pub(super) fn without_padding(value: &[u8]) -> &[u8] {
    let length = value
        .iter()
        .rposition(|byte| *byte != b' ')
        .map_or(0, |last| last + 1);
    &value[..length]
}

/// Lower case as Unicode has it; text in another encoding than UTF-8 is folded in its ASCII letters only.
pub(super) fn fold_case(text: &[u8], folded: &mut Vec<u8>) {
    folded.clear();
    if text.is_ascii() {
        folded.extend(text.iter().map(u8::to_ascii_lowercase));
        return;
    }
    match std::str::from_utf8(text) {
        Ok(text) => {
            let mut buffer = [0; 4];
            for c in text.chars().flat_map(char::to_lowercase) {
                folded.extend_from_slice(c.encode_utf8(&mut buffer).as_bytes());
            }
        }
        Err(_) => folded.extend(text.iter().map(u8::to_ascii_lowercase)),
    }
}

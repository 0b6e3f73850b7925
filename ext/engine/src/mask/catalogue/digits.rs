//! Numbers and digits in bytes, cut text and quoted patterns: what masks of several families need.

/// The number that ASCII text is.
pub(super) fn parse<T: std::str::FromStr>(text: &[u8]) -> Option<T> {
    std::str::from_utf8(text).ok()?.parse().ok()
}

/// A distance for [`Pseudonym::write_nearer`](super::recipe::Pseudonym::write_nearer): as far on the other side, then half of it on either, and so on
/// down to one.
pub(super) fn nearer(away: i128, step: u32) -> Option<i128> {
    let size = away.unsigned_abs() >> (step.div_ceil(2).min(127));
    let size = i128::try_from(size).ok().filter(|size| *size > 0)?;
    let is_behind = (away < 0) != step.is_multiple_of(2);
    Some(if is_behind { -size } else { size })
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

/// Text as a regular expression that PostgreSQL takes for that text.
pub(super) fn escape_pattern(text: &str) -> String {
    let mut escaped = String::new();
    for c in text.chars() {
        if c.is_ascii_punctuation() {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}

//! The syntax of JSON (RFC 8259), as far as a pass over a document needs it.

use crate::bytes::write_hex;

/// Deeper documents are cut: what lies deeper becomes null.
pub(crate) const DEEPEST: usize = 500;

/// Where a JSON value that begins at `at` ends, blanks behind it included (RFC 8259); None when it is none, or lies
/// deeper than a mask writes.
pub(crate) fn end_of_value(text: &[u8], at: usize, depth: usize) -> Option<usize> {
    let blanks = |at: usize| {
        let rest = text.get(at..).unwrap_or_default();
        at + rest
            .iter()
            .take_while(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r'))
            .count()
    };
    let at = blanks(at);
    let end = match text.get(at)? {
        b'"' => end_of_string(text, at)?,
        open @ (b'{' | b'[') if depth <= DEEPEST => {
            let close = if *open == b'{' { b'}' } else { b']' };
            let mut at = blanks(at + 1);
            if text.get(at) != Some(&close) {
                loop {
                    if close == b'}' {
                        at = blanks(end_of_string(text, at)?);
                        at = (text.get(at) == Some(&b':')).then_some(at + 1)?;
                    }
                    at = end_of_value(text, at, depth + 1)?;
                    match text.get(at)? {
                        b',' => at = blanks(at + 1),
                        byte if *byte == close => break,
                        _ => return None,
                    }
                }
            }
            at + 1
        }
        _ => {
            let rest = &text[at..];
            let is_end = |byte: &u8| matches!(byte, b',' | b'}' | b']' | b' ' | b'\t' | b'\n' | b'\r');
            let word = &rest[..rest.iter().position(is_end).unwrap_or(rest.len())];
            let is_word = matches!(word, b"null" | b"true" | b"false") || is_number(word);
            is_word.then_some(at + word.len())?
        }
    };
    Some(blanks(end))
}

/// Where a JSON string that begins at `at` ends.
pub(crate) fn end_of_string(text: &[u8], at: usize) -> Option<usize> {
    let mut at = (text.get(at) == Some(&b'"')).then_some(at + 1)?;
    loop {
        match text.get(at)? {
            b'"' => return Some(at + 1),
            b'\\' => match text.get(at + 1)? {
                b'u' => {
                    let digits = text.get(at + 2..at + 6)?;
                    at = digits.iter().all(u8::is_ascii_hexdigit).then_some(at + 6)?;
                }
                b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => at += 2,
                _ => return None,
            },
            0..=0x1f => return None,
            _ => at += 1,
        }
    }
}

/// Whether text is a number of JSON, however large (RFC 8259, section 6).
pub(crate) fn is_number(text: &[u8]) -> bool {
    let digits = |text: &[u8]| text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let rest = text.strip_prefix(b"-").unwrap_or(text);
    let whole = digits(rest);
    if whole == 0 || whole > 1 && rest[0] == b'0' {
        return false;
    }
    let mut rest = &rest[whole..];
    if let Some(behind) = rest.strip_prefix(b".") {
        let places = digits(behind);
        if places == 0 {
            return false;
        }
        rest = &behind[places..];
    }
    match rest.split_first() {
        None => true,
        Some((b'e' | b'E', exponent)) => {
            let exponent = match exponent.first() {
                Some(b'+' | b'-') => &exponent[1..],
                _ => exponent,
            };
            !exponent.is_empty() && digits(exponent) == exponent.len()
        }
        Some(_) => false,
    }
}

/// The text of a JSON string. A half of a surrogate pair alone becomes U+FFFD.
pub(crate) fn unescape(raw: &[u8], text: &mut Vec<u8>) {
    let unit = |at: usize| {
        let digits = raw.get(at..at + 4)?;
        u32::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
    };
    let mut at = 0;
    while let Some(byte) = raw.get(at) {
        if *byte != b'\\' {
            text.push(*byte);
            at += 1;
            continue;
        }
        let escaped = raw.get(at + 1).copied().unwrap_or(b'\\');
        at += 2;
        match escaped {
            b'b' => text.push(8),
            b'f' => text.push(12),
            b'n' => text.push(b'\n'),
            b'r' => text.push(b'\r'),
            b't' => text.push(b'\t'),
            b'u' => {
                let mut code = unit(at).unwrap_or(0xfffd);
                at += 4;
                if (0xd800..0xdc00).contains(&code) && raw.get(at..at + 2) == Some(b"\\u") {
                    if let Some(low) = unit(at + 2).filter(|low| (0xdc00..0xe000).contains(low)) {
                        code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
                        at += 6;
                    }
                }
                let c = char::from_u32(code).unwrap_or('\u{fffd}');
                text.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
            }
            other => text.push(other),
        }
    }
}

pub(crate) fn escape(text: &[u8], out: &mut Vec<u8>) {
    for byte in text {
        match byte {
            b'"' | b'\\' => out.extend_from_slice(&[b'\\', *byte]),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            0..=0x1f => {
                out.extend_from_slice(b"\\u00");
                write_hex(&[*byte], 2, out);
            }
            _ => out.push(*byte),
        }
    }
}

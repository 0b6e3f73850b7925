//! What a text means under the encodings that texts arrive in: JSON escapes however deep, percent-encoding,
//! quoted-printable. Decoded into a buffer that is used again, with the place of every byte in the original.
//!
//! This is for looking, not for reading: a backslash before a letter in plain text is taken for an escape, which
//! costs a letter that is not looked for and finds the address behind `\n`.

use memchr::{memchr, memchr3, memchr_iter, memmem};

/// A decoded text and where its bytes came from.
#[derive(Default)]
pub struct Decoded {
    bytes: Vec<u8>,
    /// Offset in the original of each decoded byte, and of the end.
    origins: Vec<u32>,
}

impl Decoded {
    /// Decodes a text if there is anything to decode; `None` when it is plain already.
    pub fn decode(&mut self, text: &[u8]) -> Option<&Decoded> {
        memchr3(b'\\', b'%', b'=', text)?;
        let quoted_printable = is_quoted_printable(text);
        let escapes = memchr(b'\\', text).is_some() || has_percent(text) || quoted_printable;
        if !escapes || u32::try_from(text.len()).is_err() {
            return None;
        }
        self.bytes.clear();
        self.origins.clear();
        let mut at = 0;
        while at < text.len() {
            // Soft line breaks belong to what follows, so that a candidate before one ends before it.
            let next = if quoted_printable {
                after_soft_breaks(text, at)
            } else {
                at
            };
            if next == text.len() {
                break;
            }
            let first = self.origins.len();
            let after = self.step(text, next, quoted_printable);
            if let Some(origin) = self.origins.get_mut(first) {
                *origin = at as u32;
            }
            at = after;
        }
        self.origins.push(text.len() as u32);
        Some(self)
    }

    /// The decoded bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The range of the original that a range of the decoded bytes came from.
    pub fn original(&self, range: std::ops::Range<usize>) -> std::ops::Range<usize> {
        self.origins[range.start] as usize..self.origins[range.end] as usize
    }

    /// Decodes what stands at a place; returns the place after it.
    fn step(&mut self, text: &[u8], at: usize, quoted_printable: bool) -> usize {
        match text[at] {
            b'\\' => self.backslashes(text, at),
            b'%' => match hex_byte(&text[at + 1..]) {
                Some(byte) => self.put(byte, at, at + 3),
                None => self.put(b'%', at, at + 1),
            },
            b'=' if quoted_printable => match hex_byte(&text[at + 1..]) {
                Some(byte) => self.put(byte, at, at + 3),
                None => self.put(b'=', at, at + 1),
            },
            byte => self.put(byte, at, at + 1),
        }
    }

    /// A run of backslashes and what it escapes: JSON inside JSON doubles them, so their number says nothing.
    fn backslashes(&mut self, text: &[u8], at: usize) -> usize {
        let run = text[at..].iter().take_while(|b| **b == b'\\').count();
        let next = at + run;
        match text.get(next) {
            Some(b'n' | b'r' | b't' | b'b' | b'f') => self.put(b'\n', at, next + 1),
            Some(b'u') => match unicode_escape(&text[next + 1..]) {
                Some(character) => {
                    let mut utf8 = [0u8; 4];
                    for byte in character.encode_utf8(&mut utf8).bytes() {
                        self.put(byte, at, next + 5);
                    }
                    next + 5
                }
                None => self.put(b'\\', at, next),
            },
            // Quotes and slashes stand for themselves.
            Some(byte) => self.put(*byte, at, next + 1),
            None => self.put(b'\\', at, next),
        }
    }

    fn put(&mut self, byte: u8, at: usize, next: usize) -> usize {
        self.bytes.push(byte);
        self.origins.push(at as u32);
        next
    }
}

/// The place after the soft line breaks of quoted-printable at a place.
pub fn after_soft_breaks(text: &[u8], mut at: usize) -> usize {
    loop {
        at += match &text[at..] {
            [b'=', b'\n', ..] => 2,
            [b'=', b'\r', b'\n', ..] => 3,
            _ => return at,
        };
    }
}

fn has_percent(text: &[u8]) -> bool {
    memchr_iter(b'%', text).any(|at| hex_byte(&text[at + 1..]).is_some())
}

/// Whether a text bears the marks of quoted-printable: without them an equals sign is an equals sign.
pub fn is_quoted_printable(text: &[u8]) -> bool {
    memchr(b'=', text).is_some()
        && [&b"=\n"[..], b"=\r\n", b"=3D", b"=20\n", b"=C3=", b"=E2="]
            .iter()
            .any(|mark| memmem::find(text, mark).is_some())
}

/// The byte that two hexadecimal digits at the beginning of a slice write.
pub fn hex_byte(digits: &[u8]) -> Option<u8> {
    let digit = |byte: u8| (byte as char).to_digit(16);
    Some((digit(*digits.first()?)? * 16 + digit(*digits.get(1)?)?) as u8)
}

/// The character that four hexadecimal digits write; halves of a surrogate pair are none.
pub fn unicode_escape(digits: &[u8]) -> Option<char> {
    let high = u32::from(hex_byte(digits)?);
    let low = u32::from(hex_byte(digits.get(2..)?)?);
    char::from_u32(high << 8 | low)
}

/// Decodes PostgreSQL's hex form of a bytea (`\x68656c…`) into a buffer, as far as `limit` bytes.
///
/// Returns whether it was one and its bytes read as text: no NUL, at most one control character in fifty.
pub(crate) fn bytea_text(field: &[u8], limit: usize, buffer: &mut Vec<u8>) -> bool {
    let Some(digits) = field.strip_prefix(b"\\x") else {
        return false;
    };
    buffer.clear();
    buffer.extend(digits.chunks_exact(2).take(limit).map_while(hex_byte));
    let controls = buffer
        .iter()
        .filter(|b| b.is_ascii_control() && !b.is_ascii_whitespace())
        .count();
    let whole = match std::str::from_utf8(buffer) {
        Ok(_) => true,
        // A character cut by the limit is no fault.
        Err(error) => error.error_len().is_none() && buffer.len() == limit,
    };
    whole && !buffer.is_empty() && !buffer.contains(&0) && controls * 50 <= buffer.len()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn decoded(text: &str) -> String {
        let mut decoded = Decoded::default();
        decoded.decode(text.as_bytes()).map_or(text.to_string(), |d| {
            String::from_utf8_lossy(d.bytes()).into_owned()
        })
    }

    #[test]
    fn escapes_of_every_depth_are_undone() {
        assert_eq!(
            decoded(r#"{"a":"b\nalice\u0040example.com"}"#),
            "{\"a\":\"b\nalice@example.com\"}"
        );
        assert_eq!(
            decoded(r#"{\\\"a\\\":\\\"x\\\\nalice@example.com"#),
            "{\"a\":\"x\nalice@example.com"
        );
        assert_eq!(
            decoded("to=alice%40example.com&x=100%"),
            "to=alice@example.com&x=100%"
        );
    }

    #[test]
    fn quoted_printable_needs_its_marks() {
        assert_eq!(
            decoded("Alice =\n<alice@exam=\nple.com> =C3=A9"),
            "Alice <alice@example.com> é"
        );
        assert_eq!(decoded("phone=0612345678"), "phone=0612345678");
    }

    #[test]
    fn places_lead_back_to_the_original() {
        let text = r"x\nalice%40example.com!";
        let mut decoded = Decoded::default();
        let decoded = decoded.decode(text.as_bytes()).unwrap();
        let start = memmem::find(decoded.bytes(), b"alice").unwrap();
        assert_eq!(
            &text[decoded.original(start..start + "alice@example.com".len())],
            "alice%40example.com"
        );
    }

    #[test]
    fn a_bytea_is_text_or_it_is_not() {
        let mut buffer = Vec::new();
        assert!(bytea_text(b"\\x616c696365", 100, &mut buffer) && buffer == b"alice");
        assert!(!bytea_text(b"\\x00ff616c", 100, &mut buffer) && !bytea_text(b"616c", 100, &mut buffer));
    }
}

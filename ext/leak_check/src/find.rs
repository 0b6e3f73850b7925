//! Finds the candidates in every row that is written, quickly: what [`personal_data`] takes for an e-mail address, a
//! telephone number, an IBAN, a card or an identity number, and unsalted digests.
//!
//! Detection looks at a sample and at every kind; this looks at everything and only at these. So it begins with one
//! pass over sixteen bytes at a time (is there an `@`, an escape, are there nine digits at all?), and most fields end
//! there. What is left is walked from `@` to `@` and from number to number, by the same checks
//! as detection's.

mod glance;
mod hidden;
mod undo;

use glance::Contents;
use hidden::{bare_number, bare_numbers, is_disguised, Unpacked};
use memchr::{memchr, memchr_iter};
use personal_data::decode::hex_byte;
use personal_data::{people, scan, PiiKind};
use undo::{hides_an_at, undo};

/// No kind that is followed has fewer digits.
const DIGITS: usize = 9;
/// The shortest that is followed: `a@b.cd`.
const SHORTEST: usize = 6;
/// The lengths of MD5, SHA-1, SHA-256 and SHA-512 in hex digits.
const DIGEST_LENGTHS: [usize; 4] = [32, 40, 64, 128];
/// A buffer that has grown beyond this for one huge field is given back.
const BUFFER: usize = 256 * 1024;

/// What was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Candidate<'a> {
    /// A value of a kind, as it is written.
    Value(PiiKind, &'a [u8]),
    /// The bytes of something that may be an unsalted digest.
    Digest(&'a [u8]),
}

/// Finds candidates, with a buffer that is used again.
#[derive(Default)]
pub(crate) struct Finder {
    plain: Vec<u8>,
    bytes: Vec<u8>,
    undisguised: Vec<u8>,
    unpacked: Vec<u8>,
    /// Look for first and last names, too.
    names: bool,
}
impl Finder {
    pub(crate) fn new(names: bool) -> Self {
        Self {
            plain: Vec::new(),
            bytes: Vec::new(),
            undisguised: Vec::new(),
            unpacked: Vec::new(),
            names,
        }
    }

    /// Whether nothing can be found in what a field of COPY text stands for, as a glance shows. Of COPY's own escapes
    /// only the doubled backslash leaves one that hides something.
    pub(crate) fn has_nothing(&self, field: &[u8]) -> bool {
        if field.len() < SHORTEST || self.names {
            return field.len() < SHORTEST;
        }
        let contents = match field.len() < DIGITS {
            true => Contents::of_short(field),
            false => Contents::of(field),
        };
        let hides = contents.escape || contents.backslash && has_doubled_backslash(field);
        !contents.at && !hides && contents.digits < DIGITS && !is_wrapped(field, &contents)
    }

    /// Calls back with each candidate in a text. Escapes of JSON, percent-encoding and quoted-printable are undone.
    pub(crate) fn text(&mut self, text: &[u8], found: &mut dyn FnMut(Candidate<'_>)) {
        if text.len() < SHORTEST {
            return;
        }
        let contents = Contents::of(text);
        if contents.disguise && is_disguised(text) {
            return self.undisguised(text, found);
        }
        if may_hold_packed(text, &contents) {
            self.packed(text, found);
        }
        let Contents {
            at,
            escape,
            backslash,
            digits,
            ..
        } = contents;
        let escape = escape || backslash;
        if digits >= DIGITS && text.len() >= DIGEST_LENGTHS[0] {
            digests(text, found);
        }
        let candidates = at || digits >= DIGITS;
        if escape && (candidates || self.names || hides_an_at(text)) && undo(text, &mut self.plain) {
            self.undo_again();
            walk(&self.plain, true, true, found);
            self.names_in(None, found);
            if self.plain.capacity() > BUFFER {
                self.plain = Vec::new();
            }
            return;
        }
        if candidates {
            walk(text, at, digits >= DIGITS, found);
        }
        self.names_in(Some(text), found);
    }

    /// The same of a text in whose disguise nothing is found.
    fn undisguised(&mut self, text: &[u8], found: &mut dyn FnMut(Candidate<'_>)) {
        let mut plain = std::mem::take(&mut self.undisguised);
        hidden::undisguise(text, &mut plain);
        self.text(&plain, found);
        if plain.capacity() <= BUFFER {
            self.undisguised = plain;
        }
    }

    /// What base64 in a text holds.
    fn packed(&mut self, text: &[u8], found: &mut dyn FnMut(Candidate<'_>)) {
        let unpacked = &mut self.unpacked;
        hidden::packed_runs(text, &mut |run| match hidden::unpack(run, unpacked) {
            Unpacked::Digest => found(Candidate::Digest(unpacked)),
            Unpacked::Text => {
                let contents = Contents::of(unpacked);
                if contents.at || contents.digits >= DIGITS {
                    walk(unpacked, contents.at, contents.digits >= DIGITS, found);
                }
            }
            Unpacked::Other => {}
        });
    }

    /// Percent-encoding inside percent-encoding, as far as it is found in the wild.
    fn undo_again(&mut self) {
        for _ in 0..2 {
            if !hidden::is_encoded_twice(&self.plain) {
                return;
            }
            let outer = std::mem::take(&mut self.plain);
            undo(&outer, &mut self.plain);
        }
    }

    /// Names in a text, or in what was decoded of it.
    fn names_in(&self, text: Option<&[u8]>, found: &mut dyn FnMut(Candidate<'_>)) {
        if self.names {
            let text = text.unwrap_or(&self.plain);
            people::in_text(text, |range| found(Candidate::Value(PiiKind::Name, &text[range])));
        }
    }

    /// Calls back with what a whole number of an integer or numeric column is, if anything: a card or a NIR.
    pub(crate) fn number(&self, digits: &[u8], found: &mut dyn FnMut(Candidate<'_>)) {
        if !digits.iter().all(u8::is_ascii_digit) {
            return;
        }
        if (13..=19).contains(&digits.len()) {
            walk(digits, false, true, found);
        } else if let Some(kind) = bare_number(digits).filter(|kind| *kind != PiiKind::Iban) {
            found(Candidate::Value(kind, digits));
        }
    }

    /// Calls back with the candidates in a bytea in hex form (without `\x`), if it decodes as text or is a digest.
    /// Returns false where it holds something else, which has not been looked at.
    pub(crate) fn bytes(&mut self, hex: &[u8], found: &mut dyn FnMut(Candidate<'_>)) -> bool {
        if DIGEST_LENGTHS.contains(&hex.len()) {
            digests(hex, found);
        }
        let is_marshal = hex.starts_with(b"0408");
        if !is_marshal && !reads_as_text(hex) {
            return DIGEST_LENGTHS.contains(&hex.len()) || hex.is_empty();
        }
        let mut bytes = std::mem::take(&mut self.bytes);
        bytes.clear();
        bytes.extend(hex.chunks_exact(2).map_while(hex_byte));
        self.text(&bytes, found);
        if bytes.capacity() <= BUFFER {
            self.bytes = bytes;
        }
        true
    }
}

/// Whether the first bytes of a hex string are text: no NUL, no other control characters than blanks.
fn reads_as_text(hex: &[u8]) -> bool {
    let head = hex.chunks_exact(2).take(256).map_while(hex_byte);
    hex.len() >= 2 * SHORTEST
        && head
            .into_iter()
            .all(|byte| byte >= 0x20 && byte != 0x7f || byte.is_ascii_whitespace())
}

/// Whether what a text holds stands in it in base64 or in disguise.
fn is_wrapped(text: &[u8], contents: &Contents) -> bool {
    contents.disguise && is_disguised(text) || may_hold_packed(text, contents) && hidden::has_packed_run(text)
}

/// Whether a look for base64 is worth it.
fn may_hold_packed(text: &[u8], contents: &Contents) -> bool {
    contents.mixed && (contents.packed || is_structured(text))
}

/// Whether a text is a document, in which base64 is too short for [`Contents::packed`] where it does not begin it.
fn is_structured(text: &[u8]) -> bool {
    matches!(text.first(), Some(b'{' | b'[' | b'"'))
}

/// Whether a field of COPY text has an escaped backslash.
fn has_doubled_backslash(field: &[u8]) -> bool {
    let mut escapes = memchr_iter(b'\\', field);
    escapes.any(|at| field.get(at + 1) == Some(&b'\\'))
}

/// Walks a plain text from `@` to `@` and from number to number.
fn walk(text: &[u8], addresses: bool, numbers: bool, found: &mut dyn FnMut(Candidate<'_>)) {
    if addresses {
        let mut from = 0;
        while let Some(at) = memchr(b'@', &text[from..]).map(|offset| from + offset) {
            from = at + 1;
            if let Some((PiiKind::Email, range)) = scan::address_at(text, at) {
                let is_all = range.len() == text.len();
                found(Candidate::Value(PiiKind::Email, &text[range]));
                if is_all {
                    // Its digits are part of it.
                    return;
                }
            }
        }
    }
    if numbers {
        let mut from = 0;
        while let Some(digit) = scan::next_digit(text, from) {
            let end = if begins_something(text, digit) {
                let mut is_known = false;
                let end = scan::number_at(text, digit, &mut |kind, range| {
                    is_known = true;
                    found(Candidate::Value(kind, &text[range]));
                });
                if !is_known {
                    bare_numbers(text, digit, found);
                }
                end
            } else {
                end_of_groups(text, digit).0
            };
            from = end.max(digit + 1);
        }
    }
}

/// Whether a number that begins at a digit may be followed: enough digits in groups, or the letters of an IBAN before.
fn begins_something(text: &[u8], digit: usize) -> bool {
    let glued = digit > 0 && (text[digit - 1].is_ascii_alphabetic() || text[digit - 1] == b'_');
    if glued {
        return digit >= 2 && text[digit - 2].is_ascii_alphabetic();
    }
    end_of_groups(text, digit).1 >= DIGITS
}

/// Where the groups of digits that begin at a place end, and how many digits they have. Looser than
/// `personal_data::scan`, which has the last word.
fn end_of_groups(text: &[u8], start: usize) -> (usize, usize) {
    let (mut digits, mut end, mut between) = (0, start, 0);
    for (offset, byte) in text[start..].iter().enumerate() {
        match byte {
            b'0'..=b'9' => {
                digits += 1;
                end = start + offset + 1;
                between = 0;
            }
            b' ' | b'.' | b'-' | b'/' | b'(' | b')' | 0xC2 | 0xA0 | 0xE2 | 0x80 | 0xAF | b'A' | b'B'
            | b'a' | b'b'
                if between < 3 =>
            {
                between += 1;
            }
            _ => break,
        }
    }
    (end, digits)
}

/// Whether a whole text may be a digest.
pub(crate) fn is_digest(text: &[u8]) -> bool {
    DIGEST_LENGTHS.contains(&text.len()) && text.iter().all(u8::is_ascii_hexdigit)
}

/// Runs of exactly as many hex digits as a digest has. A run of thirty-two covers at least one place in thirty-two.
fn digests(text: &[u8], found: &mut dyn FnMut(Candidate<'_>)) {
    let mut at = DIGEST_LENGTHS[0] - 1;
    while at < text.len() {
        if !text[at].is_ascii_hexdigit() {
            at += DIGEST_LENGTHS[0];
            continue;
        }
        let start = at
            - text[..at]
                .iter()
                .rev()
                .take(128)
                .take_while(|b| b.is_ascii_hexdigit())
                .count();
        let end = at
            + text[at..]
                .iter()
                .take(129)
                .take_while(|b| b.is_ascii_hexdigit())
                .count();
        let is_bounded = (start == 0 || !text[start - 1].is_ascii_alphanumeric())
            && !text.get(end).is_some_and(u8::is_ascii_alphanumeric);
        if is_bounded && DIGEST_LENGTHS.contains(&(end - start)) {
            let mut bytes = [0u8; 64];
            for (byte, pair) in bytes.iter_mut().zip(text[start..end].chunks_exact(2)) {
                *byte = hex_byte(pair).unwrap_or_default();
            }
            found(Candidate::Digest(&bytes[..(end - start) / 2]));
        }
        at = end.max(at) + DIGEST_LENGTHS[0];
    }
}

#[cfg(test)]
mod tests;

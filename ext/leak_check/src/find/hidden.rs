//! What hides a value from a look at its plain form: base64, entities of HTML, full-width and zero-width characters, and
//! numbers without what marks them (a plus, a key, a country).

use super::Candidate;
use memchr::{memchr2_iter, memchr_iter, memmem};
use personal_data::{is_phone_without_plus, PiiKind};

/// Characters of base64 from which on a run may be packed text.
const PACKED: usize = 16;
/// Lengths, without padding, of digests in base64: MD5, SHA-1, SHA-256, SHA-512.
const PACKED_DIGESTS: [usize; 4] = [22, 27, 43, 86];
/// Lengths of accounts without country and check digits: the Netherlands, Switzerland, Germany and the United Kingdom, Spain,
/// Portugal, France and Italy, Poland.
const ACCOUNTS: [usize; 7] = [14, 17, 18, 20, 21, 23, 24];
/// Bytes of a packed text that are looked at.
const LONGEST: usize = 64 * 1024;

/// Entities by name that stand inside addresses and numbers.
const ENTITIES: [(&[u8], u8); 8] = [
    (b"commat", b'@'),
    (b"period", b'.'),
    (b"lowbar", b'_'),
    (b"plus", b'+'),
    (b"hyphen", b'-'),
    (b"nbsp", b' '),
    (b"num", b'#'),
    (b"amp", b'&'),
];

/// Whether a byte is one of base64, of either alphabet.
fn is_packed(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'-' | b'_')
}

/// Calls back with the runs of base64 that are long enough and mix capitals and small letters, as packed text does. A run
/// covers at least one place in sixteen.
pub(super) fn packed_runs(text: &[u8], found: &mut dyn FnMut(&[u8])) {
    let mut at = PACKED - 1;
    while at < text.len() {
        if !is_packed(text[at]) {
            at += PACKED;
            continue;
        }
        let start = at
            - text[..at]
                .iter()
                .rev()
                .take_while(|byte| is_packed(**byte))
                .count();
        let end = at + text[at..].iter().take_while(|byte| is_packed(**byte)).count();
        let run = &text[start..end];
        let mixed = run.iter().any(u8::is_ascii_uppercase) && run.iter().any(u8::is_ascii_lowercase);
        if run.len() >= PACKED && mixed {
            found(run);
        }
        at = end + PACKED;
    }
}

/// Whether there is such a run.
pub(super) fn has_packed_run(text: &[u8]) -> bool {
    let mut any = false;
    packed_runs(text, &mut |_| any = true);
    any
}

/// What a run of base64 holds.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Unpacked {
    /// Text, or Ruby's Marshal.
    Text,
    /// As many bytes as a digest has.
    Digest,
    /// Something else.
    Other,
}

/// Decodes a run of base64, as far as its beginning shows that it is worth it.
pub(super) fn unpack(run: &[u8], bytes: &mut Vec<u8>) -> Unpacked {
    bytes.clear();
    let is_digest = PACKED_DIGESTS.contains(&run.len());
    let head = &run[..PACKED.min(run.len())];
    decode(head, bytes);
    let is_marshal = bytes.starts_with(&[4, 8]);
    // A character that the head cuts is no fault.
    let is_utf8 = std::str::from_utf8(bytes).map_or_else(|fault| fault.error_len().is_none(), |_| true);
    let is_plain = |byte: &u8| *byte >= 0x20 && *byte != 0x7F || byte.is_ascii_whitespace();
    let reads = is_utf8 && bytes.iter().all(is_plain);
    if !(is_digest || is_marshal || reads) {
        return Unpacked::Other;
    }
    bytes.clear();
    decode(&run[..run.len().min(LONGEST)], bytes);
    match (is_marshal || reads, is_digest) {
        (true, _) => Unpacked::Text,
        (false, true) => Unpacked::Digest,
        (false, false) => Unpacked::Other,
    }
}

fn decode(run: &[u8], bytes: &mut Vec<u8>) {
    for four in run.chunks(4) {
        let mut bits = four.iter().fold(0u32, |bits, byte| bits << 6 | sextet(*byte));
        bits <<= 6 * (4 - four.len() as u32);
        let [_, first, second, third] = bits.to_be_bytes();
        bytes.extend_from_slice(&[first, second, third][..four.len() - 1]);
    }
}

fn sextet(byte: u8) -> u32 {
    u32::from(match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' | b'-' => 62,
        _ => 63,
    })
}

/// Whether a text has entities, or characters that are another way to write ASCII or nothing at all.
pub(super) fn is_disguised(text: &[u8]) -> bool {
    memchr_iter(b'&', text).any(|at| entity(&text[at..]).is_some())
        || memchr2_iter(0xEF, 0xE2, text).any(|at| disguise(&text[at..]).is_some())
}

/// Writes a text without its disguises.
pub(super) fn undisguise(text: &[u8], plain: &mut Vec<u8>) {
    plain.clear();
    let mut at = 0;
    while let Some(byte) = text.get(at) {
        let rest = &text[at..];
        let undone = match byte {
            b'&' => entity(rest),
            0xEF | 0xE2 | 0xC2 => disguise(rest).map(|(byte, length)| (byte.map(char::from), length)),
            _ => None,
        };
        match undone {
            Some((character, length)) => {
                if let Some(character) = character {
                    plain.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
                }
                at += length;
            }
            None => {
                plain.push(*byte);
                at += 1;
            }
        }
    }
}

/// The character that an entity at the beginning stands for, and the entity's length.
fn entity(rest: &[u8]) -> Option<(Option<char>, usize)> {
    let end = rest.iter().take(12).position(|byte| *byte == b';')?;
    let name = &rest[1..end];
    let character = match name {
        [b'#', b'x' | b'X', digits @ ..] => number(digits, 16)?,
        [b'#', digits @ ..] => number(digits, 10)?,
        _ => char::from(ENTITIES.iter().find(|(known, _)| name == *known)?.1),
    };
    Some((Some(character), end + 1))
}

fn number(digits: &[u8], base: u32) -> Option<char> {
    let digits = std::str::from_utf8(digits).ok()?;
    char::from_u32(u32::from_str_radix(digits, base).ok()?)
}

/// A full-width character as ASCII, or None for one without width; and its length.
fn disguise(rest: &[u8]) -> Option<(Option<u8>, usize)> {
    match rest {
        [0xEF, 0xBC, last @ 0x81..=0xBF, ..] => Some((Some(last - 0x60), 3)),
        [0xEF, 0xBD, last @ 0x80..=0x9E, ..] => Some((Some(last - 0x20), 3)),
        [0xEF, 0xBB, 0xBF, ..] | [0xE2, 0x80, 0x8B..=0x8F, ..] | [0xE2, 0x81, 0xA0, ..] => Some((None, 3)),
        [0xC2, 0xAD, ..] => Some((None, 2)),
        _ => None,
    }
}

/// Whether something is percent-encoded once more.
pub(super) fn is_encoded_twice(text: &[u8]) -> bool {
    [&b"%40"[..], b"%2B", b"%2b", b"%25"]
        .iter()
        .any(|code| memmem::find(text, code).is_some())
}

/// Numbers that lack what marks them, around a digit of a text: an account without its country, a NIR without its key, a
/// telephone number without its plus.
pub(super) fn bare_numbers(text: &[u8], digit: usize, found: &mut dyn FnMut(Candidate<'_>)) {
    let is_part = |byte: &&u8| byte.is_ascii_alphanumeric();
    let start = digit - text[..digit].iter().rev().take(31).take_while(is_part).count();
    let end = digit + text[digit..].iter().take(31).take_while(is_part).count();
    let word = &text[start..end];
    if let Some(kind) = bare_number(word) {
        found(Candidate::Value(kind, word));
    } else if let Some(account) = text.get(start..start + 26).filter(|account| is_rib(account)) {
        found(Candidate::Value(PiiKind::Iban, account));
    } else if let Some(stem) = text.get(start..start + 18).filter(|stem| is_spaced_nir(stem)) {
        found(Candidate::Value(PiiKind::Nir, stem));
    }
}

/// What a word of letters and digits may be.
pub(super) fn bare_number(word: &[u8]) -> Option<PiiKind> {
    let digits = word.iter().filter(|byte| byte.is_ascii_digit()).count();
    match word.len() {
        13 if digits == 13 && is_nir_without_key(word) => Some(PiiKind::Nir),
        11..=13 if digits == word.len() && is_phone_without_plus(word) => Some(PiiKind::Phone),
        length if digits >= 10 && ACCOUNTS.contains(&length) => Some(PiiKind::Iban),
        _ => None,
    }
}

/// Sex, year, month, department, commune and order, without the key that would prove it.
fn is_nir_without_key(digits: &[u8]) -> bool {
    let month = (digits[3] - b'0') * 10 + digits[4] - b'0';
    matches!(digits[0], b'1' | b'2') && matches!(month, 1..=12 | 20 | 30..=42) && digits[10..13] != *b"000"
}

/// "2 55 08 14 168 025".
fn is_spaced_nir(text: &[u8]) -> bool {
    let spaced = [1, 4, 7, 10, 14].iter().all(|place| text[*place] == b' ');
    let mut digits = [0u8; 13];
    let mut all = text.iter().filter(|byte| **byte != b' ');
    spaced
        && digits.iter_mut().all(|digit| match all.next() {
            Some(byte) if byte.is_ascii_digit() => {
                *digit = *byte;
                true
            }
            _ => false,
        })
        && is_nir_without_key(&digits)
}

/// "20041 01005 0500013M026 06": a French account as it is printed.
fn is_rib(text: &[u8]) -> bool {
    text.iter().enumerate().all(|(place, byte)| match place {
        5 | 11 | 23 => *byte == b' ',
        12..=22 => byte.is_ascii_alphanumeric(),
        _ => byte.is_ascii_digit(),
    })
}

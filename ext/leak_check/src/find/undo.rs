//! Escapes of JSON, percent-encoding and quoted-printable, undone by whole slices and without the places.

use memchr::{memchr3, memmem};
use personal_data::decode::{after_soft_breaks, hex_byte, is_quoted_printable, unicode_escape};

/// Whether an `@` stands in a text in one of its encodings.
pub(super) fn hides_an_at(text: &[u8]) -> bool {
    memchr3(b'\\', b'%', b'=', text).is_some_and(|first| {
        let rest = &text[first..];
        [&b"%40"[..], b"u0040", b"=40", b"%25"]
            .iter()
            .any(|hidden| memmem::find(rest, hidden).is_some())
    })
}

/// Undoes the encodings of a text, as `personal_data::decode` does but without the places, and so by whole slices. Returns
/// false when there was nothing to undo.
pub(super) fn undo(text: &[u8], plain: &mut Vec<u8>) -> bool {
    let quoted_printable = is_quoted_printable(text);
    plain.clear();
    let (mut at, mut copied, mut undone) = (0, 0, false);
    while let Some(next) = memchr3(b'\\', b'%', b'=', &text[at..]).map(|offset| at + offset) {
        let (byte, after) = match text[next] {
            b'\\' => backslashes(text, next),
            b'=' if !quoted_printable => (None, next + 1),
            b'=' if after_soft_breaks(text, next) > next => {
                plain.extend_from_slice(&text[copied..next]);
                at = after_soft_breaks(text, next);
                copied = at;
                undone = true;
                continue;
            }
            _ => match hex_byte(&text[next + 1..]) {
                Some(byte) => (Some(Undone::Byte(byte)), next + 3),
                None => (None, next + 1),
            },
        };
        if let Some(byte) = byte {
            plain.extend_from_slice(&text[copied..next]);
            match byte {
                Undone::Byte(byte) => plain.push(byte),
                Undone::Character(character) => {
                    plain.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
                }
            }
            copied = after;
            undone = true;
        }
        at = after;
    }
    plain.extend_from_slice(&text[copied..]);
    undone
}

/// What an escape stands for.
enum Undone {
    Byte(u8),
    Character(char),
}

/// A run of backslashes and what it escapes: JSON inside JSON doubles them, so their number says nothing.
fn backslashes(text: &[u8], at: usize) -> (Option<Undone>, usize) {
    let next = at + text[at..].iter().take_while(|byte| **byte == b'\\').count();
    match text.get(next) {
        Some(b'n' | b'r' | b't' | b'b' | b'f') => (Some(Undone::Byte(b'\n')), next + 1),
        Some(b'u') => match unicode_escape(&text[next + 1..]) {
            Some(character) => (Some(Undone::Character(character)), next + 5),
            None => (None, next),
        },
        Some(byte) => (Some(Undone::Byte(*byte)), next + 1),
        None => (None, next),
    }
}

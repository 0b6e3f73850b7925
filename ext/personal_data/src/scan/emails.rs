//! From `@` to `@`: e-mail addresses, and passwords in URLs.

use super::Visitor;
use crate::PiiKind;
use memchr::{memchr_iter, memmem, memrchr};
use std::ops::Range;

/// Endings after `@` that are files, not domains: `logo@2x.png`.
const FILE_ENDINGS: &[&[u8]] = &[
    b"png", b"jpg", b"jpeg", b"gif", b"svg", b"webp", b"css", b"js", b"scss", b"rb", b"erb", b"pdf", b"ico",
    b"avif",
];

/// Local parts that machines write from; no person's address.
const MACHINES: &[&[u8]] = &[
    b"noreply",
    b"no-reply",
    b"donotreply",
    b"do-not-reply",
    b"ne-pas-repondre",
    b"mailer-daemon",
    b"git",
];

pub(super) fn emails(text: &[u8], found: &mut Visitor<'_>) {
    for at in memchr_iter(b'@', text) {
        if let Some((kind, range)) = address_at(text, at) {
            found(kind, range);
        }
    }
}

/// What stands around an `@`: a person's e-mail address, or a password and its host in a URL.
pub fn address_at(text: &[u8], at: usize) -> Option<(PiiKind, Range<usize>)> {
    let end = domain_end(text, at + 1)?;
    let start = local_start(text, at);
    if start == at {
        return None;
    }
    if is_credential(text, start) {
        return Some((PiiKind::Password, start..end));
    }
    let is_machine = |machine: &&[u8]| text[start..at].eq_ignore_ascii_case(machine);
    (!MACHINES.iter().any(is_machine)).then_some((PiiKind::Email, start..end))
}

/// Where the local part before an `@` begins: dot-atoms of RFC 5322 as people have them, at most 64 bytes.
fn local_start(text: &[u8], at: usize) -> usize {
    let floor = at.saturating_sub(64);
    let is_local =
        |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'%' | b'+' | b'-' | b'\'');
    let mut start = at;
    while let Some(before) = text[floor..start].last() {
        start -= match before {
            b if is_local(b) => 1,
            b if b.is_ascii() => break,
            _ => match letter_before(&text[floor..start]) {
                Some(length) => length,
                None => break,
            },
        };
    }
    // A quote or a dash before an address is not of it.
    while start < at && matches!(text[start], b'\'' | b'.' | b'-' | b'%') {
        start += 1;
    }
    start
}

/// Where the domain that begins after an `@` ends; `None` when it is none.
fn domain_end(text: &[u8], from: usize) -> Option<usize> {
    let rest = &text[from..text.len().min(from + 253)];
    let mut length = 0;
    while let Some(next) = rest.get(length) {
        length += match next {
            b if b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-') => 1,
            b if b.is_ascii() => break,
            _ => match letter_after(&rest[length..]) {
                Some(letter) => letter,
                None => break,
            },
        };
    }
    let domain = &rest[..length];
    let is_end = |b: &u8| b.is_ascii_alphanumeric() || !b.is_ascii();
    let domain = &domain[..domain.iter().rposition(is_end)? + 1];
    let dot = memrchr(b'.', domain)?;
    let ending = &domain[dot + 1..];
    let sound = (2..=24).contains(&ending.len())
        && ending.iter().all(u8::is_ascii_alphabetic)
        && dot > 0
        && domain[0] != b'.'
        && !domain.windows(2).any(|pair| pair == b"..")
        && !FILE_ENDINGS.iter().any(|file| ending.eq_ignore_ascii_case(file));
    sound.then(|| from + domain.len())
}

/// How long the letter is that a text ends in, where it is one of another alphabet than ASCII's.
fn letter_before(text: &[u8]) -> Option<usize> {
    let begins = text.iter().rposition(|byte| byte & 0xC0 != 0x80)?;
    is_letter(&text[begins..]).then_some(text.len() - begins)
}

/// How long the letter is that a text begins with.
fn letter_after(text: &[u8]) -> Option<usize> {
    let others = text.iter().skip(1).take_while(|byte| **byte & 0xC0 == 0x80);
    let length = 1 + others.count();
    is_letter(&text[..length]).then_some(length)
}

fn is_letter(character: &[u8]) -> bool {
    std::str::from_utf8(character).is_ok_and(|text| text.chars().all(char::is_alphanumeric))
}

/// Whether what looks like a local part is the password of a URL: `postgres://user:password@host.example`.
fn is_credential(text: &[u8], start: usize) -> bool {
    let Some(before) = text[..start].strip_suffix(b":") else {
        return false;
    };
    let token = &before[before.len()
        - before
            .iter()
            .rev()
            .take(80)
            .take_while(|b| b.is_ascii_graphic())
            .count()..];
    memmem::find(token, b"://").is_some()
}

//! From number to number: what begins with a digit, or ends in digits.

use super::groups::{separator, Groups, DIGITS, FEWEST};
use super::{is_word, Visitor};
use crate::{address, checks, national, PiiKind};

pub(super) fn numbers(text: &[u8], found: &mut Visitor<'_>) {
    let mut at = 0;
    while let Some(start) = next_digit(text, at) {
        let run = run_of_digits(text, start);
        let glued = start > 0 && is_word(text[start - 1]);
        if let Some(range) = (!glued).then(|| address::around(text, start..run)).flatten() {
            at = range.end.max(run);
            found(PiiKind::StreetAddress, range);
            continue;
        }
        at = number_at(text, start, found);
    }
}

/// Bytes that are looked at together.
const CHUNK: usize = 32;

/// The next digit's place, at or after a place.
pub fn next_digit(text: &[u8], from: usize) -> Option<usize> {
    let is_digit = |byte: &u8| byte.wrapping_sub(b'0') < 10;
    let mut at = from;
    while let Some(chunk) = text.get(at..at + CHUNK) {
        // Without a way out in the middle the compiler turns this into vector instructions.
        if chunk.iter().fold(false, |any, byte| any | is_digit(byte)) {
            break;
        }
        at += CHUNK;
    }
    text[at..].iter().position(is_digit).map(|offset| at + offset)
}

/// Reports the numbers that begin with the digit at a place; returns where to go on.
pub fn number_at(text: &[u8], start: usize, found: &mut Visitor<'_>) -> usize {
    let run = run_of_digits(text, start);
    let touches_letters =
        start > 0 && is_word(text[start - 1]) || text.get(run).is_some_and(u8::is_ascii_uppercase);
    if touches_letters || start > 2 && text[start - 1] == b' ' && text[start - 2].is_ascii_uppercase() {
        if let Some(range) = national::around(text, start) {
            let end = range.end;
            found(PiiKind::NationalId, range);
            return end;
        }
    }
    if start > 0 && is_word(text[start - 1]) {
        // Digits glued to letters are part of a word, unless the word is an IBAN.
        iban_before(text, start, found);
        return run;
    }
    if run - start > DIGITS || is_short(text, start, run) {
        return run;
    }
    Groups::read(text, start, run).report(text, found)
}

/// Whether a run of digits is no number by itself, and no others follow it.
fn is_short(text: &[u8], start: usize, run: usize) -> bool {
    let rest = &text[run..];
    run - start < FEWEST && !rest.starts_with(b" ") && separator(rest).is_none()
}

pub(super) fn run_of_digits(text: &[u8], start: usize) -> usize {
    start + text[start..].iter().take_while(|b| b.is_ascii_digit()).count()
}

/// An IBAN whose first digits begin at `digits`, right after its country's letters.
fn iban_before(text: &[u8], digits: usize, found: &mut Visitor<'_>) {
    let Some(start) = digits.checked_sub(2) else {
        return;
    };
    if start > 0 && is_word(text[start - 1]) {
        return;
    }
    let Some(length) = checks::iban_length(text[start], text[start + 1]) else {
        return;
    };
    let mut compact = [0u8; 34];
    let mut taken = 0;
    let mut at = start;
    while taken < length {
        match text.get(at) {
            Some(byte) if byte.is_ascii_alphanumeric() => {
                compact[taken] = *byte;
                taken += 1;
            }
            Some(b' ' | b'-') if taken % 4 == 0 => {}
            // Spaces that do not break the line.
            Some(0xC2) if taken % 4 == 0 && text.get(at + 1) == Some(&0xA0) => at += 1,
            Some(0xE2) if taken % 4 == 0 && text[at..].starts_with(b"\xE2\x80\xAF") => at += 2,
            _ => return,
        }
        at += 1;
    }
    if !text.get(at).is_some_and(|b| is_word(*b)) && checks::iban(&compact[..length]) {
        found(PiiKind::Iban, start..at);
    }
}

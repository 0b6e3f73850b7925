//! Masks that keep a value's shape: digits stay digits, letters stay letters, and what stands between them stays.

use crate::bytes;
use crate::entry::{Fitted, Fitting};
use crate::equal::Fold;
use crate::error::Unfit;
use crate::key::Function;
use crate::permutation::Strings;
use crate::pseudonym::{Pseudonym, Work};
use crate::types::Type;
use pg_dump_archive::copy::Row;

const DIGITS: &[u8] = b"0123456789";
pub(crate) const HEX_LOWER: &[u8] = b"0123456789abcdef";
pub(crate) const HEX_UPPER: &[u8] = b"0123456789ABCDEF";
const LOWER: &[u8] = b"abcdefghijklmnopqrstuvwxyz";
const UPPER: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ";
const LOWER_DIGITS: &[u8] = b"0123456789abcdefghijklmnopqrstuvwxyz";
const UPPER_DIGITS: &[u8] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const ALL: &[u8] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// From the narrowest to the widest: a value's alphabet is the first that has all of it.
const ALPHABETS: [&[u8]; 9] = [
    DIGITS,
    HEX_LOWER,
    HEX_UPPER,
    LOWER,
    UPPER,
    LOWER_DIGITS,
    UPPER_DIGITS,
    LETTERS,
    ALL,
];

fn alphabet_of(mut text: impl Iterator<Item = u8> + Clone) -> usize {
    ALPHABETS
        .iter()
        .position(|alphabet| text.clone().all(|byte| alphabet.contains(&byte)))
        .unwrap_or_else(|| text.by_ref().count().min(ALPHABETS.len() - 1))
}

/// Writes lower-case letters and digits, as many as `value` has characters: for text that is not ASCII.
fn write_foreign(function: &Function, value: &[u8], out: &mut Vec<u8>) {
    let count = match std::str::from_utf8(value) {
        Ok(text) => text.chars().count(),
        Err(_) => value.len(),
    };
    let mut block = function.digest(value);
    for at in 0..count {
        if at > 0 && at % 32 == 0 {
            block = function.digest(&block);
        }
        out.push(LOWER_DIGITS[usize::from(block[at % 32]) % LOWER_DIGITS.len()]);
    }
}

/// `token`: every letter and digit becomes another one of the value's own alphabet.
#[derive(Debug)]
pub(crate) struct TokenMask {
    function: Function,
    fold: Fold,
    strings: Vec<Strings>,
}

impl TokenMask {
    pub(crate) fn new(function: Function, fold: Fold) -> Self {
        let strings = ALPHABETS
            .iter()
            .enumerate()
            .map(|(number, alphabet)| {
                let mut parts = function.begin();
                parts.add(Some(&[number as u8]));
                Strings::new(&Function::from_key(&parts.finish()), alphabet.len() as u8)
            })
            .collect();
        Self {
            function,
            fold,
            strings,
        }
    }
}

impl Pseudonym for TokenMask {
    fn write(&self, value: &[u8], _: &Row<'_>, work: &mut Work, out: &mut Vec<u8>) {
        let folded = &mut work.second;
        let value = if value.is_ascii() || self.fold.is_plain(value) {
            value
        } else {
            self.fold.apply(value, folded);
            folded.as_slice()
        };
        if !value.is_ascii() {
            return write_foreign(&self.function, value, out);
        }
        let folded = |byte: u8| {
            if self.fold.is_lower() {
                byte.to_ascii_lowercase()
            } else {
                byte
            }
        };
        let text = value
            .iter()
            .copied()
            .filter(u8::is_ascii_alphanumeric)
            .map(folded);
        let chosen = alphabet_of(text.clone());
        let alphabet = ALPHABETS[chosen];
        let numerals = &mut work.first;
        numerals.clear();
        numerals
            .extend(text.map(|byte| alphabet.iter().position(|letter| *letter == byte).unwrap_or(0) as u8));
        if numerals.is_empty() {
            return out.extend_from_slice(value);
        }
        // Another value of a narrower alphabet must not become the same.
        self.strings[chosen].apply(numerals, b"", |found| {
            found.len() > 8
                || alphabet_of(found.iter().map(|numeral| alphabet[usize::from(*numeral)])) == chosen
        });
        let mut numerals = numerals.iter();
        for byte in value {
            let written = if byte.is_ascii_alphanumeric() {
                numerals
                    .next()
                    .map_or(b'0', |numeral| alphabet[usize::from(*numeral)])
            } else {
                *byte
            };
            out.push(written);
        }
    }

    fn has_form(&self, value: &[u8]) -> bool {
        value.is_ascii()
    }
}

/// Digits, small and capital letters each become others of their class, place by place.
#[derive(Debug)]
pub(crate) struct Shape {
    function: Function,
    digits: Strings,
    lower: Strings,
    upper: Strings,
    /// The value is a number, of which this is the largest: it keeps a leading digit other than zero.
    most: Option<u128>,
}

/// The largest number that a column holds, of either sign; None for a column that is no number.
pub(crate) fn most(kind: &Type) -> Option<u128> {
    match kind {
        Type::Integer(2) => Some(i16::MAX as u128),
        Type::Integer(4) => Some(i32::MAX as u128),
        Type::Integer(_) => Some(i64::MAX as u128),
        // As many digits as before fit.
        Type::Numeric { .. } => Some(u128::MAX),
        _ => None,
    }
}

impl Shape {
    /// `most` is [`most`] of the column.
    pub(crate) fn new(function: Function, most: Option<u128>) -> Self {
        let of = |number: u8, radix: u8| {
            let mut parts = function.begin();
            parts.add(Some(&[number]));
            Strings::new(&Function::from_key(&parts.finish()), radix)
        };
        Self {
            digits: of(0, 10),
            lower: of(1, 26),
            upper: of(2, 26),
            function,
            most,
        }
    }

    /// Replaces the digits and letters of ASCII text where they stand. `accept` sees the digits.
    pub(crate) fn replace(&self, text: &mut [u8], work: &mut Vec<u8>, mut accept: impl FnMut(&[u8]) -> bool) {
        let mut classes =
            |text: &mut [u8], class: &[u8], strings: &Strings, tweak: &[u8], is_digits: bool| {
                work.clear();
                work.extend(
                    text.iter()
                        .filter(|byte| class.contains(byte))
                        .map(|byte| byte - class[0]),
                );
                if work.is_empty() {
                    return;
                }
                let leads = work[0] != 0;
                strings.apply(work, tweak, |found| {
                    let fits = |most: u128| {
                        (found[0] != 0) == leads && (most == u128::MAX || bytes::number_of(found) <= most)
                    };
                    !is_digits || self.most.is_none_or(fits) && accept(found)
                });
                let mut numerals = work.iter();
                for byte in text.iter_mut().filter(|byte| class.contains(byte)) {
                    *byte = class[0] + numerals.next().copied().unwrap_or(0);
                }
            };
        // The letters choose the digits' order, so that equal digits of different values do not stay equal.
        classes(text, UPPER, &self.upper, b"", false);
        classes(text, LOWER, &self.lower, b"", false);
        let mut tweak = [0; 8];
        if text.iter().any(u8::is_ascii_alphabetic) {
            let mut parts = self.function.begin();
            for letter in text.iter().filter(|byte| byte.is_ascii_alphabetic()) {
                parts.add(Some(&[*letter]));
            }
            tweak.copy_from_slice(&parts.finish()[..8]);
        }
        classes(text, DIGITS, &self.digits, &tweak, true);
    }
}

impl Pseudonym for Shape {
    fn write(&self, value: &[u8], _: &Row<'_>, work: &mut Work, out: &mut Vec<u8>) {
        if !value.is_ascii() {
            return write_foreign(&self.function, value, out);
        }
        if self.most.is_some() && value.iter().any(u8::is_ascii_alphabetic) {
            // NaN and Infinity say nothing about a person.
            return out.extend_from_slice(value);
        }
        let start = out.len();
        out.extend_from_slice(value);
        self.replace(&mut out[start..], &mut work.first, |_| true);
    }

    fn has_form(&self, value: &[u8]) -> bool {
        value.is_ascii()
    }
}

/// Fits a mask that keeps the shape to a text column.
pub(crate) fn fit(fitting: &Fitting<'_>) -> Result<Fitted, Box<Unfit>> {
    fitting.text()?;
    let shape = Shape::new(fitting.function(fitting.name()), None);
    Ok(fitting.fitted(shape, fitting.is_ascii()))
}

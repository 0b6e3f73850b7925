//! Masks that keep a value's shape: digits stay digits, letters stay letters, and what stands between them stays.

use super::recipe::{Fitting, Pseudonym, Work};
use crate::mask::action::Row;
use crate::mask::compile::Fitted;
use crate::mask::key::Function;
use crate::mask::permutation::{Permutation, Strings};
use crate::mask::types::Type;

const DIGITS: &[u8] = b"0123456789";
const HEX_LOWER: &[u8] = b"0123456789abcdef";
const HEX_UPPER: &[u8] = b"0123456789ABCDEF";
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
pub(super) struct Token {
    function: Function,
    fold_case: bool,
    strings: Vec<Strings>,
}

impl Token {
    pub(super) fn new(function: Function, fold_case: bool) -> Self {
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
            fold_case,
            strings,
        }
    }
}

impl Pseudonym for Token {
    fn write(&self, value: &[u8], _: &Row<'_>, work: &mut Work, out: &mut Vec<u8>) {
        if !value.is_ascii() {
            if self.fold_case {
                super::fold_case(value, &mut work.first);
                return write_foreign(&self.function, &work.first, out);
            }
            return write_foreign(&self.function, value, out);
        }
        let folded = |byte: u8| {
            if self.fold_case {
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

pub(super) fn token(fitting: &Fitting<'_>) -> Result<Fitted, String> {
    let text = fitting.text()?;
    let form = fitting.matches("^[\\u0001-\\u007f]*$");
    Ok(fitting.fitted(Token::new(fitting.function("token"), text.ignores_case), form))
}

/// Digits, small and capital letters each become others of their class, place by place.
#[derive(Debug)]
pub(super) struct Shape {
    function: Function,
    digits: Strings,
    lower: Strings,
    upper: Strings,
    /// The value is a number, of which this is the largest: it keeps a leading digit other than zero.
    most: Option<u128>,
}

/// The largest number that a column holds, whatever its sign; None for a column that is no number.
pub(super) fn most(kind: &Type) -> Option<u128> {
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
    pub(super) fn new(function: Function, most: Option<u128>) -> Self {
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
    pub(super) fn replace(&self, text: &mut [u8], work: &mut Vec<u8>, mut accept: impl FnMut(&[u8]) -> bool) {
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
                        (found[0] != 0) == leads && (most == u128::MAX || super::number_of(found) <= most)
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
            // NaN and Infinity say nothing of anybody.
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

/// Fits a mask that keeps the shape to a text column or, if `numbers`, to an integer one.
pub(super) fn fit_shape(fitting: &Fitting<'_>, kind: &str) -> Result<Fitted, String> {
    fitting.text()?;
    let form = fitting.matches("^[\\u0001-\\u007f]*$");
    Ok(fitting.fitted(Shape::new(fitting.function(kind), None), form))
}

pub(super) fn postal_code(fitting: &Fitting<'_>) -> Result<Fitted, String> {
    fit_shape(fitting, "postal_code")
}

/// `last4` in a number: what has up to four digits stays among those, as it has no leading zeros.
#[derive(Debug)]
struct LastFour {
    four: Permutation,
    longer: Shape,
}

impl Pseudonym for LastFour {
    fn write(&self, value: &[u8], row: &Row<'_>, work: &mut Work, out: &mut Vec<u8>) {
        match super::parse::<u16>(value).filter(|number| *number < 10_000) {
            Some(number) => {
                let number = self.four.apply(u128::from(number), b"", |_| true);
                super::write_number(number, 1, out);
            }
            None => self.longer.write(value, row, work, out),
        }
    }

    fn has_form(&self, value: &[u8]) -> bool {
        super::parse::<i64>(value).is_some()
    }
}

pub(super) fn last4(fitting: &Fitting<'_>) -> Result<Fitted, String> {
    let function = fitting.function("last4");
    match fitting.column.kind {
        Type::Text { .. } => fit_shape(fitting, "last4"),
        Type::Integer(_) => {
            let digits = match fitting.column.kind {
                Type::Integer(2) => 32_767,
                _ => i64::MAX,
            };
            let mask = LastFour {
                four: Permutation::new(&function, 10_000),
                longer: Shape::new(function, most(&fitting.column.kind)),
            };
            let form = format!("{} <= {digits}", fitting.sql());
            Ok(fitting.fitted(mask, form))
        }
        _ => Err(fitting.wrong_type("text and integer columns")),
    }
}

/// `uuid`: every hex digit but the version and the variant becomes another.
#[derive(Debug)]
struct Uuid {
    digits: Strings,
    /// For what is no UUID.
    other: Token,
}

/// The places of a UUID's hex digits that are not fixed.
fn is_free(place: usize) -> bool {
    !matches!(place, 8 | 13 | 14 | 18 | 19 | 23)
}

fn is_uuid(value: &[u8]) -> bool {
    value.len() == 36
        && value.iter().enumerate().all(|(place, byte)| match place {
            8 | 13 | 18 | 23 => *byte == b'-',
            _ => matches!(byte, b'0'..=b'9' | b'a'..=b'f'),
        })
}

impl Pseudonym for Uuid {
    fn write(&self, value: &[u8], row: &Row<'_>, work: &mut Work, out: &mut Vec<u8>) {
        work.second.clear();
        work.second.extend(value.iter().map(u8::to_ascii_lowercase));
        if !is_uuid(&work.second) {
            return self.other.write(value, row, work, out);
        }
        work.first.clear();
        for (place, byte) in work.second.iter().enumerate() {
            if is_free(place) {
                work.first.push(super::hex_value(*byte));
            }
        }
        // The fixed digits choose the order.
        let tweak = [work.second[14], work.second[19]];
        self.digits.apply(&mut work.first, &tweak, |_| true);
        let mut numerals = work.first.iter();
        for (place, byte) in work.second.iter().enumerate() {
            let written = if is_free(place) {
                numerals
                    .next()
                    .map_or(b'0', |numeral| HEX_LOWER[usize::from(*numeral)])
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

pub(super) fn uuid(fitting: &Fitting<'_>) -> Result<Fitted, String> {
    if !matches!(fitting.column.kind, Type::Uuid | Type::Text { .. }) {
        return Err(fitting.wrong_type("uuid and text columns"));
    }
    let mask = Uuid {
        digits: Strings::new(&fitting.function("uuid"), 16),
        other: Token::new(fitting.function("token"), false),
    };
    Ok(fitting.fitted(mask, fitting.matches("^[\\u0001-\\u007f]*$")))
}

/// `mac`: every hex digit becomes another.
#[derive(Debug)]
struct Mac {
    digits: Strings,
    other: Token,
}

impl Pseudonym for Mac {
    fn write(&self, value: &[u8], row: &Row<'_>, work: &mut Work, out: &mut Vec<u8>) {
        let is_separator = |byte: &u8| matches!(byte, b':' | b'-' | b'.');
        let digits = value.iter().filter(|byte| byte.is_ascii_hexdigit()).count();
        let known = value
            .iter()
            .all(|byte| byte.is_ascii_hexdigit() || is_separator(byte));
        if !known || !matches!(digits, 12 | 16) {
            return self.other.write(value, row, work, out);
        }
        let letters = if value.iter().any(u8::is_ascii_uppercase) {
            HEX_UPPER
        } else {
            HEX_LOWER
        };
        work.first.clear();
        let hex = value.iter().filter(|byte| byte.is_ascii_hexdigit());
        work.first.extend(hex.map(|byte| super::hex_value(*byte)));
        self.digits.apply(&mut work.first, b"", |_| true);
        let mut numerals = work.first.iter();
        for byte in value {
            let written = if byte.is_ascii_hexdigit() {
                numerals
                    .next()
                    .map_or(b'0', |numeral| letters[usize::from(*numeral)])
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

pub(super) fn mac(fitting: &Fitting<'_>) -> Result<Fitted, String> {
    if !matches!(
        fitting.column.kind,
        Type::MacAddr | Type::MacAddr8 | Type::Text { .. }
    ) {
        return Err(fitting.wrong_type("macaddr and text columns"));
    }
    let mask = Mac {
        digits: Strings::new(&fitting.function("mac"), 16),
        other: Token::new(fitting.function("token"), false),
    };
    Ok(fitting.fitted(mask, fitting.matches("^[\\u0001-\\u007f]*$")))
}

//! Masks of numbers that carry check digits.
//!
//! Where the original's check digits are right, so are the pseudonym's. Where they are wrong, they are wrong by as
//! much in the pseudonym: so a form that shows an error in production shows it in staging, and no two originals
//! become the same.

use super::shape::{self, Shape};
use crate::entry::{Fitted, Fitting, ANY_VALUE};
use crate::error::Unfit;
use crate::key::Function;
use crate::misfit::ForTypes;
use crate::permutation::Strings;
use crate::pseudonym::{Pseudonym, Work};
use crate::types::Type;
use pg_dump_archive::copy::Row;

/// A kind of number.
pub(crate) trait Number: std::fmt::Debug + Send + Sync {
    /// Whether letters and digits alone are a number of this kind, right or wrong in its check digits.
    fn knows(&self, text: &[u8]) -> bool;

    /// Replaces a number that it knows. `shape` keeps digits digits, and letters letters.
    fn replace(&self, text: &mut [u8], shape: &Shape, work: &mut Vec<u8>);
}

#[derive(Debug)]
struct Checked<N> {
    number: N,
    /// For what is no such number, too.
    shape: Shape,
}

impl<N: Number> Pseudonym for Checked<N> {
    fn write(&self, value: &[u8], row: &Row<'_>, work: &mut Work, out: &mut Vec<u8>) {
        work.second.clear();
        work.second
            .extend(value.iter().copied().filter(u8::is_ascii_alphanumeric));
        if !value.is_ascii() || !self.number.knows(&work.second) {
            return self.shape.write(value, row, work, out);
        }
        let mut text = std::mem::take(&mut work.second);
        self.number.replace(&mut text, &self.shape, &mut work.first);
        let mut written = text.iter();
        for byte in value {
            if byte.is_ascii_alphanumeric() {
                out.extend(written.next());
            } else {
                out.push(*byte);
            }
        }
        work.second = text;
    }

    fn has_form(&self, value: &[u8]) -> bool {
        value.is_ascii()
    }
}

/// Fits a kind of number to text columns and, if it has `digits`, to number columns that hold as many. `make` gets the
/// mask's keyed function and, in a number column, the largest number.
pub(crate) fn fit<N: Number + 'static>(
    fitting: &Fitting<'_>,
    digits: u8,
    make: impl FnOnce(&Function, Option<u128>) -> N,
) -> Result<Fitted, Box<Unfit>> {
    // A number has no leading zeros, so its length says which digits it lacks.
    let is_number = match &fitting.column.kind {
        Type::Text { .. } => false,
        Type::Integer(8) if digits > 0 && digits <= 18 => true,
        Type::Integer(4) if digits > 0 && digits <= 9 => true,
        Type::Numeric { digits: room }
            if digits > 0 && room.is_none_or(|room| room >= usize::from(digits)) =>
        {
            true
        }
        _ if digits > 0 => return Err(fitting.wrong_type(ForTypes::TextAndDigits)),
        _ => return Err(fitting.wrong_type(ForTypes::Text)),
    };
    let function = fitting.function(fitting.name());
    let most = shape::most(&fitting.column.kind);
    let checked = Checked {
        number: make(&function, most),
        shape: Shape::new(function, most),
    };
    let form = if is_number {
        ANY_VALUE.into()
    } else {
        fitting.is_ascii()
    };
    Ok(fitting.fitted(checked, form))
}

/// Luhn's check digit for the digits before it.
pub(crate) fn luhn(digits: &[u8]) -> u8 {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(place, digit)| {
            let digit = u32::from(*digit);
            match place % 2 {
                0 if digit > 4 => digit * 2 - 9,
                0 => digit * 2,
                _ => digit,
            }
        })
        .sum();
    ((10 - sum % 10) % 10) as u8
}

/// The number that digits below ten are.
pub(crate) fn number(digits: &[u8]) -> u128 {
    digits
        .iter()
        .fold(0, |number, digit| number * 10 + u128::from(*digit))
}

/// The inverse.
pub(crate) fn write(mut number: u128, digits: &mut [u8]) {
    for digit in digits.iter_mut().rev() {
        *digit = (number % 10) as u8;
        number /= 10;
    }
}

/// Writes what `old` was off from `right_for_old` onto `right_for_new`, as `digits.len()` digits.
pub(crate) fn carry_over(digits: &mut [u8], right_for_old: u128, right_for_new: u128) {
    let size = 10u128.pow(digits.len() as u32);
    let off = (number(digits) + size - right_for_old % size) % size;
    write((right_for_new + off) % size, digits);
}

/// Permutes digits behind the first `kept` ones, and puts Luhn's digit behind them. `most`: of a number column, the largest
/// number; a leading digit other than zero stays one there.
pub(crate) fn permute_before_luhn(strings: &Strings, most: Option<u128>, kept: usize, digits: &mut [u8]) {
    let Some(last) = digits.len().checked_sub(1) else {
        return;
    };
    let old = luhn(&digits[..last]);
    let leads = digits[0] != 0;
    let kept = kept.min(last.saturating_sub(1));
    let first = number(&digits[..kept]);
    let room = 10u128.saturating_pow((last - kept) as u32);
    strings.apply(&mut digits[kept..last], b"", |found| {
        most.is_none_or(|most| {
            // Less than the largest number's digits but the last, so that any check digit fits.
            let fits = || first * room + number(found) < most / 10;
            (kept > 0 || (found[0] != 0) == leads) && (most == u128::MAX || fits())
        })
    });
    let new = luhn(&digits[..last]);
    carry_over(&mut digits[last..], u128::from(old), u128::from(new));
}

/// Changes a number of ASCII digits as digits below ten.
pub(crate) fn on_digits(text: &mut [u8], change: impl FnOnce(&mut [u8])) {
    for byte in text.iter_mut() {
        *byte -= b'0';
    }
    change(text);
    for byte in text.iter_mut() {
        *byte += b'0';
    }
}

pub(crate) fn all_digits(text: &[u8]) -> bool {
    text.iter().all(u8::is_ascii_digit)
}

/// Whether text is longer than `count`, and begins with so many letters.
pub(crate) fn starts_with_letters(text: &[u8], count: usize) -> bool {
    text.len() > count && text[..count].iter().all(u8::is_ascii_alphabetic)
}

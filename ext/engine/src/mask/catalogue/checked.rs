//! Masks of numbers that carry check digits: IBAN, BIC, cards, SIREN, SIRET, NIR, VAT numbers, SSN.
//!
//! Where the original's check digits are right, so are the pseudonym's. Where they are wrong, they are wrong by as
//! much in the pseudonym: so a form that shows an error in production shows it in staging, and no two originals
//! become the same.

use super::recipe::{Fitting, Pseudonym, Work};
use super::shape::{self, Shape};
use crate::mask::action::Row;
use crate::mask::compile::{Fitted, ANY_VALUE};
use crate::mask::key::Function;
use crate::mask::permutation::{Permutation, Strings};
use crate::mask::types::Type;

/// Which number it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Card { kept: usize },
    Siren,
    Siret,
    Nir,
    Iban,
    Bic,
    Vat,
    Ssn,
}

#[derive(Debug)]
struct Checked {
    kind: Kind,
    payload: Strings,
    siren: Strings,
    shape: Shape,
    birth: Permutation,
    /// The column is a number, of which this is the largest: a leading digit other than zero stays one.
    most: Option<u128>,
}

/// Luhn's check digit for the digits before it.
fn luhn(digits: &[u8]) -> u8 {
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

fn number(digits: &[u8]) -> u128 {
    digits
        .iter()
        .fold(0, |number, digit| number * 10 + u128::from(*digit))
}

fn write(mut number: u128, digits: &mut [u8]) {
    for digit in digits.iter_mut().rev() {
        *digit = (number % 10) as u8;
        number /= 10;
    }
}

/// ISO 7064's remainder by 97, letters counting from 10.
fn mod97(text: impl Iterator<Item = u8>) -> u32 {
    text.fold(0, |rest, byte| match byte {
        b'0'..=b'9' => (rest * 10 + u32::from(byte - b'0')) % 97,
        _ => (rest * 100 + u32::from(byte.to_ascii_uppercase() - b'A') + 10) % 97,
    })
}

/// The check digits of an IBAN: of its country and what follows the check digits.
fn iban_check(country: &[u8], rest: &[u8]) -> u32 {
    98 - mod97(rest.iter().chain(country).copied().chain(*b"00"))
}

/// Writes what `old` was off from `right_for_old` onto `right_for_new`, as `digits.len()` digits.
fn carry_over(digits: &mut [u8], right_for_old: u128, right_for_new: u128) {
    let size = 10u128.pow(digits.len() as u32);
    let off = (number(digits) + size - right_for_old % size) % size;
    write((right_for_new + off) % size, digits);
}

impl Checked {
    /// Permutes digits and puts Luhn's digit behind them.
    fn luhn_number(&self, strings: &Strings, kept: usize, digits: &mut [u8]) {
        let Some(last) = digits.len().checked_sub(1) else {
            return;
        };
        let old = luhn(&digits[..last]);
        let leads = digits[0] != 0;
        let kept = kept.min(last.saturating_sub(1));
        let first = number(&digits[..kept]);
        let room = 10u128.saturating_pow((last - kept) as u32);
        strings.apply(&mut digits[kept..last], b"", |found| {
            self.most.is_none_or(|most| {
                // Less than the largest number's digits but the last, so that any check digit fits.
                let fits = || first * room + number(found) < most / 10;
                (kept > 0 || (found[0] != 0) == leads) && (most == u128::MAX || fits())
            })
        });
        let new = luhn(&digits[..last]);
        carry_over(&mut digits[last..], u128::from(old), u128::from(new));
    }

    fn siren(&self, digits: &mut [u8]) {
        self.luhn_number(&self.siren, 0, digits);
    }

    /// A SIRET begins with the pseudonym of its SIREN.
    fn siret(&self, digits: &mut [u8]) {
        let old = luhn(&digits[..13]);
        self.siren(&mut digits[..9]);
        let mut tweak = [0; 8];
        tweak.copy_from_slice(&digits[..8]);
        self.payload.apply(&mut digits[9..13], &tweak, |_| true);
        let new = luhn(&digits[..13]);
        carry_over(&mut digits[13..], u128::from(old), u128::from(new));
    }

    /// Sex, year, month, department, commune, order, and the key to 97.
    fn nir(&self, text: &mut [u8], work: &mut Vec<u8>) {
        let body = |text: &[u8]| {
            // Corsica: 2A counts as 19, 2B as 18.
            let letter = text[6].to_ascii_uppercase();
            let digits = text[..13]
                .iter()
                .enumerate()
                .map(|(place, byte)| match (place, letter) {
                    (5, b'A' | b'B') => 1,
                    (6, b'A') => 9,
                    (6, b'B') => 8,
                    _ => byte - b'0',
                });
            digits.fold(0u128, |number, digit| number * 10 + u128::from(digit))
        };
        let key = |text: &[u8]| 97 - body(text) % 97;
        let old = key(text);
        let digits = |range: std::ops::Range<usize>, text: &[u8]| {
            text[range]
                .iter()
                .fold(0u128, |number, byte| number * 10 + u128::from(byte - b'0'))
        };
        let (year, month) = (digits(1..3, text), digits(3..5, text));
        let (commune, order) = (digits(7..10, text), digits(10..13, text));
        let is_plain = text[6].is_ascii_digit()
            && (1..=12).contains(&month)
            && (1..=95).contains(&digits(5..7, text))
            && (1..=990).contains(&commune)
            && order > 0;
        if is_plain {
            let department = digits(5..7, text);
            let value =
                (((year * 12 + month - 1) * 95 + department - 1) * 990 + commune - 1) * 999 + order - 1;
            let mut value = self.birth.apply(value, &text[..1], |_| true);
            let mut take = |size: u128| {
                let part = value % size;
                value /= size;
                part
            };
            let parts = [
                take(999) + 1,
                take(990) + 1,
                take(95) + 1,
                take(12) + 1,
                take(100),
            ];
            for (part, range) in parts.into_iter().zip([10..13, 7..10, 5..7, 3..5, 1..3]) {
                let place = range.start;
                write(part, &mut text[range.clone()]);
                for byte in &mut text[place..range.end] {
                    *byte += b'0';
                }
            }
        } else {
            // Corsica, foreign places and what is no number of this kind: commune and order change, the rest stays
            // apart from the year.
            work.clear();
            work.extend(text[1..3].iter().chain(&text[7..13]).map(|byte| byte - b'0'));
            let tweak = [text[0], text[3], text[4], text[5], text[6]];
            // What is no plain number of this kind must not become one, or two might become the same.
            let fixed_is_plain = text[6].is_ascii_digit()
                && (1..=12).contains(&month)
                && (1..=95).contains(&digits(5..7, text));
            self.payload.apply(work, &tweak, |found| {
                let (commune, order) = (number(&found[2..5]), number(&found[5..8]));
                !(fixed_is_plain && (1..=990).contains(&commune) && order > 0)
            });
            for (byte, digit) in text[1..3].iter_mut().zip(work.iter()) {
                *byte = b'0' + digit;
            }
            for (byte, digit) in text[7..13].iter_mut().zip(&work[2..]) {
                *byte = b'0' + digit;
            }
        }
        if text.len() == 15 {
            let mut check = [text[13] - b'0', text[14] - b'0'];
            carry_over(&mut check, old, key(text));
            text[13] = b'0' + check[0];
            text[14] = b'0' + check[1];
        }
    }

    fn iban(&self, text: &mut [u8], work: &mut Vec<u8>) {
        let old = iban_check(&text[..2], &text[4..]);
        let mut check = [text[2] - b'0', text[3] - b'0'];
        let country = [text[0].to_ascii_uppercase(), text[1].to_ascii_uppercase()];
        let is_french = matches!(&country, b"FR" | b"MC") && text.len() == 27;
        if is_french && rib_key(&text[4..25]) == number_of(&text[25..]) {
            // The account's own key is right, and stays so.
            self.shape.replace(&mut text[4..25], work, |_| true);
            let key = rib_key(&text[4..25]);
            text[25] = b'0' + (key / 10) as u8;
            text[26] = b'0' + (key % 10) as u8;
        } else if is_french {
            // One whose key is wrong does not become one whose key is right.
            for _ in 0..1000 {
                self.shape.replace(&mut text[4..], work, |_| true);
                if rib_key(&text[4..25]) != number_of(&text[25..]) {
                    break;
                }
            }
        } else {
            self.shape.replace(&mut text[4..], work, |_| true);
        }
        carry_over(
            &mut check,
            u128::from(old),
            u128::from(iban_check(&country, &text[4..])),
        );
        text[2] = b'0' + check[0];
        text[3] = b'0' + check[1];
    }

    /// France: two digits of a key, and the SIREN. Elsewhere the country stays and the rest keeps its shape.
    fn vat(&self, text: &mut [u8], work: &mut Vec<u8>) {
        let is_french = text[..2].eq_ignore_ascii_case(b"FR") && text.len() == 13 && all_digits(&text[2..]);
        if !is_french {
            return self.shape.replace(&mut text[2..], work, |_| true);
        }
        let key = |digits: &[u8]| (12 + 3 * (number(digits) % 97)) % 97;
        work.clear();
        work.extend(text[2..].iter().map(|byte| byte - b'0'));
        let old = key(&work[2..]);
        self.siren(&mut work[2..]);
        let new = key(&work[2..]);
        carry_over(&mut work[..2], old, new);
        for (byte, digit) in text[2..].iter_mut().zip(work.iter()) {
            *byte = b'0' + digit;
        }
    }

    fn bic(&self, text: &mut [u8], work: &mut Vec<u8>) {
        let bank_branch = text.len() == 11 && text[8..].eq_ignore_ascii_case(b"XXX");
        // Bank and place together, the country between them stays, and so does XXX, the head office.
        let country = [text[4], text[5]];
        text[4] = b'-';
        text[5] = b'-';
        let end = if bank_branch { 8 } else { text.len() };
        self.shape.replace(&mut text[..end], work, |_| true);
        text[4] = country[0];
        text[5] = country[1];
    }

    /// Area, group and serial number, none of them one that is never given out.
    fn ssn(&self, digits: &mut [u8]) {
        let is_given = |digits: &[u8]| {
            let (area, group, serial) = (number(&digits[..3]), number(&digits[3..5]), number(&digits[5..]));
            area > 0 && area != 666 && area < 900 && group > 0 && serial > 0
        };
        let given = is_given(digits);
        let leads = digits[0] != 0;
        self.payload.apply(digits, b"", |found| {
            is_given(found) == given && (self.most.is_none() || (found[0] != 0) == leads)
        });
    }

    /// Whether letters and digits alone are a number of this kind, right or wrong in its check digits.
    fn knows(&self, text: &[u8]) -> bool {
        let starts_with_letters =
            |count: usize| text.len() > count && text[..count].iter().all(u8::is_ascii_alphabetic);
        match self.kind {
            Kind::Card { .. } => (12..=19).contains(&text.len()) && all_digits(text),
            Kind::Siren | Kind::Ssn => text.len() == 9 && all_digits(text),
            Kind::Siret => text.len() == 14 && all_digits(text),
            Kind::Nir => {
                matches!(text.len(), 13 | 15)
                    && all_digits(&text[..6])
                    && (text[6].is_ascii_digit()
                        || text[5] == b'2' && matches!(text[6], b'A' | b'B' | b'a' | b'b'))
                    && all_digits(&text[7..])
            }
            Kind::Iban => {
                (15..=34).contains(&text.len()) && starts_with_letters(2) && all_digits(&text[2..4])
            }
            Kind::Bic => matches!(text.len(), 8 | 11) && starts_with_letters(6),
            Kind::Vat => (4..=15).contains(&text.len()) && starts_with_letters(2),
        }
    }

    fn replace(&self, text: &mut [u8], work: &mut Vec<u8>) {
        let digits = |text: &mut [u8], change: &mut dyn FnMut(&mut [u8])| {
            for byte in text.iter_mut() {
                *byte -= b'0';
            }
            change(text);
            for byte in text.iter_mut() {
                *byte += b'0';
            }
        };
        match self.kind {
            Kind::Card { kept } => digits(text, &mut |text| self.luhn_number(&self.payload, kept, text)),
            Kind::Siren => digits(text, &mut |text| self.siren(text)),
            Kind::Siret => digits(text, &mut |text| self.siret(text)),
            Kind::Ssn => digits(text, &mut |text| self.ssn(text)),
            Kind::Nir => self.nir(text, work),
            Kind::Iban => self.iban(text, work),
            Kind::Bic => self.bic(text, work),
            Kind::Vat => self.vat(text, work),
        }
    }
}

fn all_digits(text: &[u8]) -> bool {
    text.iter().all(u8::is_ascii_digit)
}

fn number_of(text: &[u8]) -> u32 {
    text.iter().fold(0, |number, byte| {
        if byte.is_ascii_digit() {
            number * 10 + u32::from(byte - b'0')
        } else {
            1000
        }
    })
}

/// The key of a French account: bank, branch and account, in which letters count as digits (A, J: 1; B, K, S: 2).
fn rib_key(account: &[u8]) -> u32 {
    let digit = |byte: u8| match byte.to_ascii_uppercase() {
        byte @ b'0'..=b'9' => u32::from(byte - b'0'),
        byte @ b'A'..=b'I' => u32::from(byte - b'A') + 1,
        byte @ b'J'..=b'R' => u32::from(byte - b'J') + 1,
        byte => u32::from(byte.wrapping_sub(b'S')) % 10 + 2,
    };
    let rest = account
        .iter()
        .fold(0, |rest, byte| (rest * 10 + digit(*byte)) % 97);
    97 - rest * 100 % 97
}

impl Pseudonym for Checked {
    fn write(&self, value: &[u8], row: &Row<'_>, work: &mut Work, out: &mut Vec<u8>) {
        work.second.clear();
        work.second
            .extend(value.iter().copied().filter(u8::is_ascii_alphanumeric));
        if !value.is_ascii() || !self.knows(&work.second) {
            return self.shape.write(value, row, work, out);
        }
        let mut text = std::mem::take(&mut work.second);
        self.replace(&mut text, &mut work.first);
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

fn fit(fitting: &Fitting<'_>, kind: Kind, kind_name: &str, digits: u8) -> Result<Fitted, String> {
    // A number has no leading zeros, so the digits that it lacks are told by its length.
    let is_number = match &fitting.column.kind {
        Type::Text { .. } => false,
        Type::Integer(8) if digits > 0 && digits <= 18 => true,
        Type::Integer(4) if digits > 0 && digits <= 9 => true,
        Type::Numeric { digits: room }
            if digits > 0 && room.is_none_or(|room| room >= usize::from(digits)) =>
        {
            true
        }
        _ if digits > 0 => return Err(fitting.wrong_type("text columns and numbers of enough digits")),
        _ => return Err(fitting.wrong_type("text columns")),
    };
    let function: Function = fitting.function(kind_name);
    let most = shape::most(&fitting.column.kind);
    let checked = Checked {
        kind,
        payload: Strings::new(&function, 10),
        siren: Strings::new(&fitting.function("siren"), 10),
        birth: Permutation::new(&function, 100 * 12 * 95 * 990 * 999),
        shape: Shape::new(function, most),
        most,
    };
    let form = if is_number {
        ANY_VALUE.into()
    } else {
        fitting.matches("^[\\u0001-\\u007f]*$")
    };
    Ok(fitting.fitted(checked, form))
}

pub(super) fn credit_card(fitting: &Fitting<'_>) -> Result<Fitted, String> {
    let kept = if fitting.flag("keep_bin")? { 6 } else { 1 };
    fit(fitting, Kind::Card { kept }, "credit_card", 16)
}

pub(super) fn siren(fitting: &Fitting<'_>) -> Result<Fitted, String> {
    fit(fitting, Kind::Siren, "siren", 9)
}

pub(super) fn siret(fitting: &Fitting<'_>) -> Result<Fitted, String> {
    fit(fitting, Kind::Siret, "siret", 14)
}

pub(super) fn nir(fitting: &Fitting<'_>) -> Result<Fitted, String> {
    fit(fitting, Kind::Nir, "nir", 15)
}

pub(super) fn ssn(fitting: &Fitting<'_>) -> Result<Fitted, String> {
    fit(fitting, Kind::Ssn, "ssn", 9)
}

pub(super) fn iban(fitting: &Fitting<'_>) -> Result<Fitted, String> {
    fit(fitting, Kind::Iban, "iban", 0)
}

pub(super) fn bic(fitting: &Fitting<'_>) -> Result<Fitted, String> {
    fit(fitting, Kind::Bic, "bic", 0)
}

pub(super) fn vat_number(fitting: &Fitting<'_>) -> Result<Fitted, String> {
    fit(fitting, Kind::Vat, "vat_number", 0)
}

//! `phone`: a valid number of the same country, written as the original is.

use super::recipe::{Fitting, Pseudonym, Work};
use super::shape::{self, Shape};
use crate::mask::action::Row;
use crate::mask::compile::Fitted;
use crate::mask::permutation::Strings;
use crate::mask::types::Type;
use rlibphonenumber::{Region, PHONE_NUMBER_UTIL};

/// The last digits that change; those before them say country, network and kind.
const CHANGED: usize = 8;

/// No number has more digits (E.164), but for what is dialled before it.
const LONGEST: usize = 18;

#[derive(Debug)]
struct Phone {
    strings: Strings,
    shape: Shape,
    region: Region,
}

impl Phone {
    /// Whether the text is a number that can be dialled.
    fn is_valid(&self, text: &[u8]) -> bool {
        std::str::from_utf8(text)
            .ok()
            .and_then(|text| PHONE_NUMBER_UTIL.parse(text, Some(self.region)).ok())
            .is_some_and(|number| PHONE_NUMBER_UTIL.is_valid_number(&number))
    }

    /// Whether it is surely valid, by a look: most numbers here are French.
    fn is_surely_valid(&self, digits: &[u8]) -> bool {
        self.region == Region::FR && digits.len() == 10 && digits[0] == 0 && matches!(digits[1], 6)
    }
}

impl Pseudonym for Phone {
    fn write(&self, value: &[u8], row: &Row<'_>, work: &mut Work, out: &mut Vec<u8>) {
        // The country's own digits stay, and so does what says mobile or not.
        work.first.clear();
        work.first.extend(
            value
                .iter()
                .filter(|byte| byte.is_ascii_digit())
                .map(|byte| byte - b'0'),
        );
        let digits = work.first.len();
        if !(7..=LONGEST).contains(&digits) || !value.is_ascii() || value.iter().any(u8::is_ascii_alphabetic)
        {
            return self.shape.write(value, row, work, out);
        }
        let kept = digits.saturating_sub(CHANGED).max(1);
        let is_valid = self.is_surely_valid(&work.first) || self.is_valid(value);
        let start = out.len();
        out.extend_from_slice(value);
        // However a French number is written, it becomes the same one.
        let is_international = value[0] == b'+' || work.first.starts_with(&[0, 0]);
        let prefix = match &work.first[..kept] {
            [3, 3, 0, kind] | [3, 3, kind] | [0, 0, 3, 3, 0, kind] | [0, 0, 3, 3, kind]
                if is_international =>
            {
                &[0, *kind][..]
            }
            prefix => prefix,
        };
        let mut tweak = [0u8; 8];
        for (byte, digit) in tweak.iter_mut().zip(prefix) {
            *byte = digit + 1;
        }
        let (before, changed) = work.first.split_at_mut(kept);
        let text = &mut out[start..];
        self.strings.apply(changed, &tweak, |found| {
            let places = text.iter_mut().filter(|byte| byte.is_ascii_digit()).skip(kept);
            for (byte, digit) in places.zip(found) {
                *byte = b'0' + digit;
            }
            if self.region == Region::FR && before == [0, 6] {
                return true;
            }
            self.is_valid(text) == is_valid
        });
    }

    fn has_form(&self, value: &[u8]) -> bool {
        value.is_ascii()
    }
}

pub(super) fn phone(fitting: &Fitting<'_>) -> Result<Fitted, String> {
    let is_number = match fitting.column.kind {
        Type::Text { .. } => false,
        Type::Integer(8) | Type::Numeric { digits: None } => true,
        _ => return Err(fitting.wrong_type("text and bigint columns")),
    };
    let country = fitting.string("country")?.unwrap_or("FR").to_ascii_uppercase();
    let region = Region::try_from(country.as_str())
        .ok()
        .filter(|region| {
            PHONE_NUMBER_UTIL
                .get_supported_regions()
                .any(|known| known == *region)
        })
        .ok_or_else(|| fitting.wrong_option("country", "a country's two letters, such as FR"))?;
    let function = fitting.function("phone");
    let mask = Phone {
        strings: Strings::new(&function, 10),
        shape: Shape::new(function, shape::most(&fitting.column.kind)),
        region,
    };
    let form = if is_number {
        format!("{} IS NOT NULL", fitting.sql())
    } else {
        fitting.matches("^[\\u0001-\\u007f]*$")
    };
    Ok(fitting.fitted(mask, form))
}

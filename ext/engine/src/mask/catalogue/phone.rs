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
}

/// Whether a French mobile number that begins with 06 is valid, by a look at the two digits behind: most numbers here
/// are such, and the library takes a hundred times as long. A test compares the two.
fn is_valid_06(behind: &[u8]) -> bool {
    match behind {
        [3, next, ..] => *next <= 8,
        [9, next, ..] => matches!(next, 5 | 8 | 9),
        _ => true,
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
        let is_06 =
            self.region == Region::FR && digits == 10 && value[0] != b'+' && work.first.starts_with(&[0, 6]);
        let is_valid = match is_06 {
            true => is_valid_06(&work.first[2..]),
            false => self.is_valid(value),
        };
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
        let changed = &mut work.first[kept..];
        let text = &mut out[start..];
        self.strings.apply(changed, &tweak, |found| {
            if is_06 {
                return is_valid_06(found) == is_valid;
            }
            let places = text.iter_mut().filter(|byte| byte.is_ascii_digit()).skip(kept);
            for (byte, digit) in places.zip(found) {
                *byte = b'0' + digit;
            }
            self.is_valid(text) == is_valid
        });
        let places = text.iter_mut().filter(|byte| byte.is_ascii_digit()).skip(kept);
        for (byte, digit) in places.zip(changed.iter()) {
            *byte = b'0' + digit;
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_look_at_a_mobile_number_agrees_with_the_library() {
        for behind in 0..100u8 {
            let text = format!("06{behind:02}345678");
            let is_valid = PHONE_NUMBER_UTIL
                .parse(&text, Some(Region::FR))
                .is_ok_and(|number| PHONE_NUMBER_UTIL.is_valid_number(&number));
            assert_eq!(is_valid_06(&[behind / 10, behind % 10]), is_valid, "{text}");
        }
    }
}

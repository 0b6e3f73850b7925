//! `phone`: a valid number of the same country, written as the original is.
//!
//! What is valid in other countries than France the library says, which allocates for each number that it looks at.

use crate::entry::{CatalogueEntry, Example, Fitted, Fitting, ANY_VALUE};
use crate::error::Unfit;
use crate::families::shape::{self, Shape};
use crate::misfit::{Expected, ForTypes};
use crate::permutation::Strings;
use crate::pseudonym::{Pseudonym, Work};
use crate::types::Type;
use pg_dump_archive::copy::Row;
use rlibphonenumber::{Region, PHONE_NUMBER_UTIL};

pub(crate) static MASK: CatalogueEntry = CatalogueEntry {
    options: &[(
        "country",
        "the country of numbers without a country's code; by default <country>, else `FR`",
    )],
    example: Example::of_text("+33 6 12 34 56 78"),
    joins: true,
    ..CatalogueEntry::new(
        "phone",
        "a valid number of the same country and kind, written as the original is; its last eight digits change",
        fit,
    )
};

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

/// Whether a French number is valid, by its first digit behind the zero and the three behind that. Most numbers here are
/// such, and the library takes a hundred times as long, and allocates. A test compares the two; 08 is left to it.
fn is_valid_french(kind: u8, behind: &[u8]) -> bool {
    match (kind, behind) {
        (2, [6, 2, ..]) | (4, [0, ..]) | (5, [9, 0 | 4, ..]) => false,
        (6, [3, next, ..]) => *next <= 8,
        (6, [9, next, ..]) => matches!(next, 5 | 8 | 9),
        (7, [next, ..]) => *next >= 3,
        _ => true,
    }
}

/// The kind of a French number, which is its digit behind the zero, where [`is_valid_french`] knows it. `kept` are the
/// digits before the last eight.
fn french_kind(kept: &[u8], is_international: bool, is_home: bool) -> Option<u8> {
    let kind = match kept {
        [3, 3, 0, kind] | [3, 3, kind] | [0, 0, 3, 3, 0, kind] | [0, 0, 3, 3, kind] if is_international => {
            *kind
        }
        // In a column of numbers the zero is not there, and neither is the plus.
        [0, kind] | [kind] | [3, 3, kind] if is_home && !is_international => *kind,
        _ => return None,
    };
    matches!(kind, 1..=7 | 9).then_some(kind)
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
        // However a French number is written, it becomes the same one.
        let is_international = value[0] == b'+' || work.first.starts_with(&[0, 0]);
        let french = french_kind(&work.first[..kept], is_international, self.region == Region::FR);
        let is_valid = match french {
            Some(kind) => is_valid_french(kind, &work.first[kept..]),
            None => self.is_valid(value),
        };
        let start = out.len();
        out.extend_from_slice(value);
        let of_french = french.map(|kind| [0, kind]);
        let prefix = of_french
            .as_ref()
            .map_or(&work.first[..kept], |prefix| &prefix[..]);
        let mut tweak = [0u8; 8];
        for (byte, digit) in tweak.iter_mut().zip(prefix) {
            *byte = digit + 1;
        }
        let changed = &mut work.first[kept..];
        let text = &mut out[start..];
        self.strings.apply(changed, &tweak, |found| {
            if let Some(kind) = french {
                return is_valid_french(kind, found) == is_valid;
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

/// The region of a country's two letters in capitals, if it is one of telephone numbers.
pub(crate) fn region(country: &str) -> Option<Region> {
    // The library knows this one, which most apps name; all that it knows of numbers takes megabytes once it is asked.
    if country == "FR" {
        return Some(Region::FR);
    }
    let mut known = PHONE_NUMBER_UTIL.get_supported_regions();
    Region::try_from(country)
        .ok()
        .filter(|region| known.any(|known| known == *region))
}

fn fit(fitting: &Fitting<'_>) -> Result<Fitted, Box<Unfit>> {
    let is_number = match fitting.column.kind {
        Type::Text { .. } => false,
        Type::Integer(8) | Type::Numeric { digits: None } => true,
        _ => return Err(fitting.wrong_type(ForTypes::TextAndBigint)),
    };
    let own = fitting.ground.pseudonyms.helpers.countries.first();
    let default = own.map_or("FR", String::as_str);
    let country = fitting.string("country")?.unwrap_or(default).to_ascii_uppercase();
    let region = region(&country).ok_or_else(|| fitting.wrong_option("country", Expected::Country))?;
    let function = fitting.function("phone");
    let mask = Phone {
        strings: Strings::new(&function, 10),
        shape: Shape::new(function, shape::most(&fitting.column.kind)),
        region,
    };
    let form = if is_number {
        ANY_VALUE.into()
    } else {
        fitting.is_ascii()
    };
    Ok(fitting.fitted(mask, form))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::testing::{bigint, case, digits, on_text, plain, same_shape, shape, Case};
    use rlibphonenumber::{Region, PHONE_NUMBER_UTIL};
    use serde_json::json;

    pub(crate) const CASES: &[Case] = &[
        case("phone", "0[1-79][0-9]{8}", |old, new| {
            same_shape(old, new) && same_validity(Region::FR, old, new)
        }),
        case("phone", "\\+44 7[0-9]{3} [0-9]{6}", |old, new| {
            same_shape(old, new) && same_validity(Region::GB, old, new)
        }),
        case("phone", "[2-9][0-9]{2}-[2-9][0-9]{2}-[0-9]{4}", |old, new| {
            same_shape(old, new) && same_validity(Region::US, old, new)
        })
        .with(r#"{"country": "US"}"#),
        case("phone", "[1-9][0-9]{6,17}", same_shape).on(bigint),
    ];

    fn same_validity(region: Region, old: &str, new: &str) -> bool {
        let is_valid = |text: &str| {
            PHONE_NUMBER_UTIL
                .parse(text, Some(region))
                .is_ok_and(|number| PHONE_NUMBER_UTIL.is_valid_number(&number))
        };
        is_valid(old) == is_valid(new)
    }

    #[test]
    fn a_phone_number_stays_valid_and_of_its_kind_and_is_the_same_however_it_is_written() {
        let mobile = plain("phone", "06 12 34 56 78");
        assert!(
            mobile.starts_with("06 ") && shape(&mobile) == "99 99 99 99 99",
            "{mobile}"
        );
        let national: String = mobile.chars().filter(char::is_ascii_digit).skip(1).collect();
        for written in [
            "+33612345678",
            "0033612345678",
            "+33 6 12 34 56 78",
            "+33 (0)6 12 34 56 78",
            "06.12.34.56.78",
        ] {
            let masked: String = plain("phone", written)
                .chars()
                .filter(char::is_ascii_digit)
                .collect();
            assert!(masked.ends_with(&national), "{written} {masked}");
        }
        let us = on_text("phone", json!({"country": "US"}), "(212) 555-0123");
        let parts = digits(&us);
        assert!(
            shape(&us) == "(999) 999-9999" && parts[0] >= 2 && parts[3] >= 2,
            "{us}"
        );
        assert!(plain("phone", "+49 30 123456").starts_with("+49 "));
        assert!(
            !plain("phone", "call me").contains("call"),
            "words are no phone number, and do not stay"
        );
    }

    #[test]
    fn the_look_at_a_french_number_agrees_with_the_library() {
        let is_valid = |text: &str| {
            PHONE_NUMBER_UTIL
                .parse(text, Some(Region::FR))
                .is_ok_and(|number| PHONE_NUMBER_UTIL.is_valid_number(&number))
        };
        for kind in [1, 2, 3, 4, 5, 6, 7, 9] {
            for behind in 0..1000u16 {
                let digits = [behind / 100, behind / 10 % 10, behind % 10].map(|digit| digit as u8);
                let found = is_valid_french(kind, &digits);
                assert_eq!(
                    found,
                    is_valid(&format!("0{kind}{behind:03}45678")),
                    "0{kind}{behind:03}"
                );
                if behind % 10 == 0 {
                    for start in ["+33 ", "33", ""] {
                        let text = format!("{start}{kind}{behind:03}45678");
                        assert_eq!(found, is_valid(&text), "{text}");
                    }
                }
            }
        }
    }

    #[test]
    fn the_kind_of_a_french_number_is_found_however_it_is_written() {
        assert_eq!(french_kind(&[0, 6], false, true), Some(6));
        assert_eq!(french_kind(&[0, 6], false, false), None);
        assert_eq!(french_kind(&[3, 3, 0, 1], true, false), Some(1));
        assert_eq!(french_kind(&[0, 0, 3, 3, 7], true, true), Some(7));
        assert_eq!(french_kind(&[3, 3, 8], true, true), None);
        assert_eq!(french_kind(&[4, 4, 7, 1], true, true), None);
    }
}

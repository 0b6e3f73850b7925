//! Telephone numbers as they are dialled at home, in text: the library says what is one in a country, group by group of
//! digits, and there are few candidates.

use super::phone::region;
use super::scrub::inner;
use crate::entry::Fitting;
use crate::error::Unfit;
use crate::pseudonym::{Pseudonym, Work};
use pg_dump_archive::copy::Row;
use rlibphonenumber::{PhoneNumberFormat, Region, PHONE_NUMBER_UTIL};
use serde_json::json;

/// No number has fewer digits, or more without its country's code.
const DIGITS: std::ops::RangeInclusive<usize> = 7..=13;
/// A number is written in so many groups at most.
const GROUPS: usize = 7;

#[derive(Debug)]
struct Country {
    region: Region,
    mask: Box<dyn Pseudonym>,
}

/// The countries whose numbers are looked for.
#[derive(Debug)]
pub(super) struct National(Vec<Country>);

impl National {
    pub(super) fn new(fitting: &Fitting<'_>, countries: &[String]) -> Result<Self, Box<Unfit>> {
        let mut found = Vec::new();
        for country in countries {
            let mask = inner(fitting, &json!({ "mask": "phone", "country": country }))?;
            found.extend(
                region(country)
                    .zip(mask)
                    .map(|(region, mask)| Country { region, mask }),
            );
        }
        Ok(Self(found))
    }

    /// Appends digits and what separates them, with the numbers among them masked.
    pub(super) fn write(&self, text: &[u8], row: &Row<'_>, work: &mut Work, out: &mut Vec<u8>) {
        let mut at = 0;
        while at < text.len() {
            if let Some((end, country)) = self.number_at(text, at) {
                country.mask.write(&text[at..end], row, work, out);
                at = end;
                continue;
            }
            // The next group of digits, or the parenthesis before it.
            let digits = text[at..].iter().take_while(|byte| byte.is_ascii_digit()).count();
            let rest = text[at + digits..]
                .iter()
                .take_while(|byte| !byte.is_ascii_digit())
                .count();
            let opens = rest > 0 && text.get(at + digits + rest - 1) == Some(&b'(');
            let next = (at + digits + rest - usize::from(opens)).max(at + 1);
            out.extend_from_slice(&text[at..next]);
            at = next;
        }
    }

    /// Where the longest number ends that begins at a place, and whose it is.
    fn number_at(&self, text: &[u8], at: usize) -> Option<(usize, &Country)> {
        // Behind anything but a blank it is a part of something longer: the month of a date, say.
        let is_apart = at == 0 || matches!(text[at - 1], b' ' | b'(');
        if !is_apart {
            return None;
        }
        let mut ends = [0; GROUPS];
        let (mut count, mut digits) = (0, 0);
        for (place, byte) in text.iter().enumerate().skip(at) {
            digits += usize::from(byte.is_ascii_digit());
            let ends_group = byte.is_ascii_digit() && !text.get(place + 1).is_some_and(u8::is_ascii_digit);
            if digits > *DIGITS.end() || count == GROUPS {
                break;
            }
            if ends_group {
                ends[count] = place + 1;
                count += 1;
            }
        }
        let longest_first = ends[..count].iter().rev();
        longest_first.copied().find_map(|end| {
            let country = self.0.iter().find(|country| country.has(&text[at..end]))?;
            Some((end, country))
        })
    }
}

impl Country {
    /// Whether these are the digits that are dialled for a number at home: with the zero, say, that it begins with.
    fn has(&self, number: &[u8]) -> bool {
        let digits = |text: &[u8]| {
            text.iter()
                .copied()
                .filter(u8::is_ascii_digit)
                .collect::<Vec<u8>>()
        };
        let own = digits(number);
        if !DIGITS.contains(&own.len()) {
            return false;
        }
        let text = std::str::from_utf8(number).ok();
        let parsed = text.and_then(|text| PHONE_NUMBER_UTIL.parse(text, Some(self.region)).ok());
        parsed.is_some_and(|parsed| {
            PHONE_NUMBER_UTIL.is_valid_number(&parsed)
                && digits(parsed.format_as(PhoneNumberFormat::National).as_bytes()) == own
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::{on_text, shape};
    use serde_json::json;

    /// A number of each country as people there write it.
    const NUMBERS: [(&str, &str); 14] = [
        ("FR", "06 12 34 56 78"),
        ("BE", "0470 12 34 56"),
        ("CH", "044 668 18 00"),
        ("DE", "030 901820"),
        ("ES", "612 34 56 78"),
        ("IT", "312 345 6789"),
        ("NL", "06 12345678"),
        ("PT", "912 345 678"),
        ("PL", "512 345 678"),
        ("GB", "07911 123456"),
        ("IE", "085 012 3456"),
        ("US", "(212) 555-0123"),
        ("CA", "416-555-0123"),
        ("AT", "0664 1234567"),
    ];

    #[test]
    fn a_number_as_it_is_dialled_at_home_is_found_in_text_in_every_country() {
        for (country, number) in NUMBERS {
            for text in [
                format!("call {number} before 18h"),
                number.to_owned(),
                format!("le 12: {number}."),
            ] {
                let masked = on_text("scrub", json!({ "country": country }), &text);
                assert!(!masked.contains(number), "{country}: {masked}");
                assert_eq!(shape(&masked), shape(&text), "{country}");
            }
        }
    }

    #[test]
    fn numbers_of_several_countries_are_found_and_dates_and_prices_stay() {
        let several = json!({ "country": ["de", "gb"] });
        let masked = on_text("scrub", several.clone(), "030 901820 or 07911 123456");
        assert!(
            !masked.contains("901820") && !masked.contains("123456"),
            "{masked}"
        );
        for text in [
            "2024-02-29 12:30",
            "order 4711, 12 of 2024",
            "1 299.50",
            "12/05/2024 18:00",
        ] {
            assert_eq!(on_text("scrub", several.clone(), text), text);
        }
    }
}

//! Telephone numbers: the plans of the most frequent countries by a look, all others by the library that knows them.
//!
//! The library (a port of Google's libphonenumber) takes some 15 µs per number. The plans looked at here are
//! simple enough in the published numbering plans (ARCEP, Ofcom, NANPA, BNetzA, CNMC, AGCOM, BIPT, OFCOM, ACM, ANACOM)
//! to accept a number by its first digits and its length; what they do not accept the library still may.

use rlibphonenumber::{Region, PHONE_NUMBER_UTIL};

/// An international number: `digits` are those after the `+` (or after `00`), country code first.
pub(crate) fn international(digits: &[u8]) -> bool {
    if !(8..=15).contains(&digits.len()) || digits[0] == b'0' {
        return false;
    }
    if digits.starts_with(b"33") {
        let national = &digits[2..];
        let national = national.strip_prefix(b"0").unwrap_or(national);
        return national.len() == 9 && national[0] != b'0';
    }
    if known_plan(digits) {
        return true;
    }
    let mut number = [0u8; 16];
    number[0] = b'+';
    number[1..=digits.len()].copy_from_slice(digits);
    ask(&number[..=digits.len()], None)
}

/// Numbers that the plan of a frequent country surely has, country code first.
fn known_plan(digits: &[u8]) -> bool {
    match digits {
        [b'1', national @ ..] => is_nanp(national),
        // United Kingdom: geographic, non-geographic and mobile.
        [b'4', b'4', b'1' | b'2' | b'3' | b'7', ..] => digits.len() == 12,
        // Germany: mobile.
        [b'4', b'9', b'1', b'5'..=b'7', ..] => matches!(digits.len(), 12 | 13),
        // Spain, Switzerland: nine digits.
        [b'3', b'4', b'6'..=b'9', ..] | [b'4', b'1', b'2'..=b'9', ..] => digits.len() == 11,
        // Italy, Belgium, Netherlands: mobile.
        [b'3', b'9', b'3', ..] => digits.len() == 12,
        [b'3', b'2', b'4', b'5'..=b'9', ..] | [b'3', b'1', b'6', ..] => digits.len() == 11,
        // Portugal, Morocco.
        [b'3', b'5', b'1', b'2' | b'9', ..] | [b'2', b'1', b'2', b'5'..=b'7', ..] => digits.len() == 12,
        _ => false,
    }
}

/// An international number without its plus, of a country whose plan is known here; North America's look like any number.
pub fn unprefixed(digits: &[u8]) -> bool {
    if !(9..=15).contains(&digits.len()) {
        return false;
    }
    let french = digits.len() == 11 && digits.starts_with(b"33") && digits[2] != b'0';
    french || digits[0] != b'1' && digits[0] != b'0' && known_plan(digits)
}

/// Ten digits of the North American plan: area and exchange begin with 2 to 9, and neither is a service code (N11).
fn is_nanp(national: &[u8]) -> bool {
    national.len() == 10
        && national[0] >= b'2'
        && national[3] >= b'2'
        && &national[1..3] != b"11"
        && &national[4..6] != b"11"
        && national[1] != b'9'
}

/// A French number as it is dialled in France.
pub(crate) fn french(digits: &[u8]) -> bool {
    digits.len() == 10 && digits[0] == b'0' && digits[1] != b'0'
}

/// A number of North America with its area code, as dialled there.
pub(crate) fn north_american(digits: &[u8]) -> bool {
    is_nanp(
        digits
            .strip_prefix(b"1")
            .filter(|national| national.len() == 10)
            .unwrap_or(digits),
    )
}

/// A number as it is dialled inside one of the countries whose users are likely here.
pub(crate) fn national(digits: &[u8]) -> bool {
    let regions: &[Region] = match (digits.first(), digits.len()) {
        _ if french(digits) => return true,
        // United Kingdom: eleven digits; German mobile numbers have eleven or twelve.
        (Some(b'0'), 11) if matches!(digits[1], b'1' | b'2' | b'7') => return true,
        (Some(b'0'), 12) if digits[1] == b'1' && matches!(digits[2], b'5'..=b'7') => return true,
        (Some(b'0'), 9..=12) => &[
            Region::GB,
            Region::DE,
            Region::BE,
            Region::CH,
            Region::NL,
            Region::IT,
        ],
        (Some(b'6'..=b'9'), 9) => &[Region::ES],
        (Some(b'3'), 9..=10) => &[Region::IT],
        (Some(b'1'..=b'9'), 10 | 11) => return north_american(digits),
        _ => return false,
    };
    regions.iter().any(|region| ask(digits, Some(*region)))
}

/// Asks the library; what it cannot parse is no number.
fn ask(number: &[u8], region: Option<Region>) -> bool {
    let Ok(number) = std::str::from_utf8(number) else {
        return false;
    };
    let parsed = PHONE_NUMBER_UTIL.parse(number, region);
    parsed.is_ok_and(|parsed| PHONE_NUMBER_UTIL.is_valid_number(&parsed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_many_countries_are_known() {
        assert!(
            international(b"33612345678") && international(b"330612345678") && international(b"4930901820")
        );
        assert!(
            international(b"447911123456") && international(b"14155552671") && international(b"34612345678")
        );
        assert!(!international(b"999123456789") && !international(b"33012345678") && !international(b"1"));
    }

    #[test]
    fn numbers_as_dialled_at_home_are_known() {
        assert!(
            national(b"0612345678")
                && national(b"07911123456")
                && national(b"4155552671")
                && national(b"015112345678")
        );
        assert!(!national(b"0012345678") && !national(b"1234567890") && !national(b"1700000000"));
    }
}

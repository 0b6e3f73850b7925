//! Telephone numbers: a cheap look at the shape first, then the library that knows every country's plan.
//!
//! The library (a port of Google's libphonenumber) takes some 15 µs per number. French numbers, the most
//! frequent here, have a plan simple enough to be told without it: ten digits, 0, then 1 to 9 (ARCEP's numbering plan).

use rlibphonenumber::{Region, PHONE_NUMBER_UTIL};

/// An international number: `digits` are those after the `+` (or after `00`), country code first.
pub(crate) fn international(digits: &[u8]) -> bool {
    if let Some(national) = digits.strip_prefix(b"33") {
        let national = national.strip_prefix(b"0").unwrap_or(national);
        return national.len() == 9 && national[0] != b'0';
    }
    if !(8..=15).contains(&digits.len()) || digits[0] == b'0' {
        return false;
    }
    let mut number = [0u8; 16];
    number[0] = b'+';
    number[1..=digits.len()].copy_from_slice(digits);
    ask(&number[..=digits.len()], None)
}

/// A French number as it is dialled in France.
pub(crate) fn french(digits: &[u8]) -> bool {
    digits.len() == 10 && digits[0] == b'0' && digits[1] != b'0'
}

/// A number of North America with its area code, as dialled there.
pub(crate) fn north_american(digits: &[u8]) -> bool {
    let national = digits.strip_prefix(b"1").filter(|d| d.len() == 10).unwrap_or(digits);
    let shaped = national.len() == 10 && national[0] >= b'2' && national[3] >= b'2';
    // The fictitious exchange 555 is no valid one to the library, and what test data is made of.
    shaped && (&national[3..6] == b"555" || ask(national, Some(Region::US)))
}

/// A number as it is dialled inside one of the countries whose users are likely here.
pub(crate) fn national(digits: &[u8]) -> bool {
    let regions: &[Region] = match (digits.first(), digits.len()) {
        _ if french(digits) => return true,
        (Some(b'0'), 9..=12) => &[Region::GB, Region::DE, Region::BE, Region::CH, Region::NL, Region::IT],
        (Some(b'6'..=b'9'), 9) => &[Region::ES],
        (Some(b'3'), 9..=10) => &[Region::IT],
        (Some(b'1'..=b'9'), 10 | 11) => return north_american(digits),
        _ => return false,
    };
    regions.iter().any(|region| ask(digits, Some(*region)))
}

/// Asks the library; what it cannot parse is no number.
fn ask(number: &[u8], region: Option<Region>) -> bool {
    let Ok(number) = std::str::from_utf8(number) else { return false };
    let parsed = PHONE_NUMBER_UTIL.parse(number, region);
    parsed.is_ok_and(|parsed| PHONE_NUMBER_UTIL.is_valid_number(&parsed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_many_countries_are_known() {
        assert!(international(b"33612345678") && international(b"330612345678") && international(b"4930901820"));
        assert!(international(b"447911123456") && international(b"14155552671") && international(b"34612345678"));
        assert!(!international(b"999123456789") && !international(b"33012345678") && !international(b"1"));
    }

    #[test]
    fn numbers_as_dialled_at_home_are_known() {
        assert!(national(b"0612345678") && national(b"07911123456") && national(b"4155552671") && national(b"015112345678"));
        assert!(!national(b"0012345678") && !national(b"1234567890") && !national(b"1700000000"));
    }
}

//! Numbers by which states know persons, by their checks: Belgium, Brazil, Canada, Germany, Ireland, Italy, the Netherlands,
//! Poland, Portugal, Spain, Switzerland, the United Kingdom. France's NIR and the United States' SSN are in `checks`.
//!
//! Each rule is the one that the issuing authority publishes. A number with a strong check or an unmistakable form speaks
//! for itself; one in eleven numbers passes a weak one, which says something only of a whole column.

use crate::checks::luhn;
use std::ops::Range;

/// How much a number that passes says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Check {
    /// Hardly any other number passes.
    Strong,
    /// One number in ten or eleven does.
    Weak,
}

/// Most characters of such a number without separators: the codice fiscale.
const LONGEST: usize = 16;

/// What a whole value is, with any separators.
pub(crate) fn whole(value: &[u8]) -> Option<Check> {
    let mut compact = [0u8; LONGEST];
    let mut length = 0;
    for byte in value {
        match byte {
            b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' if length < LONGEST => {
                compact[length] = byte.to_ascii_uppercase();
                length += 1;
            }
            b' ' | b'.' | b'-' | b'/' => {}
            _ => return None,
        }
    }
    of(&compact[..length])
}

/// What capitals and digits without separators are.
fn of(compact: &[u8]) -> Option<Check> {
    if compact.iter().all(u8::is_ascii_digit) {
        return of_digits(compact);
    }
    let with_letters = dni(compact)
        || nino(compact)
        || codice_fiscale(compact)
        || ppsn(compact)
        || rentenversicherung(compact);
    with_letters.then_some(Check::Strong)
}

/// What digits are.
pub(crate) fn of_digits(digits: &[u8]) -> Option<Check> {
    if digits.windows(2).all(|pair| pair[0] == pair[1]) {
        return None;
    }
    match digits.len() {
        9 if bsn(digits) || nif(digits) || sin(digits) => Some(Check::Weak),
        10 if nhs(digits) => Some(Check::Weak),
        11 if rijksregister(digits) || cpf(digits) || pesel(digits) || steuer_id(digits) => {
            Some(Check::Strong)
        }
        13 if digits.starts_with(b"756") && ean(digits) => Some(Check::Strong),
        _ => None,
    }
}

/// A number with letters around a digit of a text: the word that it stands in, or the spaced form of a British number.
pub(crate) fn around(text: &[u8], digit: usize) -> Option<Range<usize>> {
    let is_part = |byte: &&u8| byte.is_ascii_alphanumeric();
    let start = digit
        - text[..digit]
            .iter()
            .rev()
            .take(LONGEST + 1)
            .take_while(is_part)
            .count();
    let end = digit + text[digit..].iter().take(LONGEST + 1).take_while(is_part).count();
    let bounded = |at: Option<&u8>| !at.is_some_and(|byte| matches!(byte, b'_' | b'-' | b'@'));
    if (8..=LONGEST).contains(&(end - start)) {
        let before = start.checked_sub(1).and_then(|at| text.get(at));
        let mut word = [0u8; LONGEST];
        word[..end - start].copy_from_slice(&text[start..end]);
        let word = &word[..end - start];
        let has_letters = word.iter().any(u8::is_ascii_uppercase);
        let is_sound = has_letters && bounded(before) && bounded(text.get(end));
        return (is_sound && of(word) == Some(Check::Strong)).then_some(start..end);
    }
    spaced_nino(text, digit)
}

/// "AB 12 34 56 C", from its first digit.
fn spaced_nino(text: &[u8], digit: usize) -> Option<Range<usize>> {
    let start = digit.checked_sub(3)?;
    let range = start..start + 13;
    let written = text.get(range.clone())?;
    let spaces = [2, 5, 8, 11].iter().all(|place| written[*place] == b' ');
    let is_glued = text.get(range.end).is_some_and(u8::is_ascii_alphanumeric)
        || start > 0 && text[start - 1].is_ascii_alphanumeric();
    (spaces && !is_glued && whole(written) == Some(Check::Strong)).then_some(range)
}

fn value(digits: &[u8]) -> u64 {
    digits
        .iter()
        .fold(0, |sum, digit| sum * 10 + u64::from(digit.wrapping_sub(b'0')))
}

/// The sum of digits, each by its weight.
fn weighted(digits: &[u8], weights: impl IntoIterator<Item = i32>) -> i32 {
    let digits = digits.iter().map(|digit| i32::from(digit.wrapping_sub(b'0')));
    digits.zip(weights).map(|(digit, weight)| digit * weight).sum()
}

fn is_date(month: u64, day: u64) -> bool {
    (1..=12).contains(&month) && (1..=31).contains(&day)
}

/// Belgium: six digits of the birth, three of order, 97 less the rest of dividing them by 97, behind a 2 since 2000.
fn rijksregister(digits: &[u8]) -> bool {
    let month = value(&digits[2..4]) % 20;
    let (body, check) = (value(&digits[..9]), value(&digits[9..]));
    let is_check = |body: u64| 97 - body % 97 == check;
    is_date(month, value(&digits[4..6])) && (is_check(body) || is_check(2_000_000_000 + body))
}

/// Brazil: two check digits by elevens.
fn cpf(digits: &[u8]) -> bool {
    let check = |length: usize| {
        let sum = weighted(&digits[..length], (2..=length as i32 + 1).rev());
        let rest = sum * 10 % 11 % 10;
        rest == i32::from(digits[length] - b'0')
    };
    check(9) && check(10)
}

/// Poland: the birth with the century in the month, and one check digit.
fn pesel(digits: &[u8]) -> bool {
    let sum = weighted(&digits[..10], [1, 3, 7, 9, 1, 3, 7, 9, 1, 3]);
    let month = value(&digits[2..4]);
    is_date(month % 20, value(&digits[4..6]))
        && month < 93
        && (10 - sum % 10) % 10 == i32::from(digits[10] - b'0')
}

/// Germany's tax number: of its first ten digits one stands two or three times, and the last is by ISO 7064 (11, 10).
fn steuer_id(digits: &[u8]) -> bool {
    let mut times = [0u8; 10];
    digits[..10]
        .iter()
        .for_each(|digit| times[usize::from(digit - b'0')] += 1);
    let repeated = times.iter().filter(|count| **count > 1).count();
    let shape = digits[0] != b'0' && repeated == 1 && times.iter().all(|count| *count <= 3);
    let product = digits[..10].iter().fold(10, |product, digit| {
        let sum = (u32::from(digit - b'0') + product) % 10;
        (if sum == 0 { 10 } else { sum }) * 2 % 11
    });
    shape && (11 - product) % 10 == u32::from(digits[10] - b'0')
}

/// Germany's pension insurance: area, birth, the name's letter, order, and a check over cross sums.
fn rentenversicherung(compact: &[u8]) -> bool {
    if compact.len() != 12 || !compact[8].is_ascii_uppercase() {
        return false;
    }
    let digits = compact
        .iter()
        .enumerate()
        .all(|(place, byte)| place == 8 || byte.is_ascii_digit());
    if !digits || !is_date(value(&compact[4..6]), value(&compact[2..4])) {
        return false;
    }
    let letter = compact[8] - b'A' + 1;
    let mut all = [0u8; 12];
    all[..8].copy_from_slice(&compact[..8]);
    (all[8], all[9]) = (b'0' + letter / 10, b'0' + letter % 10);
    all[10..].copy_from_slice(&compact[9..11]);
    let weights = [2, 1, 2, 5, 7, 1, 2, 1, 2, 1, 2, 1];
    let products = all
        .iter()
        .zip(weights)
        .map(|(digit, weight)| u32::from(digit - b'0') * weight);
    let sum: u32 = products.map(|product| product / 10 + product % 10).sum();
    sum % 10 == u32::from(compact[11] - b'0')
}

/// Spain's DNI, eight digits and their letter, and NIE, in which X, Y or Z stands for the first.
fn dni(compact: &[u8]) -> bool {
    if compact.len() != 9 || !compact[1..8].iter().all(u8::is_ascii_digit) {
        return false;
    }
    let first = match compact[0] {
        digit @ b'0'..=b'9' => digit,
        letter @ b'X'..=b'Z' => letter - b'X' + b'0',
        _ => return false,
    };
    let number = u64::from(first - b'0') * 10_000_000 + value(&compact[1..8]);
    compact[8] == b"TRWAGMYFPDXBNJZSQVHLCKE"[(number % 23) as usize]
}

/// Italy: name, birth and place in letters and digits, and a check letter. Letters that stand for digits are taken, too.
fn codice_fiscale(compact: &[u8]) -> bool {
    if compact.len() != 16 {
        return false;
    }
    let shape = compact.iter().enumerate().all(|(place, byte)| match place {
        6 | 7 | 9 | 10 | 12 | 13 | 14 => byte.is_ascii_digit() || b"LMNPQRSTUV".contains(byte),
        8 => b"ABCDEHLMPRST".contains(byte),
        _ => byte.is_ascii_uppercase(),
    });
    const ODD: [u32; 26] = [
        1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23,
    ];
    let rank = |byte: &u8| match byte {
        b'0'..=b'9' => usize::from(byte - b'0'),
        _ => usize::from(byte.wrapping_sub(b'A')),
    };
    shape && {
        let sum: u32 = (compact[..15].iter().enumerate())
            .map(|(place, byte)| {
                if place % 2 == 0 {
                    ODD[rank(byte)]
                } else {
                    rank(byte) as u32
                }
            })
            .sum();
        u32::from(compact[15] - b'A') == sum % 26
    }
}

/// The United Kingdom's National Insurance number: letters that are issued, six digits, A to D.
fn nino(compact: &[u8]) -> bool {
    compact.len() == 9
        && compact[2..8].iter().all(u8::is_ascii_digit)
        && matches!(compact[8], b'A'..=b'D')
        && compact[0].is_ascii_uppercase()
        && compact[1].is_ascii_uppercase()
        && !b"DFIQUV".contains(&compact[0])
        && !b"DFIQUVO".contains(&compact[1])
        && ![b"BG", b"GB", b"KN", b"NK", b"NT", b"TN", b"ZZ"]
            .iter()
            .any(|never| compact.starts_with(*never))
}

/// Ireland: seven digits, a check letter, and since 2013 another letter.
fn ppsn(compact: &[u8]) -> bool {
    if !matches!(compact.len(), 8 | 9) || !compact[..7].iter().all(u8::is_ascii_digit) {
        return false;
    }
    let second = match compact.get(8) {
        None => 0,
        Some(letter @ b'A'..=b'I') => i32::from(letter - b'A') + 1,
        Some(b'W') => 0,
        Some(_) => return false,
    };
    let rest = (weighted(&compact[..7], (2..=8).rev()) + second * 9) % 23;
    compact[7] == if rest == 0 { b'W' } else { b'A' + rest as u8 - 1 }
}

/// The Netherlands: by elevens, the last digit taken away.
fn bsn(digits: &[u8]) -> bool {
    weighted(digits, [9, 8, 7, 6, 5, 4, 3, 2, -1]) % 11 == 0
}

/// Portugal's tax number of persons: by elevens.
fn nif(digits: &[u8]) -> bool {
    let rest = weighted(&digits[..8], (2..=9).rev()) % 11;
    let check = if rest < 2 { 0 } else { 11 - rest };
    matches!(digits[0], b'1' | b'2' | b'3') && check == i32::from(digits[8] - b'0')
}

/// Canada: Luhn; 0 and 8 are not issued first.
fn sin(digits: &[u8]) -> bool {
    !matches!(digits[0], b'0' | b'8') && luhn(digits)
}

/// England's and Wales' health service: by elevens.
fn nhs(digits: &[u8]) -> bool {
    let check = 11 - weighted(&digits[..9], (2..=10).rev()) % 11;
    check != 10 && check % 11 == i32::from(digits[9] - b'0')
}

/// Switzerland's AHV number is checked as barcodes are.
fn ean(digits: &[u8]) -> bool {
    let sum = weighted(&digits[..12], [1, 3].into_iter().cycle().take(12));
    (10 - sum % 10) % 10 == i32::from(digits[12] - b'0')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_each_country_pass_in_the_forms_that_people_write() {
        for number in [
            "85.07.30-033.28",
            "17073003384",
            "111.444.777-35",
            "44051401359",
            "86095742719",
            "65170839J003",
            "12345678Z",
            "X1234567L",
            "RSSMRA85T10A562S",
            "AB 12 34 56 C",
            "1234567T",
            "1234567FA",
            "756.9217.0769.85",
        ] {
            assert_eq!(whole(number.as_bytes()), Some(Check::Strong), "{number}");
        }
        for number in ["111222333", "123456789", "130692544", "9434765919"] {
            assert_eq!(whole(number.as_bytes()), Some(Check::Weak), "{number}");
        }
    }

    #[test]
    fn a_wrong_check_a_date_that_is_none_and_a_filler_do_not_pass() {
        for number in [
            "85.07.30-033.29",
            "85.17.30-033.28",
            "111.444.777-36",
            "111.111.111-11",
            "44051401358",
            "86095742718",
            "65170839J004",
            "12345678A",
            "RSSMRA85T10A562T",
            "BG123456C",
            "AB123456E",
            "1234567A",
            "756.9217.0769.84",
            "111222334",
            "0000000000",
            "12345678Z0",
        ] {
            assert_ne!(whole(number.as_bytes()), Some(Check::Strong), "{number}");
        }
    }

    #[test]
    fn a_number_with_letters_is_found_around_its_digits() {
        let place = |text: &str| {
            let digit = text.bytes().position(|byte| byte.is_ascii_digit())?;
            around(text.as_bytes(), digit).map(|range| text[range].to_owned())
        };
        for number in [
            "12345678Z",
            "X1234567L",
            "RSSMRA85T10A562S",
            "AB 12 34 56 C",
            "1234567T",
            "65170839J003",
        ] {
            assert_eq!(place(&format!("see {number}, thanks")).as_deref(), Some(number));
        }
        for text in [
            "ref-12345678Z",
            "12345678Z_a",
            "x12345678Z",
            "v12345678",
            "AB 12 34 56 CD",
        ] {
            assert_eq!(place(text), None, "{text}");
        }
    }
}

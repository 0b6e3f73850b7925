//! `iban`: the check digits of ISO 13616, and of a French account its own key, too.

use crate::entry::{CatalogueEntry, Example, Fitted, Fitting};
use crate::error::Unfit;
use crate::families::check_digits::{self, all_digits, carry_over, starts_with_letters, Number};
use crate::families::shape::Shape;

pub(crate) static MASK: CatalogueEntry = CatalogueEntry {
    example: Example::of_text("FR14 2004 1010 0505 0001 3M02 606"),
    joins: true,
    ..CatalogueEntry::new(
        "iban",
        "an account of the same country with valid check digits",
        fit,
    )
};

#[derive(Debug)]
struct Iban;

impl Number for Iban {
    fn knows(&self, text: &[u8]) -> bool {
        (15..=34).contains(&text.len()) && starts_with_letters(text, 2) && all_digits(&text[2..4])
    }

    fn replace(&self, text: &mut [u8], shape: &Shape, work: &mut Vec<u8>) {
        let old = iban_check(&text[..2], &text[4..]);
        let mut check = [text[2] - b'0', text[3] - b'0'];
        let country = [text[0].to_ascii_uppercase(), text[1].to_ascii_uppercase()];
        let is_french = matches!(&country, b"FR" | b"MC") && text.len() == 27;
        if is_french && rib_key(&text[4..25]) == number_of(&text[25..]) {
            // The account's own key is right, and stays so.
            shape.replace(&mut text[4..25], work, |_| true);
            let key = rib_key(&text[4..25]);
            text[25] = b'0' + (key / 10) as u8;
            text[26] = b'0' + (key % 10) as u8;
        } else if is_french {
            // One whose key is wrong does not become one whose key is right.
            for _ in 0..1000 {
                shape.replace(&mut text[4..], work, |_| true);
                if rib_key(&text[4..25]) != number_of(&text[25..]) {
                    break;
                }
            }
        } else {
            shape.replace(&mut text[4..], work, |_| true);
        }
        carry_over(
            &mut check,
            u128::from(old),
            u128::from(iban_check(&country, &text[4..])),
        );
        text[2] = b'0' + check[0];
        text[3] = b'0' + check[1];
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

/// The number that ASCII digits are; none that two digits can be where there is a letter.
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

fn fit(fitting: &Fitting<'_>) -> Result<Fitted, Box<Unfit>> {
    check_digits::fit(fitting, 0, |_, _| Iban)
}

#[cfg(test)]
pub(super) mod tests {
    #![allow(clippy::unwrap_used)]
    use crate::testing::{becomes_right, case, plain, remainder, same_shape, shape, Case};

    pub(crate) const CASES: &[Case] = &[
        case("iban", "FR[0-9]{2}[0-9]{10}[0-9A-Z]{11}[0-9]{2}", |old, new| {
            (iban_rest(old) == 1) == (iban_rest(new) == 1)
        }),
        case("iban", "GB[0-9]{2}[A-Z]{4}[0-9]{14}", |old, new| {
            same_shape(old, new) && (iban_rest(old) == 1) == (iban_rest(new) == 1)
        }),
    ];

    /// ISO 13616: 1 is right.
    fn iban_rest(text: &str) -> u64 {
        let turned = format!("{}{}", &text[4..], &text[..4]);
        let written: String = turned
            .chars()
            .map(|c| c.to_digit(36).unwrap().to_string())
            .collect();
        remainder(&written, 97)
    }

    #[test]
    fn right_check_digits_become_right_ones() {
        becomes_right("iban", "FR00[0-9]{10}[0-9A-Z]{11}[0-9]{2}", 2..4, |text| {
            iban_rest(text) == 1
        });
        becomes_right("iban", "DE00[0-9]{18}", 2..4, |text| iban_rest(text) == 1);
    }

    #[test]
    fn an_iban_stays_one_of_its_country_with_right_check_digits() {
        for iban in [
            "FR14 2004 1010 0505 0001 3M02 606",
            "FR7630006000011234567890189",
            "DE89370400440532013000",
            "GB29NWBK60161331926819",
            "BE68539007547034",
        ] {
            let masked = plain("iban", iban);
            assert!(iban_is_right(iban) && iban_is_right(&masked), "{masked}");
            assert_eq!(masked[..2], iban[..2]);
            assert_eq!(shape(&masked), shape(iban));
            assert_ne!(masked, iban);
        }
        // The key of a French account is right, too: 97 - (89 bank + 15 branch + 3 account) mod 97.
        let masked = plain("iban", "FR7630006000011234567890189");
        let part = |range: std::ops::Range<usize>| masked[range].parse::<u64>().unwrap();
        let rest = (89 * part(4..9) + 15 * part(9..14) + 3 * part(14..25)) % 97;
        assert_eq!(97 - rest, part(25..27));
        // What is wrong stays wrong.
        assert!(!iban_is_right(&plain("iban", "DE88370400440532013000")));
    }

    /// ISO 13616: the first four characters to the end, letters as two digits, the rest by 97 is 1.
    fn iban_is_right(text: &str) -> bool {
        let text: String = text.chars().filter(|c| !c.is_whitespace()).collect();
        let turned: String = text[4..].chars().chain(text[..4].chars()).collect();
        let mut rest = 0u64;
        for c in turned.chars() {
            for digit in c.to_digit(36).unwrap().to_string().chars() {
                rest = (rest * 10 + u64::from(digit.to_digit(10).unwrap())) % 97;
            }
        }
        rest == 1
    }
}

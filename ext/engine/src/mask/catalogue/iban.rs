//! `iban`: the check digits of ISO 13616, and of a French account its own key, too.

use crate::mask::entry::{Entry, Example, Fitted, Fitting};
use crate::mask::families::check_digits::{self, all_digits, carry_over, starts_with_letters, Number};
use crate::mask::families::shape::Shape;

pub(in crate::mask) static MASK: Entry = Entry {
    example: Example::of_text("FR14 2004 1010 0505 0001 3M02 606"),
    joins: true,
    ..Entry::new(
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

fn fit(fitting: &Fitting<'_>) -> Result<Fitted, String> {
    check_digits::fit(fitting, 0, |_, _| Iban)
}

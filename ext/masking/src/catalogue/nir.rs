//! `nir`: sex, year, month, department, commune, order, and the key to 97.

use crate::entry::{CatalogueEntry, Example, Fitted, Fitting};
use crate::error::Unfit;
use crate::families::check_digits::{self, all_digits, carry_over, number, write, Number};
use crate::families::shape::Shape;
use crate::permutation::{Permutation, Strings};

pub(crate) static MASK: CatalogueEntry = CatalogueEntry {
    example: Example::of_text("2 69 05 49 588 157 80"),
    joins: true,
    ..CatalogueEntry::new(
        "nir",
        "a French social security number of the same sex, its key valid where the original's is; for people born in \
         Corsica or abroad, month and department stay as well",
        fit,
    )
};

/// How many years, months, departments, communes and orders there are, from the last to the first.
const SIZES: [u128; 5] = [999, 990, 95, 12, 100];

/// Where they stand, and what the least of each is.
const PLACES: [(std::ops::Range<usize>, u128); 5] =
    [(10..13, 1), (7..10, 1), (5..7, 1), (3..5, 1), (1..3, 0)];

#[derive(Debug)]
struct Nir {
    births: Permutation,
    others: Strings,
}

impl Number for Nir {
    fn knows(&self, text: &[u8]) -> bool {
        let is_corsican = || text[5] == b'2' && matches!(text[6], b'A' | b'B' | b'a' | b'b');
        matches!(text.len(), 13 | 15)
            && all_digits(&text[..6])
            && (text[6].is_ascii_digit() || is_corsican())
            && all_digits(&text[7..])
    }

    fn replace(&self, text: &mut [u8], _: &Shape, work: &mut Vec<u8>) {
        let old = key(text);
        if is_plain(text) {
            self.replace_birth(text);
        } else {
            self.replace_other(text, work);
        }
        if text.len() == 15 {
            let mut check = [text[13] - b'0', text[14] - b'0'];
            carry_over(&mut check, old, key(text));
            text[13] = b'0' + check[0];
            text[14] = b'0' + check[1];
        }
    }
}

impl Nir {
    /// Of someone born on the mainland: another date, place and order.
    fn replace_birth(&self, text: &mut [u8]) {
        let parts = PLACES.iter().zip(SIZES).rev();
        let birth = parts.fold(0, |birth, ((place, least), size)| {
            birth * size + part(text, place.clone()) - least
        });
        let mut birth = self.births.apply(birth, &text[..1], |_| true);
        for ((place, least), size) in PLACES.iter().zip(SIZES) {
            let digits = &mut text[place.clone()];
            write(birth % size + least, digits);
            digits.iter_mut().for_each(|digit| *digit += b'0');
            birth /= size;
        }
    }

    /// Corsica, foreign places and what is no number of this kind: commune and order change, the rest stays apart from
    /// the year.
    fn replace_other(&self, text: &mut [u8], work: &mut Vec<u8>) {
        work.clear();
        work.extend(text[1..3].iter().chain(&text[7..13]).map(|byte| byte - b'0'));
        let tweak = [text[0], text[3], text[4], text[5], text[6]];
        // What is no plain number of this kind must not become one, or two might become the same.
        let may_be_plain = has_plain_month_and_department(text);
        self.others.apply(work, &tweak, |found| {
            let (commune, order) = (number(&found[2..5]), number(&found[5..8]));
            !(may_be_plain && is_plain_place(commune, order))
        });
        for (byte, digit) in text[1..3].iter_mut().zip(work.iter()) {
            *byte = b'0' + digit;
        }
        for (byte, digit) in text[7..13].iter_mut().zip(&work[2..]) {
            *byte = b'0' + digit;
        }
    }
}

/// The number in some of its digits.
fn part(text: &[u8], place: std::ops::Range<usize>) -> u128 {
    text[place]
        .iter()
        .fold(0, |number, byte| number * 10 + u128::from(byte - b'0'))
}

fn has_plain_month_and_department(text: &[u8]) -> bool {
    text[6].is_ascii_digit() && (1..=12).contains(&part(text, 3..5)) && (1..=95).contains(&part(text, 5..7))
}

fn is_plain_place(commune: u128, order: u128) -> bool {
    (1..=990).contains(&commune) && order > 0
}

/// Whether it is of someone born on the mainland.
fn is_plain(text: &[u8]) -> bool {
    has_plain_month_and_department(text) && is_plain_place(part(text, 7..10), part(text, 10..13))
}

/// The key that is right for a number.
fn key(text: &[u8]) -> u128 {
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
    97 - digits.fold(0u128, |number, digit| number * 10 + u128::from(digit)) % 97
}

fn fit(fitting: &Fitting<'_>) -> Result<Fitted, Box<Unfit>> {
    check_digits::fit(fitting, 15, |function, _| Nir {
        births: Permutation::new(function, SIZES.iter().product()),
        others: Strings::new(function, 10),
    })
}

#[cfg(test)]
pub(super) mod tests {
    #![allow(clippy::unwrap_used)]
    use crate::testing::{becomes_right, case, plain, remainder, Case};

    pub(crate) const CASES: &[Case] = &[
        case(
            "nir",
            "[12][0-9]{2}(0[1-9]|1[0-2])(0[1-9]|[1-8][0-9]|9[0-5])[0-9]{8}",
            |old, new| old[..1] == new[..1] && (nir_rest(old) == 0) == (nir_rest(new) == 0),
        ),
        case("nir", "[12][0-9]{2}(0[1-9]|1[0-2])2[AB][0-9]{8}", |old, new| {
            old[..1] == new[..1] && (nir_rest(old) == 0) == (nir_rest(new) == 0)
        }),
    ];

    /// What number and key come to by 97: 0 is right, as the key is 97 less the remainder.
    fn nir_rest(text: &str) -> u64 {
        let number = text[..13].replace("2A", "19").replace("2B", "18");
        (remainder(&number, 97) + remainder(&text[13..], 97)) % 97
    }

    #[test]
    fn right_check_digits_become_right_ones() {
        becomes_right(
            "nir",
            "[12][0-9]{2}(0[1-9]|1[0-2])(0[1-9]|[1-8][0-9]|9[0-5])[0-9]{6}00",
            13..15,
            |text| nir_rest(text) == 0,
        );
        becomes_right(
            "nir",
            "[12][0-9]{2}(0[1-9]|1[0-2])2[AB][0-9]{6}00",
            13..15,
            |text| nir_rest(text) == 0,
        );
    }

    #[test]
    fn a_nir_keeps_the_sex_and_a_right_key() {
        for nir in [
            "2 69 05 49 588 157 80",
            "255081416802538",
            "1 84 12 2A 451 089 75",
        ] {
            let nir: String = {
                // With its key made right.
                let plain: String = nir.chars().filter(|c| *c != ' ').collect();
                let body: u64 = plain[..13].replace("2A", "19").parse().unwrap();
                format!("{}{:02}", &plain[..13], 97 - body % 97)
            };
            let masked = plain("nir", &nir);
            assert!(nir_is_right(&nir) && nir_is_right(&masked), "{masked}");
            assert_eq!(masked[..1], nir[..1]);
            assert!((1..=12).contains(&masked[3..5].parse::<u32>().unwrap()));
            assert_ne!(masked, nir);
        }
    }

    fn nir_is_right(text: &str) -> bool {
        let text: String = text.chars().filter(|c| !c.is_whitespace()).collect();
        let body: u64 = text[..13]
            .replace("2A", "19")
            .replace("2B", "18")
            .parse()
            .unwrap();
        97 - body % 97 == text[13..].parse::<u64>().unwrap()
    }
}

//! `siret`: begins with the pseudonym of its SIREN.

use super::siren::Siren;
use crate::entry::{CatalogueEntry, Example, Fitted, Fitting};
use crate::error::Unfit;
use crate::families::check_digits::{self, all_digits, carry_over, luhn, on_digits, Number};
use crate::families::shape::Shape;
use crate::permutation::Strings;

pub(crate) static MASK: CatalogueEntry = CatalogueEntry {
    example: Example::of_text("73282932000074"),
    joins: true,
    ..CatalogueEntry::new(
        "siret",
        "a French establishment's number, which begins with the pseudonym of its SIREN",
        fit,
    )
};

#[derive(Debug)]
struct Siret {
    siren: Siren,
    /// Of the establishment's own digits.
    strings: Strings,
}

impl Number for Siret {
    fn knows(&self, text: &[u8]) -> bool {
        text.len() == 14 && all_digits(text)
    }

    fn replace(&self, text: &mut [u8], _: &Shape, _: &mut Vec<u8>) {
        on_digits(text, |digits| {
            let old = luhn(&digits[..13]);
            self.siren.replace_digits(&mut digits[..9]);
            let mut tweak = [0; 8];
            tweak.copy_from_slice(&digits[..8]);
            self.strings.apply(&mut digits[9..13], &tweak, |_| true);
            let new = luhn(&digits[..13]);
            carry_over(&mut digits[13..], u128::from(old), u128::from(new));
        });
    }
}

fn fit(fitting: &Fitting<'_>) -> Result<Fitted, Box<Unfit>> {
    check_digits::fit(fitting, 14, |function, most| Siret {
        siren: Siren::new(fitting, most),
        strings: Strings::new(function, 10),
    })
}

#[cfg(test)]
pub(super) mod tests {
    use crate::testing::{becomes_right, case, luhn_rest, plain, same_shape, Case};

    pub(crate) const CASES: &[Case] = &[case("siret", "[0-9]{14}", |old, new| {
        same_shape(old, new) && luhn_rest(old) == luhn_rest(new)
    })];

    #[test]
    fn right_check_digits_become_right_ones() {
        becomes_right("siret", "[0-9]{14}", 13..14, |text| luhn_rest(text) == 0);
    }

    #[test]
    fn a_siret_begins_with_the_pseudonym_of_its_siren() {
        let siret = plain("siret", "73282932000074");
        assert_eq!(siret[..9], plain("siren", "732829320"));
    }
}

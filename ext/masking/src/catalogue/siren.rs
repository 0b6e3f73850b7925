//! `siren`.

use crate::entry::{CatalogueEntry, Example, Fitted, Fitting};
use crate::error::Unfit;
use crate::families::check_digits::{self, all_digits, on_digits, permute_before_luhn, Number};
use crate::families::shape::Shape;
use crate::permutation::Strings;

pub(crate) static MASK: CatalogueEntry = CatalogueEntry {
    example: Example::of_text("732829320"),
    joins: true,
    ..CatalogueEntry::new("siren", "a French company's number with a valid check digit", fit)
};

/// A SIREN, which other numbers begin with.
#[derive(Debug)]
pub(super) struct Siren {
    strings: Strings,
    most: Option<u128>,
}

impl Siren {
    /// `most`: of a number column, the largest number.
    pub(super) fn new(fitting: &Fitting<'_>, most: Option<u128>) -> Self {
        Self {
            strings: Strings::new(&fitting.function(MASK.name), 10),
            most,
        }
    }

    /// Replaces its digits.
    pub(super) fn replace_digits(&self, digits: &mut [u8]) {
        permute_before_luhn(&self.strings, self.most, 0, digits);
    }
}

impl Number for Siren {
    fn knows(&self, text: &[u8]) -> bool {
        text.len() == 9 && all_digits(text)
    }

    fn replace(&self, text: &mut [u8], _: &Shape, _: &mut Vec<u8>) {
        on_digits(text, |digits| self.replace_digits(digits));
    }
}

fn fit(fitting: &Fitting<'_>) -> Result<Fitted, Box<Unfit>> {
    check_digits::fit(fitting, 9, |_, most| Siren::new(fitting, most))
}

#[cfg(test)]
pub(super) mod tests {
    use crate::testing::{becomes_right, case, luhn_rest, same_shape, Case};

    pub(crate) const CASES: &[Case] = &[case("siren", "[0-9]{9}", |old, new| {
        same_shape(old, new) && luhn_rest(old) == luhn_rest(new)
    })];

    #[test]
    fn right_check_digits_become_right_ones() {
        becomes_right("siren", "[0-9]{9}", 8..9, |text| luhn_rest(text) == 0);
    }
}

//! `ssn`: area, group and serial number, none of them one that is never given out.

use crate::entry::{CatalogueEntry, Example, Fitted, Fitting};
use crate::error::Unfit;
use crate::families::check_digits::{self, all_digits, number, on_digits, Number};
use crate::families::shape::Shape;
use crate::permutation::Strings;

pub(crate) static MASK: CatalogueEntry = CatalogueEntry {
    example: Example::of_text("219-09-9999"),
    joins: true,
    ..CatalogueEntry::new("ssn", "a US social security number of a form that is issued", fit)
};

#[derive(Debug)]
struct Ssn {
    strings: Strings,
    is_number: bool,
}

impl Number for Ssn {
    fn knows(&self, text: &[u8]) -> bool {
        text.len() == 9 && all_digits(text)
    }

    fn replace(&self, text: &mut [u8], _: &Shape, _: &mut Vec<u8>) {
        on_digits(text, |digits| {
            let given = is_given(digits);
            let leads = digits[0] != 0;
            self.strings.apply(digits, b"", |found| {
                is_given(found) == given && (!self.is_number || (found[0] != 0) == leads)
            });
        });
    }
}

/// Whether the Social Security Administration gives out such a number.
fn is_given(digits: &[u8]) -> bool {
    let (area, group, serial) = (number(&digits[..3]), number(&digits[3..5]), number(&digits[5..]));
    area > 0 && area != 666 && area < 900 && group > 0 && serial > 0
}

fn fit(fitting: &Fitting<'_>) -> Result<Fitted, Box<Unfit>> {
    check_digits::fit(fitting, 9, |function, most| Ssn {
        strings: Strings::new(function, 10),
        is_number: most.is_some(),
    })
}

#[cfg(test)]
pub(super) mod tests {
    #![allow(clippy::unwrap_used)]
    use crate::testing::{case, same_shape, Case};

    pub(crate) const CASES: &[Case] = &[case("ssn", "[0-9]{3}-[0-9]{2}-[0-9]{4}", |old, new| {
        same_shape(old, new) && is_ssn(old) == is_ssn(new)
    })];

    /// Numbers that the Social Security Administration gives out: no group of zeros, no 666, none from 900.
    fn is_ssn(text: &str) -> bool {
        let groups: Vec<u32> = text.split('-').map(|group| group.parse().unwrap()).collect();
        groups.iter().all(|group| *group != 0) && groups[0] != 666 && groups[0] < 900
    }
}

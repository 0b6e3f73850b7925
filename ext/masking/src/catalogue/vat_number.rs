//! `vat_number`: a French one holds the pseudonym of its SIREN.

use super::siren::Siren;
use crate::entry::{CatalogueEntry, Example, Fitted, Fitting};
use crate::error::Unfit;
use crate::families::check_digits::{self, all_digits, carry_over, number, starts_with_letters, Number};
use crate::families::shape::Shape;

pub(crate) static MASK: CatalogueEntry = CatalogueEntry {
    example: Example::of_text("FR44732829320"),
    joins: true,
    ..CatalogueEntry::new(
        "vat_number",
        "a VAT number of the same country; a French one holds the pseudonym of its SIREN",
        fit,
    )
};

#[derive(Debug)]
struct Vat {
    siren: Siren,
}

impl Number for Vat {
    fn knows(&self, text: &[u8]) -> bool {
        (4..=15).contains(&text.len()) && starts_with_letters(text, 2)
    }

    fn replace(&self, text: &mut [u8], shape: &Shape, work: &mut Vec<u8>) {
        let is_french = text[..2].eq_ignore_ascii_case(b"FR") && text.len() == 13 && all_digits(&text[2..]);
        if !is_french {
            return shape.replace(&mut text[2..], work, |_| true);
        }
        let key = |digits: &[u8]| (12 + 3 * (number(digits) % 97)) % 97;
        work.clear();
        work.extend(text[2..].iter().map(|byte| byte - b'0'));
        let old = key(&work[2..]);
        self.siren.replace_digits(&mut work[2..]);
        let new = key(&work[2..]);
        carry_over(&mut work[..2], old, new);
        for (byte, digit) in text[2..].iter_mut().zip(work.iter()) {
            *byte = b'0' + digit;
        }
    }
}

fn fit(fitting: &Fitting<'_>) -> Result<Fitted, Box<Unfit>> {
    check_digits::fit(fitting, 0, |_, most| Vat {
        siren: Siren::new(fitting, most),
    })
}

#[cfg(test)]
pub(super) mod tests {
    #![allow(clippy::unwrap_used)]
    use crate::testing::{becomes_right, case, plain, same_shape, Case};

    pub(crate) const CASES: &[Case] = &[
        case("vat_number", "FR[0-9]{11}", |old, new| {
            (vat_rest(old) == 0) == (vat_rest(new) == 0)
        }),
        case("vat_number", "DE[0-9]{9}", same_shape),
    ];

    /// Article 215 of the directive leaves the key to France: 12 and three times the SIREN by 97.
    fn vat_rest(text: &str) -> u64 {
        let key: u64 = text[2..4].parse().unwrap();
        let siren: u64 = text[4..].parse().unwrap();
        (key + 97 * 4 - (12 + siren * 3) % 97) % 97
    }

    #[test]
    fn right_check_digits_become_right_ones() {
        becomes_right("vat_number", "FR00[0-9]{9}", 2..4, |text| vat_rest(text) == 0);
    }

    #[test]
    fn a_french_number_holds_the_pseudonym_of_its_siren() {
        let vat = plain("vat_number", "FR44732829320");
        assert_eq!(vat[4..], plain("siren", "732829320"));
        assert_eq!(vat_rest(&vat), 0);
    }
}

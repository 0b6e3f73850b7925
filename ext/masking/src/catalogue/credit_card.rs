//! `credit_card`.

use crate::entry::{CatalogueEntry, Example, Fitted, Fitting};
use crate::error::Unfit;
use crate::families::check_digits::{self, all_digits, on_digits, permute_before_luhn, Number};
use crate::families::shape::Shape;
use crate::permutation::Strings;

pub(crate) static MASK: CatalogueEntry = CatalogueEntry {
    options: &[("keep_bin", "true keeps the first six digits, else only the first")],
    example: Example::of_text("4111 1111 1111 1111"),
    joins: true,
    ..CatalogueEntry::new(
        "credit_card",
        "a card's number of the same length and with the same first digit, its check digit valid where the original's is",
        fit,
    )
};

#[derive(Debug)]
struct Card {
    strings: Strings,
    /// How many of its first digits stay.
    kept: usize,
    most: Option<u128>,
}

impl Number for Card {
    fn knows(&self, text: &[u8]) -> bool {
        (12..=19).contains(&text.len()) && all_digits(text)
    }

    fn replace(&self, text: &mut [u8], _: &Shape, _: &mut Vec<u8>) {
        on_digits(text, |digits| {
            permute_before_luhn(&self.strings, self.most, self.kept, digits);
        });
    }
}

fn fit(fitting: &Fitting<'_>) -> Result<Fitted, Box<Unfit>> {
    let kept = if fitting.flag("keep_bin")? { 6 } else { 1 };
    check_digits::fit(fitting, 16, |function, most| Card {
        strings: Strings::new(function, 10),
        kept,
        most,
    })
}

#[cfg(test)]
pub(super) mod tests {
    use crate::testing::{becomes_right, bigint, case, luhn_rest, on_text, plain, same_shape, Case};
    use serde_json::json;

    pub(crate) const CASES: &[Case] = &[
        case("credit_card", "[1-9][0-9]{12,18}", |old, new| {
            old[..1] == new[..1] && luhn_rest(old) == luhn_rest(new)
        }),
        case("credit_card", "[4-6][0-9]{15}", |old, new| {
            old[..6] == new[..6] && luhn_rest(old) == luhn_rest(new)
        })
        .with(r#"{"keep_bin": true}"#),
        case("credit_card", "[1-8][0-9]{18}|9[01][0-9]{17}", |old, new| {
            luhn_rest(old) == luhn_rest(new)
        })
        .on(bigint),
    ];

    #[test]
    fn right_check_digits_become_right_ones() {
        becomes_right("credit_card", "[3-6][0-9]{15}", 15..16, |text| {
            luhn_rest(text) == 0
        });
        becomes_right("credit_card", "3[47][0-9]{13}", 14..15, |text| {
            luhn_rest(text) == 0
        });
    }

    #[test]
    fn a_card_keeps_its_shape_and_a_right_or_wrong_check_digit() {
        for card in ["4111 1111 1111 1111", "378282246310005", "4111 1111 1111 1112"] {
            let masked = plain("credit_card", card);
            assert!(same_shape(card, &masked) && masked != card, "{masked}");
            let rest = |text: &str| luhn_rest(&text.replace(' ', ""));
            assert_eq!(rest(card), rest(&masked), "{masked}");
        }
    }

    #[test]
    fn the_bank_of_a_card_stays_where_that_is_asked_for() {
        let masked = on_text("credit_card", json!({"keep_bin": true}), "4111 1111 1111 1111");
        assert!(masked.starts_with("4111 11"), "{masked}");
    }
}

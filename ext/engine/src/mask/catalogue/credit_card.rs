//! `credit_card`.

use crate::mask::entry::{Entry, Example, Fitted, Fitting};
use crate::mask::families::check_digits::{self, all_digits, on_digits, permute_before_luhn, Number};
use crate::mask::families::shape::Shape;
use crate::mask::permutation::Strings;

pub(in crate::mask) static MASK: Entry = Entry {
    options: &[("keep_bin", "true keeps the first six digits, else only the first")],
    example: Example::of_text("4111 1111 1111 1111"),
    joins: true,
    ..Entry::new(
        "credit_card",
        "a card's number of the same length with a valid check digit",
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

fn fit(fitting: &Fitting<'_>) -> Result<Fitted, String> {
    let kept = if fitting.flag("keep_bin")? { 6 } else { 1 };
    check_digits::fit(fitting, 16, |function, most| Card {
        strings: Strings::new(function, 10),
        kept,
        most,
    })
}

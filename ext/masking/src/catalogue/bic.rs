//! `bic`.

use crate::entry::{CatalogueEntry, Example, Fitted, Fitting};
use crate::error::Unfit;
use crate::families::check_digits::{self, starts_with_letters, Number};
use crate::families::shape::Shape;

pub(crate) static MASK: CatalogueEntry = CatalogueEntry {
    example: Example::of_text("PSSTFRPPLYO"),
    joins: true,
    ..CatalogueEntry::new(
        "bic",
        "a bank's code of the same country; `XXX` for the head office stays",
        fit,
    )
};

#[derive(Debug)]
struct Bic;

impl Number for Bic {
    fn knows(&self, text: &[u8]) -> bool {
        matches!(text.len(), 8 | 11) && starts_with_letters(text, 6)
    }

    fn replace(&self, text: &mut [u8], shape: &Shape, work: &mut Vec<u8>) {
        let bank_branch = text.len() == 11 && text[8..].eq_ignore_ascii_case(b"XXX");
        // Bank and place together, the country between them stays, and so does XXX, the head office.
        let country = [text[4], text[5]];
        text[4] = b'-';
        text[5] = b'-';
        let end = if bank_branch { 8 } else { text.len() };
        shape.replace(&mut text[..end], work, |_| true);
        text[4] = country[0];
        text[5] = country[1];
    }
}

fn fit(fitting: &Fitting<'_>) -> Result<Fitted, Box<Unfit>> {
    check_digits::fit(fitting, 0, |_, _| Bic)
}

#[cfg(test)]
pub(super) mod tests {
    use crate::testing::{case, same_shape, Case};

    pub(crate) const CASES: &[Case] = &[case("bic", "[A-Z]{4}FR[A-Z0-9]{2}([A-Z0-9]{3})?", |old, new| {
        same_shape(old, new) && &new[4..6] == "FR"
    })];
}

//! `street`.

use crate::entry::{CatalogueEntry, Example, Fitted, Fitting};
use crate::error::Unfit;
use crate::families::word_lists::STREETS;
use crate::families::words::{self, list, room, TextPart};

pub(crate) static MASK: CatalogueEntry = CatalogueEntry {
    example: Example::of_text("10 rue X"),
    own_form: |_| true,
    ..CatalogueEntry::new("street", "a street with its number", fit)
};

fn fit(fitting: &Fitting<'_>) -> Result<Fitted, Box<Unfit>> {
    let room = room(fitting)?.saturating_sub(4);
    let parts = vec![TextPart::Number, TextPart::Text(" ".into()), list(STREETS, room)];
    words::fit(fitting, parts)
}

#[cfg(test)]
pub(super) mod tests {
    use crate::testing::{case, Case};

    pub(crate) const CASES: &[Case] = &[case("street", "[0-9]{1,3} rue [A-Z][a-z]{1,9}", |_, new| {
        new.starts_with(|c: char| c.is_ascii_digit())
    })];
}

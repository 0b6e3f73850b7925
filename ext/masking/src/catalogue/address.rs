//! `address`.

use crate::entry::{CatalogueEntry, Example, Fitted, Fitting};
use crate::error::Unfit;
use crate::families::word_lists::{CITIES, STREETS};
use crate::families::words::{self, list, room, TextPart};

pub(crate) static MASK: CatalogueEntry = CatalogueEntry {
    example: Example::of_text("10 rue X, Lyon"),
    own_form: |_| true,
    ..CatalogueEntry::new("address", "a street with its number, and a city", fit)
};

fn fit(fitting: &Fitting<'_>) -> Result<Fitted, Box<Unfit>> {
    let room = room(fitting)?.saturating_sub(6);
    let parts = vec![
        TextPart::Number,
        TextPart::Text(" ".into()),
        list(STREETS, room.saturating_sub(10).max(room / 2)),
        TextPart::Text(", ".into()),
        list(CITIES, room - room.saturating_sub(10).max(room / 2)),
    ];
    words::fit(fitting, parts)
}

#[cfg(test)]
pub(super) mod tests {
    use crate::testing::{case, Case};

    pub(crate) const CASES: &[Case] = &[case(
        "address",
        "[0-9]{1,3} rue [A-Z][a-z]{1,9}, [A-Z][a-z]{1,9}",
        |_, new| new.contains(", "),
    )];
}

//! `name`.

use crate::entry::{CatalogueEntry, Example, Fitted, Fitting};
use crate::error::Unfit;
use crate::families::word_lists::{FIRST_NAMES, LAST_NAMES};
use crate::families::words::{self, list, room, TextPart};

pub(crate) static MASK: CatalogueEntry = CatalogueEntry {
    example: Example::of_text("Ada Lovelace"),
    own_form: |_| true,
    ..CatalogueEntry::new("name", "a first and a last name", fit)
};

fn fit(fitting: &Fitting<'_>) -> Result<Fitted, Box<Unfit>> {
    let half = room(fitting)?.saturating_sub(1) / 2;
    let parts = vec![
        list(FIRST_NAMES, half),
        TextPart::Text(" ".into()),
        list(LAST_NAMES, half),
    ];
    words::fit(fitting, parts)
}

#[cfg(test)]
pub(super) mod tests {
    use crate::testing::{case, Case};

    pub(crate) const CASES: &[Case] = &[case("name", "[A-Z][a-zé]{1,9} [A-Z][a-z]{1,9}", |_, new| {
        new.split(' ').count() >= 2
    })];
}

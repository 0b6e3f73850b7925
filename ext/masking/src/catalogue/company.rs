//! `company`.

use crate::entry::{CatalogueEntry, Example, Fitted, Fitting};
use crate::error::Unfit;
use crate::families::word_lists::LAST_NAMES;
use crate::families::words::{self, list, room, TextPart};

pub(crate) static MASK: CatalogueEntry = CatalogueEntry {
    example: Example::of_text("Analytical Engines Ltd"),
    own_form: |_| true,
    ..CatalogueEntry::new("company", "a company's name", fit)
};

const FORMS: &[&str] = &["Conseil", "SARL", "SAS", "Services", "et Fils"];

fn fit(fitting: &Fitting<'_>) -> Result<Fitted, Box<Unfit>> {
    let room = room(fitting)?.saturating_sub(1);
    let parts = vec![
        list(LAST_NAMES, room.saturating_sub(4).min(room)),
        TextPart::Text(" ".into()),
        list(FORMS, room.saturating_sub(9).max(4)),
    ];
    words::fit(fitting, parts)
}

#[cfg(test)]
pub(super) mod tests {
    use crate::testing::{any, case, Case};

    pub(crate) const CASES: &[Case] = &[case("company", "[A-Z][a-z]{1,9} (SA|Ltd)", any)];
}

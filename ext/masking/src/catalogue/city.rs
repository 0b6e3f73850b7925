//! `city`.

use crate::entry::{CatalogueEntry, Example, Fitted, Fitting};
use crate::error::Unfit;
use crate::families::word_lists::CITIES;
use crate::families::words::{self, list, room};

pub(crate) static MASK: CatalogueEntry = CatalogueEntry {
    example: Example::of_text("Lyon"),
    own_form: |_| true,
    ..CatalogueEntry::new("city", "a city", fit)
};

fn fit(fitting: &Fitting<'_>) -> Result<Fitted, Box<Unfit>> {
    words::fit(fitting, vec![list(CITIES, room(fitting)?)])
}

#[cfg(test)]
pub(super) mod tests {
    use crate::testing::{any, case, Case};

    pub(crate) const CASES: &[Case] = &[case("city", "[A-Z][a-z]{1,9}", any)];
}

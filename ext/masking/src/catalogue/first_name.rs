//! `first_name`.

use crate::entry::{CatalogueEntry, Example, Fitted, Fitting};
use crate::error::Unfit;
use crate::families::gender::first_names;
use crate::families::words::{self, room};

pub(crate) static MASK: CatalogueEntry = CatalogueEntry {
    example: Example::of_text("Ada"),
    own_form: |_| true,
    ..CatalogueEntry::new(
        "first_name",
        "a first name, of the gender that another column of its row says",
        fit,
    )
};

fn fit(fitting: &Fitting<'_>) -> Result<Fitted, Box<Unfit>> {
    words::fit(fitting, vec![first_names(room(fitting)?)])
}

#[cfg(test)]
pub(super) mod tests {
    use crate::testing::{any, case, Case};

    pub(crate) const CASES: &[Case] = &[case("first_name", "[A-Z][a-zé]{1,9}", any)];
}

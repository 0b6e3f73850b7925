//! `username`.

use crate::entry::{CatalogueEntry, Example, Fitted, Fitting};
use crate::error::Unfit;
use crate::families::words::{self, TextPart};

pub(crate) static MASK: CatalogueEntry = CatalogueEntry {
    example: Example::of_text("ada42"),
    joins: true,
    own_form: |_| true,
    ..CatalogueEntry::new("username", "`user_` and a pseudonym", fit)
};

fn fit(fitting: &Fitting<'_>) -> Result<Fitted, Box<Unfit>> {
    words::fit(fitting, vec![TextPart::Text("user_".into()), TextPart::Hex])
}

#[cfg(test)]
pub(super) mod tests {
    use crate::testing::{case, Case};

    pub(crate) const CASES: &[Case] = &[case("username", "[a-z0-9é_]{1,12}", |_, new| {
        new.starts_with("user_")
    })];
}

//! `redact`.

use crate::entry::{CatalogueEntry, Example, Fitted, Fitting};
use crate::error::Unfit;
use crate::families::constant;

pub(crate) static MASK: CatalogueEntry = CatalogueEntry {
    example: Example::of_text("secret"),
    own_form: |_| true,
    ..CatalogueEntry::new("redact", "`[REDACTED]`", fit)
};

fn fit(fitting: &Fitting<'_>) -> Result<Fitted, Box<Unfit>> {
    fitting.may_repeat()?;
    let limit = fitting.text()?.limit;
    let text: String = "[REDACTED]".chars().take(limit).collect();
    Ok(constant::fit(fitting, &text, fitting.equals(&text)))
}

#[cfg(test)]
pub(super) mod tests {
    use crate::testing::{case, Case};

    pub(crate) const CASES: &[Case] = &[case("redact", "[a-z]{1,9}", |_, new| new == "[REDACTED]").repeats()];
}

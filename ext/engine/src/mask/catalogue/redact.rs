//! `redact`.

use crate::mask::entry::{Entry, Example, Fitted, Fitting};
use crate::mask::families::constant;

pub(in crate::mask) static MASK: Entry = Entry {
    example: Example::of_text("secret"),
    own_form: |_| true,
    ..Entry::new("redact", "`[REDACTED]`", fit)
};

fn fit(fitting: &Fitting<'_>) -> Result<Fitted, String> {
    fitting.may_repeat()?;
    let limit = fitting.text()?.limit;
    let text: String = "[REDACTED]".chars().take(limit).collect();
    Ok(constant::fit(fitting, &text, fitting.equals(&text)))
}

#[cfg(test)]
pub(super) mod tests {
    use crate::mask::testing::{case, Case};

    pub(in crate::mask) const CASES: &[Case] =
        &[case("redact", "[a-z]{1,9}", |_, new| new == "[REDACTED]").repeats()];
}

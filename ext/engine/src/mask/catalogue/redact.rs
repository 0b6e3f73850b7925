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

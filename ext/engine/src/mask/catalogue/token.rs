//! `token`.

use crate::mask::entry::{Entry, Example, Fitted, Fitting};
use crate::mask::families::shape::Token;

pub(in crate::mask) static MASK: Entry = Entry {
    example: Example::of_text("sk_live_4eC39HqLyjWDarjtT1"),
    joins: true,
    ..Entry::new(
        "token",
        "other letters and digits of the value's own alphabet, in the same places",
        fit,
    )
};

fn fit(fitting: &Fitting<'_>) -> Result<Fitted, String> {
    let text = fitting.text()?;
    let token = Token::new(fitting.function("token"), text.ignores_case);
    let starts = fitting.starts();
    let form = fitting.matches(&format!("^{}[\\u0001-\\u007f]*$", starts.pattern()));
    Ok(fitting.fitted(starts.before(token), form))
}

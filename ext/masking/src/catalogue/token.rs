//! `token`.

use crate::entry::{CatalogueEntry, Example, Fitted, Fitting};
use crate::error::Unfit;
use crate::families::shape::TokenMask;

pub(crate) static MASK: CatalogueEntry = CatalogueEntry {
    example: Example::of_text("sk_live_4eC39HqLyjWDarjtT1"),
    joins: true,
    ..CatalogueEntry::new(
        "token",
        "other letters and digits of the value's own alphabet, in the same places",
        fit,
    )
};

fn fit(fitting: &Fitting<'_>) -> Result<Fitted, Box<Unfit>> {
    let text = fitting.text()?;
    let token = TokenMask::new(fitting.function("token"), text.fold);
    let starts = fitting.starts();
    let form = fitting.matches(&format!("^{}[\\u0001-\\u007f]*$", starts.pattern()));
    Ok(fitting.fitted(starts.before(token), form))
}

#[cfg(test)]
pub(super) mod tests {
    use crate::testing::{case, plain, Case};

    pub(crate) const CASES: &[Case] = &[case("token", "[0-9A-Za-z_-]{2,60}[a-z0-9]", |old, new| {
        old.len() == new.len()
    })];

    #[test]
    fn tokens_keep_length_and_alphabet() {
        for (value, is_of) in [
            ("d41d8cd98f00b204e9800998ecf8427e", "0123456789abcdef"),
            (
                "sk_live_4eC39HqLyjWDarjtT1",
                "_0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ",
            ),
            ("ABC-123", "-0123456789ABCDEF"),
            ("1234", "0123456789"),
        ] {
            let masked = plain("token", value);
            assert_eq!(masked.len(), value.len());
            assert!(
                masked != value && masked.chars().all(|c| is_of.contains(c)),
                "{masked}"
            );
        }
        let foreign = plain("token", "clé🔑");
        assert!(foreign.chars().count() == 4 && foreign.is_ascii());
    }
}

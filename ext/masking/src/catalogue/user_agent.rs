//! `user_agent`.

use crate::entry::{CatalogueEntry, Example, Fitted, Fitting};
use crate::error::Unfit;
use crate::families::words::{self, list, room};

pub(crate) static MASK: CatalogueEntry = CatalogueEntry {
    example: Example::of_text("AdaBrowser/1.0"),
    own_form: |_| true,
    ..CatalogueEntry::new("user_agent", "a common browser", fit)
};

const BROWSERS: &[&str] = &[
    "Mozilla/5.0 (Android 14; Mobile; rv:128.0) Gecko/128.0 Firefox/128.0",
    "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Mobile Safari/537.36",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:128.0) Gecko/20100101 Firefox/128.0",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Safari/605.1.15",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:128.0) Gecko/20100101 Firefox/128.0",
    "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1",
];

fn fit(fitting: &Fitting<'_>) -> Result<Fitted, Box<Unfit>> {
    words::fit(fitting, vec![list(BROWSERS, room(fitting)?)])
}

#[cfg(test)]
pub(super) mod tests {
    use crate::testing::{any, case, Case};

    pub(crate) const CASES: &[Case] = &[case("user_agent", "[A-Z][a-z]{3,9}/[0-9]", any)];
}

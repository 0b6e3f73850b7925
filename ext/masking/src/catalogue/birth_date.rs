//! `birth_date`.

use crate::entry::{CatalogueEntry, Example, Fitted, Fitting};
use crate::error::Unfit;
use crate::families::days::{self, Change, SUBJECT};
use crate::types::Type;

pub(crate) static MASK: CatalogueEntry = CatalogueEntry {
    options: &[
        ("days", "moved by at most so many days instead"),
        ("keep_year", "true, the default"),
        ("age_band", "the first day of a band of so many years"),
        SUBJECT,
    ],
    example: Example::of("1815-12-10", || Type::Date),
    ..CatalogueEntry::new(
        "birth_date",
        "another day of the same year, so that the age is right to a year; of a moment the time of day moves, too",
        fit,
    )
};

fn fit(fitting: &Fitting<'_>) -> Result<Fitted, Box<Unfit>> {
    let change = days::change(fitting, Change::WithinYear)?;
    days::fit(fitting, change, false)
}

#[cfg(test)]
pub(super) mod tests {
    use crate::testing::{case, of_kind, Case};
    use crate::types::Type;

    pub(crate) const CASES: &[Case] = &[case(
        "birth_date",
        "(19|20)[0-9]{2}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-8])",
        |old, new| old[..4] == new[..4],
    )
    .on(|| Type::Date)
    .repeats()];

    #[test]
    fn a_birth_date_stays_in_its_year() {
        let birth = of_kind("birth_date", Type::Date, "1984-02-29");
        assert!(birth.starts_with("1984-") && birth != "1984-02-29");
    }
}

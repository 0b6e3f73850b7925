//! `timestamp`.

use crate::entry::{CatalogueEntry, Example, Fitted, Fitting};
use crate::error::Unfit;
use crate::families::days::{self, Change, SUBJECT};
use crate::types::Type;

pub(crate) static MASK: CatalogueEntry = CatalogueEntry {
    options: &[("days", "by how many days at most, 180 by default"), SUBJECT],
    example: Example::of("2024-02-29 12:00:00", || Type::Timestamp),
    ..CatalogueEntry::new(
        "timestamp",
        "another moment: all of a subject move together, so that intervals survive",
        fit,
    )
};

fn fit(fitting: &Fitting<'_>) -> Result<Fitted, Box<Unfit>> {
    let days = fitting.number("days", 180, 2..=36_500)? as i64;
    days::fit(fitting, Change::Shift(days), true)
}

#[cfg(test)]
pub(super) mod tests {
    use crate::testing::{case, days_between, of_kind, Case};
    use crate::types::Type;

    pub(crate) const CASES: &[Case] = &[case(
        "timestamp",
        "(19|20)[0-9]{2}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-8]) (0[0-9]|1[0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]",
        |old, new| days_between(&old[..10], &new[..10]).abs() <= 181,
    )
    .on(|| Type::Timestamp)
    .repeats()];

    #[test]
    fn a_moment_keeps_its_fraction_and_its_zone() {
        let moment = of_kind("timestamp", Type::TimestampTz, "2024-02-29 23:59:59.123456+01");
        assert!(
            moment.ends_with(".123456+01") && !moment.starts_with("2024-02-29"),
            "{moment}"
        );
    }
}

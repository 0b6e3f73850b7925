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
        "another moment, to the microsecond: all of a subject move together, so that intervals survive; a whole second stays \
         whole",
        fit,
    )
};

fn fit(fitting: &Fitting<'_>) -> Result<Fitted, Box<Unfit>> {
    let days = fitting.number("days", 180, 2..=36_500)? as i64;
    days::fit(fitting, Change::Shift(days), true)
}

#[cfg(test)]
pub(super) mod tests {
    #![allow(clippy::unwrap_used)]
    use crate::table::Uniqueness;
    use crate::testing::{case, days_between, fitted, of_kind, run, Case};
    use crate::types::Type;
    use serde_json::json;

    pub(crate) const CASES: &[Case] = &[case(
        "timestamp",
        "(19|20)[0-9]{2}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-8]) (0[0-9]|1[0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]",
        |old, new| days_between(&old[..10], &new[..10]).abs() <= 181,
    )
    .on(|| Type::Timestamp)
    .repeats()];

    #[test]
    fn a_moment_moves_at_the_precision_that_it_shows_and_keeps_its_zone() {
        let moved = |moment: &str| of_kind("timestamp", Type::TimestampTz, moment);
        let whole = moved("2024-02-29 23:59:59+01");
        assert!(whole.ends_with("+01") && !whole.contains('.'), "{whole}");
        let exact = moved("2024-02-29 23:59:59.123456+01");
        let fraction = exact.split_once('.').map(|(_, rest)| rest);
        assert_eq!(fraction.map(str::len), Some("123456+01".len()), "{exact}");
        assert!(
            !exact.contains(".123456") && !exact.starts_with("2024-02-29"),
            "{exact}"
        );
        let tenths = moved("2024-02-29 23:59:59.1+01");
        assert_eq!(
            tenths.split_once('.').map(|(_, rest)| rest.len()),
            Some("1+01".len()),
            "{tenths}"
        );
    }

    #[test]
    fn moments_of_one_subject_keep_their_distance_to_the_microsecond() {
        let mask = fitted(
            "timestamp",
            json!({"subject": "person"}),
            Type::Timestamp,
            Uniqueness::default(),
        );
        let moved = run(
            &mask.unwrap(),
            &["2024-01-01 10:00:00.900001", "2024-03-01 23:59:59.999999"],
        );
        let at = |text: &str| text.parse::<jiff::civil::DateTime>().unwrap();
        let before = at("2024-03-01 23:59:59.999999").duration_since(at("2024-01-01 10:00:00.900001"));
        assert_eq!(at(&moved[1]).duration_since(at(&moved[0])), before, "{moved:?}");
    }
}

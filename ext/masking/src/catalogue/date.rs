//! `date`.

use crate::entry::{CatalogueEntry, Example, Fitted, Fitting};
use crate::error::Unfit;
use crate::families::days::{self, Change, SUBJECT};
use crate::types::Type;

pub(crate) static MASK: CatalogueEntry = CatalogueEntry {
    options: &[
        ("days", "by how many days at most, 180 by default"),
        ("keep_year", "true: another day of the same year"),
        ("age_band", "the first day of a band of so many years"),
        SUBJECT,
    ],
    example: Example::of("2024-02-29", || Type::Date),
    ..CatalogueEntry::new(
        "date",
        "another day: all dates of a subject move together, so that intervals survive; of a moment the time of day moves \
         too, but a midnight stays one",
        fit,
    )
};

fn fit(fitting: &Fitting<'_>) -> Result<Fitted, Box<Unfit>> {
    let change = days::change(fitting, Change::Shift(180))?;
    days::fit(fitting, change, false)
}

#[cfg(test)]
pub(super) mod tests {
    #![allow(clippy::unwrap_used)]
    use crate::table::Uniqueness;
    use crate::testing::{case, days_between, fitted, run, Case};
    use crate::types::Type;
    use serde_json::json;

    pub(crate) const CASES: &[Case] = &[case(
        "date",
        "(19|20)[0-9]{2}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-8])",
        |old, new| (1..=180).contains(&days_between(old, new).abs()),
    )
    .on(|| Type::Date)
    .repeats()];

    #[test]
    fn dates_of_one_subject_keep_their_distance() {
        let mask = fitted(
            "date",
            json!({"subject": "person"}),
            Type::Date,
            Uniqueness::default(),
        )
        .unwrap();
        let masked = run(
            &mask,
            &[
                "2024-01-01",
                "2024-01-31",
                "infinity",
                "0044-03-15 BC",
                "5874897-12-31",
            ],
        );
        let days = |text: &str| text.parse::<jiff::civil::Date>().unwrap();
        assert_eq!((days(&masked[1]) - days(&masked[0])).get_days(), 30);
        assert_ne!(masked[0], "2024-01-01");
        assert_eq!(masked[2], "infinity");
        assert!(masked[3].ends_with(" BC") && masked[3] != "0044-03-15 BC");
        assert!(masked[4].starts_with("5874897-") && masked[4] != "5874897-12-31");
    }

    #[test]
    fn of_a_moment_nothing_stays_but_its_being_a_midnight() {
        for options in [json!({}), json!({"keep_year": true})] {
            let mask = fitted("date", options, Type::Timestamp, Uniqueness::default()).unwrap();
            let moved = run(&mask, &["2024-02-29 13:14:15.161718", "2024-02-29 00:00:00"]);
            assert!(
                !moved[0].contains("13:14:15") && !moved[0].contains("161718"),
                "{moved:?}"
            );
            assert!(moved[1].ends_with(" 00:00:00"), "{moved:?}");
        }
        let mask = fitted(
            "date",
            json!({"age_band": 10}),
            Type::Timestamp,
            Uniqueness::default(),
        )
        .unwrap();
        assert_eq!(
            run(&mask, &["1984-02-29 13:14:15.161718"]),
            ["1980-01-01 00:00:00"]
        );
    }

    #[test]
    fn an_age_band_becomes_its_first_day() {
        let mask = fitted("date", json!({"age_band": 10}), Type::Date, Uniqueness::default()).unwrap();
        assert_eq!(run(&mask, &["1984-02-29"]), ["1980-01-01"]);
    }
}

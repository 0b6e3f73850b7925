//! `birth_date`.

use crate::mask::entry::{Entry, Example, Fitted, Fitting};
use crate::mask::families::days::{self, Change, SUBJECT};
use crate::mask::types::Type;

pub(in crate::mask) static MASK: Entry = Entry {
    options: &[
        ("days", "moved by at most so many days instead"),
        ("keep_year", "true, the default"),
        ("age_band", "the first day of a band of so many years"),
        SUBJECT,
    ],
    example: Example::of("1815-12-10", || Type::Date),
    ..Entry::new(
        "birth_date",
        "another day of the same year, so that the age is right to a year",
        fit,
    )
};

fn fit(fitting: &Fitting<'_>) -> Result<Fitted, String> {
    let change = days::change(fitting, Change::WithinYear)?;
    days::fit(fitting, change, false)
}

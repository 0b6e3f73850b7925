//! `date`.

use crate::mask::entry::{Entry, Example, Fitted, Fitting};
use crate::mask::families::days::{self, Change, SUBJECT};
use crate::mask::types::Type;

pub(in crate::mask) static MASK: Entry = Entry {
    options: &[
        ("days", "by how many days at most, 180 by default"),
        ("keep_year", "true: another day of the same year"),
        ("age_band", "the first day of a band of so many years"),
        SUBJECT,
    ],
    example: Example::of("2024-02-29", || Type::Date),
    ..Entry::new(
        "date",
        "another day: all dates of a subject move together, so that intervals survive",
        fit,
    )
};

fn fit(fitting: &Fitting<'_>) -> Result<Fitted, String> {
    let change = days::change(fitting, Change::Shift(180))?;
    days::fit(fitting, change, false)
}

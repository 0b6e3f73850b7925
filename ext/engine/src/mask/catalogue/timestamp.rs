//! `timestamp`.

use crate::mask::entry::{Entry, Example, Fitted, Fitting};
use crate::mask::families::days::{self, Change, SUBJECT};
use crate::mask::types::Type;

pub(in crate::mask) static MASK: Entry = Entry {
    options: &[("days", "by how many days at most, 180 by default"), SUBJECT],
    example: Example::of("2024-02-29 12:00:00", || Type::Timestamp),
    ..Entry::new(
        "timestamp",
        "another moment: all of a subject move together, so that intervals survive",
        fit,
    )
};

fn fit(fitting: &Fitting<'_>) -> Result<Fitted, String> {
    let days = fitting.number("days", 180, 2..=36_500)? as i64;
    days::fit(fitting, Change::Shift(days), true)
}

//! `address`.

use crate::entry::{Entry, Example, Fitted, Fitting};
use crate::error::Unfit;
use crate::families::word_lists::{CITIES, STREETS};
use crate::families::words::{self, list, room, Part};

pub(crate) static MASK: Entry = Entry {
    example: Example::of_text("10 rue X, Lyon"),
    own_form: |_| true,
    ..Entry::new("address", "a street with its number, and a city", fit)
};

fn fit(fitting: &Fitting<'_>) -> Result<Fitted, Box<Unfit>> {
    let room = room(fitting)?.saturating_sub(6);
    let parts = vec![
        Part::Number,
        Part::Text(" ".into()),
        list(STREETS, room.saturating_sub(10).max(room / 2)),
        Part::Text(", ".into()),
        list(CITIES, room - room.saturating_sub(10).max(room / 2)),
    ];
    words::fit(fitting, parts)
}

#[cfg(test)]
pub(super) mod tests {
    use crate::testing::{case, Case};

    pub(crate) const CASES: &[Case] = &[case(
        "address",
        "[0-9]{1,3} rue [A-Z][a-z]{1,9}, [A-Z][a-z]{1,9}",
        |_, new| new.contains(", "),
    )];
}

//! `street`.

use crate::mask::entry::{Entry, Example, Fitted, Fitting};
use crate::mask::families::word_lists::STREETS;
use crate::mask::families::words::{self, list, room, Part};

pub(in crate::mask) static MASK: Entry = Entry {
    example: Example::of_text("10 rue X"),
    own_form: |_| true,
    ..Entry::new("street", "a street with its number", fit)
};

fn fit(fitting: &Fitting<'_>) -> Result<Fitted, String> {
    let room = room(fitting)?.saturating_sub(4);
    let parts = vec![Part::Number, Part::Text(" ".into()), list(STREETS, room)];
    words::fit(fitting, parts)
}

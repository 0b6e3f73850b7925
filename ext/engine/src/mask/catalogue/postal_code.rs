//! `postal_code`.

use crate::mask::entry::{Entry, Example};
use crate::mask::families::shape;

pub(in crate::mask) static MASK: Entry = Entry {
    example: Example::of_text("69001"),
    joins: true,
    ..Entry::new(
        "postal_code",
        "other digits and letters in the same places",
        shape::fit,
    )
};

//! `postal_code`.

use crate::entry::{CatalogueEntry, Example};
use crate::families::shape;

pub(crate) static MASK: CatalogueEntry = CatalogueEntry {
    example: Example::of_text("69001"),
    joins: true,
    ..CatalogueEntry::new(
        "postal_code",
        "other digits and letters in the same places",
        shape::fit,
    )
};

#[cfg(test)]
pub(super) mod tests {
    use crate::testing::{case, same_shape, Case};

    pub(crate) const CASES: &[Case] = &[
        case("postal_code", "[0-9]{5}", same_shape),
        case("postal_code", "[A-Z]{1,2}[0-9]{1,2} [0-9][A-Z]{2}", same_shape),
    ];
}

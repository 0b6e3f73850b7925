//! `numbered_name`: `User<id>`, for the strategies.

use crate::entry::{CatalogueEntry, Fitted, Fitting};
use crate::error::Unfit;
use crate::families::numbered::{self, NumberedShape};
use crate::misfit::Held;
use crate::types::Type;

pub(crate) static MASK: CatalogueEntry = CatalogueEntry {
    options: &[("prefix", "what stands before the id")],
    ..CatalogueEntry::new("numbered_name", "a prefix and the digits of an id", fit)
};

fn fit(fitting: &Fitting<'_>) -> Result<Fitted, Box<Unfit>> {
    let Type::Text { limit, .. } = fitting.column.kind else {
        return Err(fitting.cannot_hold(Held::Name));
    };
    let prefix = fitting.string("prefix")?.unwrap_or("User");
    let shape = NumberedShape {
        prefix,
        pad: 0,
        limit,
        room: limit.map_or(usize::MAX, |limit| limit.saturating_sub(prefix.len())),
        first: None,
    };
    Ok(numbered::fit(fitting, &shape)?.also_of_empty())
}

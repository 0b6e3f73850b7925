//! `numbered_phone`: `060` and seven digits of the user's id or of the row's own, for the strategies.

use crate::becomes::Becomes;
use crate::entry::{CatalogueEntry, Fitted, Fitting};
use crate::error::Unfit;
use crate::families::numbered::{self, NumberedShape};
use crate::misfit::Held;
use crate::types::Type;

pub(crate) static MASK: CatalogueEntry =
    CatalogueEntry::new("numbered_phone", "`060` and the digits of an id", fit);

fn fit(fitting: &Fitting<'_>) -> Result<Fitted, Box<Unfit>> {
    // What is left for digits after 060, or after 60 in a number, whose leading zero is not kept.
    let (prefix, limit, room) = match fitting.column.kind {
        Type::Text { limit, .. } => (
            "060",
            limit,
            limit.map_or(usize::MAX, |limit| limit.saturating_sub(3)),
        ),
        Type::Integer(4) => ("60", None, 7),
        Type::Integer(8) => ("60", None, 17),
        Type::Numeric { digits: None } => ("60", None, usize::MAX),
        Type::Numeric { digits: Some(digits) } if digits >= 9 => ("60", None, digits - 2),
        Type::Double => ("60", None, 13),
        _ => return Err(fitting.cannot_hold(Held::Phone)),
    };
    let shape = NumberedShape {
        prefix,
        pad: 7,
        limit,
        room,
        first: fitting.ground.table.position("user_id"),
    };
    let mut fitted = numbered::fit(fitting, &shape)?;
    fitted.becomes = Becomes::NumberedPhone;
    if !matches!(fitting.column.kind, Type::Text { .. }) {
        // Seven digits or more after 60.
        fitted.form = format!("{} >= 600000000", fitting.sql());
        if !fitting.column.unique.distinct {
            fitted
                .form
                .push_str(&format!(" AND {} <= 609999999", fitting.sql()));
        }
    }
    Ok(fitted)
}

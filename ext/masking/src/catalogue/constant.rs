//! `constant`: the same text in every row, cut to the column, and as a number where the column is one; a keyed value
//! under a unique index. For the strategies: `static` asks more of its value.

use crate::action::Writes;
use crate::becomes::Becomes;
use crate::entry::{CatalogueEntry, Fitted, Fitting};
use crate::error::Unfit;
use crate::families::distinct;
use crate::misfit::Held;
use crate::types::Type;

pub(crate) static MASK: CatalogueEntry = CatalogueEntry {
    options: &[("value", "the text")],
    ..CatalogueEntry::new("constant", "always the same", fit)
};

fn fit(fitting: &Fitting<'_>) -> Result<Fitted, Box<Unfit>> {
    let text = fitting.string("value")?.unwrap_or_default();
    let number = match text.trim_start_matches('0') {
        "" => "0",
        number => number,
    };
    if !fits(&fitting.column.kind, text, number) {
        return Err(fitting.cannot_hold(Held::Value {
            value: text.to_owned(),
        }));
    }
    if fitting.column.unique.distinct {
        return distinct::fit(fitting);
    }
    let (value, form) = match &fitting.column.kind {
        Type::Text { limit, .. } => {
            let cut: String = text.chars().take(limit.unwrap_or(usize::MAX)).collect();
            let form = fitting.equals(&cut);
            (cut, form)
        }
        Type::Enum(_) => (text.to_owned(), fitting.equals(text)),
        _ => (number.to_owned(), format!("{} = {number}", fitting.sql())),
    };
    let writes = Writes::value(&value);
    Ok(Fitted::new(writes, Becomes::Constant { value }, form))
}

/// Whether a column of a type holds a text, which is this number if it is one at all.
fn fits(kind: &Type, text: &str, number: &str) -> bool {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let digits = if number == "0" { 0 } else { number.len() };
    match kind {
        Type::Text { .. } => true,
        Type::Integer(2) => is_number && number.parse::<i16>().is_ok(),
        Type::Integer(4) => is_number && number.parse::<i32>().is_ok(),
        Type::Integer(_) => is_number && number.parse::<i64>().is_ok(),
        Type::Numeric { digits: room } => is_number && room.is_none_or(|room| digits <= room),
        Type::Real | Type::Double => is_number,
        Type::Enum(labels) => labels.iter().any(|label| label == text),
        _ => false,
    }
}

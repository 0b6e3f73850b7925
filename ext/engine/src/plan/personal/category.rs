//! Masks for columns that hold one of a few values, which code compares with its own.

use super::automatic::Wanted;
use masking::{TableFacts, Type};
use personal_data::{Heading, PiiKind, Suggestion};
use serde_json::Value;

/// What is known of a column's values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Values {
    /// No row was seen.
    Unseen,
    /// The first rows show a few, over and over.
    Few,
    /// The first rows show others.
    Many,
}

/// Whether columns of a kind mostly hold one of a few values.
pub(crate) fn is_category(kind: PiiKind) -> bool {
    use PiiKind::*;
    matches!(
        kind,
        Gender | Nationality | MaritalStatus | SensitiveTrait | Education | Health
    )
}

/// Whether all values that a column can have are listed by its type or by a CHECK.
pub(super) fn listed(table: &TableFacts, position: usize) -> bool {
    let checks = table.checks.get(&position);
    let of_type = matches!(table.columns[position].kind, Type::Enum(_));
    of_type || checks.is_some_and(|checks| masking::listed(checks).is_some())
}

/// The mask for a column whose values are listed, by the app's own code or (`is_listed`) by the database. Of what acts
/// outside each of its values does, so that none of them may be drawn.
pub(super) fn of_list(wanted: &Wanted<'_>, is_listed: bool) -> Option<Suggestion> {
    if wanted.kind.heading() == Heading::Outside {
        return None;
    }
    if is_listed {
        return Some(Suggestion::plain("category"));
    }
    let admitted = (!wanted.admitted.is_empty()).then(|| Value::from(wanted.admitted.to_vec()));
    admitted.map(|admitted| Suggestion::with("category", "values", admitted))
}

/// The masks for a column that mostly holds one of a few values, the best first; none: it does not, as far as is known.
pub(super) fn of_category(wanted: &Wanted<'_>, column: &Type) -> &'static [&'static str] {
    let can_be = matches!(column, Type::Text { .. } | Type::Integer(_) | Type::Boolean);
    let says_null = wanted.kind.suggested_mask() == "null";
    match wanted.shown.values {
        _ if !can_be || !is_category(wanted.kind) => &[],
        Values::Few | Values::Unseen if says_null => &["null", "category"],
        Values::Few => &["category"],
        _ => &[],
    }
}

//! The mask that a column gets by itself: that of its kind, or the next one that fits its type and its keys.

use crate::mask::{Mask, Pseudonyms, Recipe, RowMask, Table, Type};
use crate::pii::{Kind, Suggestion};
use serde_json::{json, Map, Value};

/// A mask that fits a column, and how a rule names it.
#[derive(Debug, Clone)]
pub struct Automatic {
    /// How a rule names it; None: no rule can, and it is the neutral value of a rare type.
    pub suggestion: Option<Suggestion>,
    /// The mask.
    pub mask: Mask,
    /// Whether it replaces only what `scrub` knows by its form, and leaves the rest as it is.
    pub scrubs: bool,
}

/// Whether `scrub` finds values of a kind inside of text. Names, streets, secrets and the like it leaves.
pub(crate) fn is_scrubbed(kind: Kind) -> bool {
    use Kind::*;
    matches!(kind, Email | Phone | Iban | Nir | Card | FreeText | Payload)
}

/// The first mask for `kind` that fits the column at `position` and that `allowed` lets pass. `scrubbed`: as far as is
/// known the values hold nothing that `scrub` leaves.
pub(super) fn choose(
    kind: Kind,
    table: &Table,
    position: usize,
    pseudonyms: &Pseudonyms,
    scrubbed: bool,
    allowed: impl Fn(&Mask) -> bool,
) -> Option<Automatic> {
    let column = table.columns.get(position)?;
    let neutral = column.kind.neutral().map(|neutral| {
        // What a NOT NULL column can hold instead of NULL.
        with("static", json!({ "value": neutral.value }))
    });
    let candidates = candidates(kind, &column.kind, scrubbed)
        .into_iter()
        .chain(neutral);
    let fits =
        |mask: &Mask| allowed(mask) && RowMask::new(table, &[(position, mask.clone())], pseudonyms).is_ok();
    let mut named = candidates.into_iter().filter_map(|suggestion| {
        let mask = Recipe::named(suggestion.mask, &suggestion.options).ok()?;
        let scrubs = suggestion.mask == "scrub"
            || suggestion.options.contains_key("scrub")
            || suggestion.options.get("of").is_some_and(|of| of == "scrub");
        fits(&mask).then_some(Automatic {
            suggestion: Some(suggestion),
            mask,
            scrubs,
        })
    });
    named.next().or_else(|| {
        fits(&Mask::Null).then_some(Automatic {
            suggestion: None,
            mask: Mask::Null,
            scrubs: false,
        })
    })
}

/// The masks that may do for a kind in a column of this type, the best first.
fn candidates(kind: Kind, column: &Type, scrubbed: bool) -> Vec<Suggestion> {
    let named = kind.suggested_mask();
    let plain = |names: &[&'static str]| names.iter().map(|name| Suggestion::plain(name)).collect();
    match column {
        // What a document says of somebody's health, say, has no form by which it could be found in it.
        Type::Json | Type::Jsonb | Type::Hstore if !scrubbed || !is_scrubbed(kind) => plain(&["null"]),
        Type::Json | Type::Jsonb if kind == Kind::Payload => vec![
            with("json", json!({ "scrub": true, "paths": keys_of_records("$..") })),
            Suggestion::plain("null"),
        ],
        Type::Json | Type::Jsonb => vec![with("json", json!({ "scrub": true })), Suggestion::plain("null")],
        Type::Hstore if kind == Kind::Payload => vec![
            with("hstore", json!({ "scrub": true, "keys": keys_of_records("") })),
            Suggestion::plain("null"),
        ],
        Type::Hstore => vec![
            with("hstore", json!({ "scrub": true })),
            Suggestion::plain("null"),
        ],
        Type::Array(_) => {
            let of = if matches!(named, "null" | "redact") || (named == "scrub" && !scrubbed) {
                "text"
            } else {
                named
            };
            vec![with("array", json!({ "of": of })), Suggestion::plain("null")]
        }
        Type::Text { .. } if named == "null" => plain(&["null", "redact", "token", "hash"]),
        // A copy of a record as text: YAML, a marshalled object, a request.
        Type::Text { .. } if kind == Kind::Payload => plain(&["null", "text", "redact", "token", "hash"]),
        Type::Text { .. } if named == "scrub" && !scrubbed => {
            plain(&["text", "redact", "null", "token", "hash"])
        }
        // Values under a unique index must stay distinct, which a mask of words does not promise.
        Type::Text { .. } => plain(&[named, "token", "hash", "redact", "null"]),
        Type::Date | Type::Timestamp | Type::TimestampTz if kind == Kind::BirthDate => {
            plain(&["birth_date", "date", "timestamp", "null"])
        }
        _ => plain(&[named, "null"]),
    }
}

/// What copies of records call what `scrub` does not know by its form, and the masks for it.
const KEYS: &[(&str, &str)] = &[
    ("first_name", "first_name"),
    ("last_name", "last_name"),
    ("full_name", "name"),
    ("name", "name"),
    ("prenom", "first_name"),
    ("nom", "last_name"),
    ("address", "street"),
    ("address_line1", "street"),
    ("address_line2", "street"),
    ("adresse", "street"),
    ("city", "city"),
    ("postal_code", "postal_code"),
    ("birth_date", "null"),
    ("date_of_birth", "null"),
    ("birth_place", "city"),
    ("encrypted_password", "null"),
    ("password_digest", "null"),
];

fn keys_of_records(before: &str) -> Value {
    let pairs = KEYS
        .iter()
        .map(|(key, mask)| (format!("{before}{key}"), Value::from(*mask)));
    Value::Object(pairs.collect())
}

fn with(mask: &'static str, options: Value) -> Suggestion {
    Suggestion {
        mask,
        options: match options {
            Value::Object(options) => options,
            _ => Map::new(),
        },
    }
}

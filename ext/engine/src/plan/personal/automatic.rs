//! The mask that a column gets by itself: that of its kind, or the next one that fits its type and its keys.

use super::category::{listed, of_category, of_list, Values};
use super::digests::AddressDigest;
use super::doubts::Doubts;
use masking::{ColumnFacts, Mask, Pseudonyms, RowMask, TableFacts, Type};
use personal_data::{is_blind_index, PiiKind, Suggestion};
use serde_json::{json, Map, Value};

/// A mask that fits a column, and how a rule names it.
#[derive(Debug, Clone)]
pub struct Automatic {
    /// How a rule names it; None: no rule can, and it is the neutral value of a rare type.
    pub suggestion: Option<Suggestion>,
    /// The mask.
    pub mask: Mask,
    /// Whether it replaces only what `scrub` recognises by its form, and leaves the rest alone.
    pub scrubs: bool,
}

/// What values have shown of the mask that a column can have.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shown {
    /// They hold nothing that `scrub` leaves.
    pub(crate) scrubbed: bool,
    /// They are of several kinds, and some say nothing of anyone: a table of settings.
    pub(crate) is_mixed: bool,
    /// How many there are.
    pub(crate) values: Values,
    /// They are ciphertext, whether the app declares it or not.
    pub(crate) is_sealed: bool,
    /// They are digests of the row's own address.
    pub(crate) digest: Option<AddressDigest>,
}

impl Shown {
    /// As long as no row was seen.
    pub(crate) const SCRUBBED: Self = Self {
        scrubbed: true,
        is_mixed: false,
        values: Values::Unseen,
        is_sealed: false,
        digest: None,
    };
}

/// What a mask is looked for.
#[derive(Debug, Clone)]
pub(super) struct Wanted<'a> {
    /// What the column holds.
    pub(super) kind: PiiKind,
    /// A mask that comes before those of the kind.
    pub(super) first: Option<Suggestion>,
    /// What its values have shown.
    pub(super) shown: Shown,
    /// Those that the app's own code admits; none: it does not say.
    pub(super) admitted: &'a [String],
}

/// Whether `scrub` finds values of a kind inside of text. Names, streets, secrets and the like it leaves.
pub(crate) fn is_scrubbed(kind: PiiKind) -> bool {
    use PiiKind::*;
    matches!(kind, Email | Phone | Iban | Nir | Card | FreeText | Payload)
}

/// The first mask for what is wanted that fits the column at `position`, that its CHECKs take and that `allowed` lets pass.
pub(super) fn choose(
    wanted: Wanted<'_>,
    (table, position): (&TableFacts, usize),
    doubts: &Doubts,
    pseudonyms: &Pseudonyms,
    allowed: impl Fn(&Mask) -> bool,
) -> Option<Automatic> {
    let column = table.columns.get(position)?;
    let neutral = column.kind.neutral().map(|neutral| {
        // What a NOT NULL column can hold instead of NULL.
        with("static", json!({ "value": neutral.value }))
    });
    // Where a CHECK asks for a list.
    let list =
        matches!(column.kind, Type::Json | Type::Jsonb).then(|| with("static", json!({ "value": "[]" })));
    let is_listed = listed(table, position);
    // What the app encrypts says least where it is nothing at all.
    let is_encrypted = pseudonyms.helpers.encryption(&table.name, &column.name).is_some();
    let is_sealed = wanted.shown.is_sealed && !is_encrypted;
    let nothing = (is_encrypted || is_sealed).then(|| Suggestion::plain("null"));
    let candidates = (wanted.first.clone().into_iter())
        .chain(nothing)
        .chain(of_list(&wanted, is_listed))
        .chain(candidates(&wanted, column))
        .chain(neutral)
        .chain(list);
    // What a CHECK refused when the rows come would end the run with the target half filled.
    let fits = |mask: &Mask| {
        let writes_null = mask.is_null() || mask.may_be_null() && !column.not_null;
        let doubt = if writes_null {
            doubts.of_null()
        } else {
            doubts.check()
        };
        doubt.is_none()
            && allowed(mask)
            && (!is_sealed || mask.is_null())
            && doubts
                .parts()
                .iter()
                .all(|part| part.is_kept_apart((table, position), mask, pseudonyms))
            && RowMask::new(table, &[(position, mask.clone())], pseudonyms)
                .is_ok_and(|mask| mask.meets_checks(table))
    };
    let mut named = candidates.into_iter().filter_map(|suggestion| {
        let mask = Mask::named(suggestion.mask, &suggestion.options).ok()?;
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
        fits(&Mask::neutral()).then_some(Automatic {
            suggestion: None,
            mask: Mask::neutral(),
            scrubs: false,
        })
    })
}

/// The masks that may do in a column of this type, the best first.
fn candidates(wanted: &Wanted<'_>, column: &ColumnFacts) -> Vec<Suggestion> {
    if is_blind_index(&column.name) {
        return vec![Suggestion::plain("null"), Suggestion::plain("hash")];
    }
    let column = &column.kind;
    let by_value = wanted.shown.is_mixed && wanted.shown.scrubbed && matches!(column, Type::Text { .. });
    let by_value = by_value.then(|| Suggestion::plain("scrub"));
    let few = of_category(wanted, column)
        .iter()
        .map(|name| Suggestion::plain(name));
    let of_kind = of_kind(wanted.kind, column, wanted.shown.scrubbed);
    by_value.into_iter().chain(few).chain(of_kind).collect()
}

/// The masks that may do for a kind in a column of this type, the best first.
fn of_kind(kind: PiiKind, column: &Type, scrubbed: bool) -> Vec<Suggestion> {
    let named = kind.suggested_mask();
    let plain = |names: &[&'static str]| names.iter().map(|name| Suggestion::plain(name)).collect();
    match column {
        // A counter of queued work counts rows that stay out: NULL is right.
        _ if kind == PiiKind::QueuedWork => plain(&["null"]),
        // What a document says of a person's health, say, has no form by which it could be found in it.
        // Nor has what stands in its text and is not found there, such as a street.
        Type::Json | Type::Jsonb | Type::Hstore if !scrubbed || !is_scrubbed(kind) => plain(&["null"]),
        Type::Json | Type::Jsonb => vec![with("json", json!({ "leaves": true })), Suggestion::plain("null")],
        Type::Hstore => vec![
            with("hstore", json!({ "leaves": true })),
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
        Type::Text { .. } if kind == PiiKind::Payload => plain(&["null", "text", "redact", "token", "hash"]),
        Type::Text { .. } if named == "scrub" && !scrubbed => {
            plain(&["text", "redact", "null", "token", "hash"])
        }
        // Values under a unique index must stay distinct, which a mask of words does not promise.
        Type::Text { .. } => plain(&[named, "token", "hash", "redact", "null"]),
        Type::Date | Type::Timestamp | Type::TimestampTz if kind == PiiKind::BirthDate => {
            plain(&["birth_date", "date", "timestamp", "null"])
        }
        _ => plain(&[named, "null"]),
    }
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

#[cfg(test)]
#[allow(clippy::panic)]
mod tests {
    use super::*;
    use masking::{Key, Uniqueness};
    use std::collections::HashMap;

    fn table(kind: &Type, not_null: bool, distinct: bool) -> TableFacts {
        let column = |name: &str, kind: Type, not_null: bool, distinct: bool| ColumnFacts {
            name: name.into(),
            kind,
            not_null,
            unique: Uniqueness {
                distinct,
                tells_case_apart: distinct,
                counts_nulls: false,
                equal: masking::Equal::Bytes,
            },
        };
        TableFacts {
            name: "public.people".into(),
            columns: vec![
                column("id", Type::Integer(8), true, true),
                column("value", kind.clone(), not_null, distinct),
            ],
            key: vec![0],
            key_is_enforced: true,
            checks: HashMap::new(),
            genders: HashMap::new(),
        }
    }

    fn types() -> Vec<Type> {
        let named = [
            "text",
            "character varying",
            "character",
            "citext",
            "name",
            "smallint",
            "integer",
            "bigint",
            "numeric",
            "real",
            "double precision",
            "boolean",
            "date",
            "timestamp",
            "timestamptz",
            "time",
            "timetz",
            "interval",
            "uuid",
            "json",
            "jsonb",
            "hstore",
            "bytea",
            "inet",
            "cidr",
            "macaddr",
            "macaddr8",
            "daterange",
            "datemultirange",
            "bit",
            "varbit",
            "xml",
            "money",
            "tsvector",
            "point",
            "oid",
        ];
        let of = |name: &&str| Type::from_name(name, &[]);
        let mut types: Vec<Type> = named.iter().filter_map(of).collect();
        assert_eq!(types.len(), named.len());
        types.extend([1, 4, 12, 40, 255].map(|limit| Type::Text {
            limit: Some(limit),
            padded: false,
            ignores_case: false,
        }));
        let arrays = [Type::TEXT, Type::Integer(8), Type::Date, Type::Uuid, Type::Jsonb];
        types.extend(arrays.map(|of| Type::Array(Box::new(of))));
        types.push(Type::Enum(vec!["sad".into(), "ok".into()]));
        types.push(Type::Numeric { digits: Some(3) });
        types
    }

    fn pseudonyms() -> Pseudonyms {
        Pseudonyms {
            key: Key::new(&"0123456789abcdef".into()),
            email_domain: "demo.example.com".into(),
            utf8: true,
            staging_password: None,
            helpers: Default::default(),
        }
    }

    fn wanted(kind: PiiKind, scrubbed: bool) -> Wanted<'static> {
        Wanted {
            kind,
            first: None,
            shown: Shown {
                scrubbed,
                ..Shown::SCRUBBED
            },
            admitted: &[],
        }
    }

    #[test]
    fn every_kind_has_a_mask_that_a_rule_can_name_on_every_type() {
        for kind in PiiKind::ALL {
            for column in types() {
                for (not_null, scrubbed) in [(false, false), (false, true), (true, false), (true, true)] {
                    let found = choose(
                        wanted(*kind, scrubbed),
                        (&table(&column, not_null, false), 1),
                        &Doubts::default(),
                        &pseudonyms(),
                        |_| true,
                    );
                    let cell = format!("{kind:?} on {}, NOT NULL: {not_null}", column.describe());
                    let Some(found) = found else { panic!("{cell}") };
                    let Some(suggestion) = found.suggestion else {
                        panic!("{cell}: no rule can say it")
                    };
                    let named = Mask::named(suggestion.mask, &suggestion.options);
                    assert_eq!(named.as_ref(), Ok(&found.mask), "{cell}");
                }
            }
        }
    }

    #[test]
    fn under_a_unique_index_a_text_of_some_length_has_one_too() {
        for kind in PiiKind::ALL.iter().filter(|kind| **kind != PiiKind::QueuedWork) {
            for limit in [None, Some(14), Some(40)] {
                let column = Type::Text {
                    limit,
                    padded: false,
                    ignores_case: false,
                };
                let found = choose(
                    wanted(*kind, true),
                    (&table(&column, true, true), 1),
                    &Doubts::default(),
                    &pseudonyms(),
                    |_| true,
                );
                assert!(
                    found.is_some_and(|found| found.suggestion.is_some()),
                    "{kind:?} in {limit:?}"
                );
            }
        }
    }

    #[test]
    fn the_mask_of_a_kind_itself_fits_a_text_column_or_one_of_its_own_type() {
        for kind in PiiKind::ALL {
            let own = match kind {
                PiiKind::BirthDate => Type::Date,
                _ => Type::TEXT,
            };
            let mask = Mask::named(kind.suggested_mask(), &Map::new());
            let Ok(mask) = mask else {
                panic!("{kind:?}: {mask:?}")
            };
            let fits = RowMask::new(&table(&own, false, false), &[(1, mask)], &pseudonyms());
            assert!(fits.is_ok(), "{kind:?}: {fits:?}");
        }
    }
}

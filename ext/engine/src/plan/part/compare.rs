//! How columns that refer to one another are compared: alike on all sides, and without the server's having a value to
//! quote.

use super::Compared;
use crate::plan::schema::{Base, Schema};
use crate::plan::TableName;

/// What is known of one column's type for that.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Nature<'a> {
    Number,
    Uuid,
    /// Equal values of this type have the same text.
    Canonical(&'a str),
    /// `numeric` and its kin: equal values may be written differently, and numbers compare with them.
    Decimal,
    Citext,
    /// Text whose values a collation of production's own compares, which may take different texts for equal.
    Collated(&'a TableName),
    /// Any other.
    Other(&'a str),
}

/// Types whose values PostgreSQL compares with one another, as foreign keys between them do.
#[derive(PartialEq, Eq)]
enum Family {
    Text,
    Moment,
    Address,
}

/// The nature of a table's column.
pub(super) fn nature<'s>(schema: &'s Schema, table: usize, column: &str) -> Nature<'s> {
    let home = "pg_catalog";
    let known = schema.tables[table].column(column);
    let Some(kind) = known.and_then(|column| column.column_type.as_ref()) else {
        return Nature::Canonical("text");
    };
    let given = match schema.base(kind, home) {
        Base::Enum => return Nature::Canonical(&kind.name),
        Base::Other => return Nature::Other(&kind.name),
        Base::Given(given) => given,
    };
    let text = ["text", "character varying", "character"];
    let made = schema.collation(kind, home).filter(|one| one.schema != home);
    if let Some(made) = made.filter(|_| given.schema.is_none() && text.contains(&given.name.as_str())) {
        return Nature::Collated(made);
    }
    match (given.schema.as_deref(), given.name.as_str()) {
        (_, "citext") => Nature::Citext,
        (None | Some("pg_catalog"), "smallint" | "integer" | "bigint") => Nature::Number,
        (None | Some("pg_catalog"), "uuid") => Nature::Uuid,
        (None | Some("pg_catalog"), "numeric" | "real" | "double precision") => Nature::Decimal,
        (None | Some("pg_catalog"), "text" | "character varying" | "name") => Nature::Canonical("text"),
        (None | Some("pg_catalog"), name) if is_canonical(name) => Nature::Canonical(name),
        (None | Some("pg_catalog"), name) => Nature::Other(name),
        // Its operators may be where the session does not look.
        (Some(_), name) => Nature::Canonical(name),
    }
}

fn is_canonical(name: &str) -> bool {
    matches!(
        name,
        "boolean"
            | "bytea"
            | "date"
            | "timestamp without time zone"
            | "timestamp with time zone"
            | "time without time zone"
            | "inet"
            | "cidr"
            | "macaddr"
            | "oid"
    )
}

impl Nature<'_> {
    fn family(&self) -> Option<Family> {
        match *self {
            Nature::Canonical("text") | Nature::Other("character") | Nature::Collated(_) => {
                Some(Family::Text)
            }
            Nature::Canonical("date" | "timestamp without time zone" | "timestamp with time zone") => {
                Some(Family::Moment)
            }
            Nature::Canonical("inet" | "cidr") => Some(Family::Address),
            _ => None,
        }
    }
}

/// Whether PostgreSQL compares columns of these natures, of which two differ, as values. It cannot choose between collations.
fn are_comparable(natures: &[Nature<'_>]) -> bool {
    let collations = || natures.iter().filter(|one| matches!(one, Nature::Collated(_)));
    let family = natures.first().and_then(Nature::family);
    family.is_some()
        && natures.iter().all(|one| one.family() == family)
        && collations().all(|one| Some(one) == collations().next())
}

/// How columns of these natures are compared with one another. Where types are mixed, as in a polymorphic association's
/// id, the texts are.
pub(super) fn compared(natures: &[Nature<'_>]) -> Vec<Compared> {
    let all = |test: &dyn Fn(&Nature<'_>) -> bool| natures.iter().all(test);
    let is_same = natures.windows(2).all(|pair| pair[0] == pair[1]);
    let is_text = |one: &Nature<'_>| matches!(one, Nature::Citext | Nature::Canonical("text"));
    let one = if all(&|one| *one == Nature::Number) {
        Compared::Number
    } else if all(&|one| *one == Nature::Uuid) {
        Compared::Uuid
    } else if all(&|one| matches!(one, Nature::Number | Nature::Decimal)) {
        Compared::Value
    } else if all(&is_text) && natures.contains(&Nature::Citext) {
        Compared::Folded
    } else if is_same {
        match natures.first() {
            Some(Nature::Other(_) | Nature::Collated(_)) => Compared::Value,
            _ => Compared::Text,
        }
    } else if are_comparable(natures) {
        Compared::Value
    } else {
        Compared::Text
    };
    vec![one; natures.len()]
}

/// How a key that a person writes is compared with a column's values: as their text alone where equal ones have no other.
pub(super) fn compared_as_written(schema: &Schema, table: usize, column: &str) -> Compared {
    match nature(schema, table, column) {
        Nature::Number => Compared::Number,
        Nature::Uuid => Compared::Uuid,
        Nature::Citext => Compared::Folded,
        // The server writes equal values alike, a person may not.
        Nature::Canonical(name) if is_canonical(name) => Compared::Value,
        Nature::Canonical(_) => Compared::Text,
        Nature::Decimal | Nature::Collated(_) | Nature::Other(_) => Compared::Value,
    }
}

/// What values of a type look like as text, where no value of a type of another look is the same text.
#[derive(Debug, PartialEq, Eq)]
enum Look {
    Digits,
    Uuid,
    Boolean,
    Bytes,
    Moment,
    Time,
    Address,
    Hardware,
    Array,
    Shape,
    Range,
    Money,
}

/// None where a value may look like any.
fn look(schema: &Schema, table: usize, column: &str) -> Option<Look> {
    let known = schema.tables[table].column(column)?;
    let kind = known.column_type.as_ref()?;
    if kind.array {
        return Some(Look::Array);
    }
    let Base::Given(given) = schema.base(kind, "pg_catalog") else {
        return None;
    };
    if !matches!(given.schema.as_deref(), None | Some("pg_catalog")) {
        return None;
    }
    match nature(schema, table, column) {
        Nature::Number | Nature::Decimal | Nature::Canonical("oid") => Some(Look::Digits),
        Nature::Uuid => Some(Look::Uuid),
        Nature::Canonical("boolean") => Some(Look::Boolean),
        Nature::Canonical("bytea") => Some(Look::Bytes),
        Nature::Canonical("date" | "timestamp without time zone" | "timestamp with time zone") => {
            Some(Look::Moment)
        }
        Nature::Canonical("time without time zone") | Nature::Other("time with time zone" | "interval") => {
            Some(Look::Time)
        }
        Nature::Canonical("inet" | "cidr") => Some(Look::Address),
        Nature::Canonical("macaddr") | Nature::Other("macaddr8") => Some(Look::Hardware),
        Nature::Other("money") => Some(Look::Money),
        Nature::Other("point" | "line" | "lseg" | "box" | "path" | "polygon" | "circle") => Some(Look::Shape),
        Nature::Other(name) if name.ends_with("range") => Some(Look::Range),
        _ => None,
    }
}

/// Whether a value of one column may be equal to one of another: a number and a text may, a number and a UUID never are.
pub(super) fn may_be_equal(schema: &Schema, one: (usize, &str), other: (usize, &str)) -> bool {
    match (look(schema, one.0, one.1), look(schema, other.0, other.1)) {
        (Some(one), Some(other)) => one == other,
        _ => true,
    }
}

/// Whether a column may have a value that is written so.
pub(super) fn may_be(schema: &Schema, column: (usize, &str), text: &str) -> bool {
    match look(schema, column.0, column.1) {
        None => true,
        Some(Look::Digits) => text.parse::<f64>().is_ok(),
        Some(Look::Boolean) => matches!(text, "t" | "f"),
        Some(_) => text.contains(|c: char| c.is_ascii_digit()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_compared_as_the_type_that_all_of_them_have_or_else_as_text() {
        let of = |natures: &[Nature<'_>]| compared(natures)[0];
        let (text, number) = (Nature::Canonical("text"), Nature::Number);
        assert_eq!(of(&[number, number]), Compared::Number);
        assert_eq!(of(&[Nature::Uuid]), Compared::Uuid);
        assert_eq!(of(&[number, Nature::Decimal]), Compared::Value);
        assert_eq!(of(&[text, Nature::Citext]), Compared::Folded);
        assert_eq!(of(&[text, number, Nature::Uuid]), Compared::Text);
        assert_eq!(
            of(&[Nature::Other("character"), Nature::Other("character")]),
            Compared::Value
        );
        assert_eq!(of(&[text, text]), Compared::Text);
    }

    #[test]
    fn types_that_a_foreign_key_compares_are_compared_as_values() {
        let of = |natures: &[Nature<'_>]| compared(natures)[0];
        let text = Nature::Canonical("text");
        let moment = Nature::Canonical("timestamp without time zone");
        let (ci, other) = (TableName::new("public", "ci"), TableName::new("public", "other"));
        assert_eq!(of(&[Nature::Canonical("date"), moment]), Compared::Value);
        assert_eq!(
            of(&[Nature::Canonical("inet"), Nature::Canonical("cidr")]),
            Compared::Value
        );
        assert_eq!(of(&[Nature::Other("character"), text]), Compared::Value);
        assert_eq!(of(&[Nature::Collated(&ci)]), Compared::Value);
        assert_eq!(of(&[Nature::Collated(&ci), text]), Compared::Value);
        assert_eq!(
            of(&[Nature::Collated(&ci), Nature::Collated(&other)]),
            Compared::Text
        );
        assert_eq!(of(&[moment, text]), Compared::Text);
    }
}
